/// Makes huey messages: fields, nesting, sharing and sizes at every edge.
struct MessageMaker {
    private var values: ValueMaker
    private var random: FuzzRandom {
        get { values.random }
        set { values.random = newValue }
    }

    static let names = [
        "fuzz.echo", "fuzz.echo", "fuzz.echo", "fuzz.fail", "fuzz.fail", "fuzz.typed", "fuzz.typed", "fuzz.times",
        "fuzz.sum", "fuzz.report",
        "fuzz.unknown", "rt:fuzz.echo", "",
    ]

    init(_ random: FuzzRandom) { values = ValueMaker(random) }

    /// - Parameters:
    ///   - id: the task's id; a hostile one is chosen where it is nil.
    ///   - name: the task's name; drawn where it is nil.
    /// - Returns: one pickled message, some of its fields hostile.
    static func message(_ random: FuzzRandom, id: String? = nil, name: String? = nil) -> [UInt8] {
        var maker = MessageMaker(random)
        if maker.random.oneIn(12) {
            maker.chain(maker.random.pick([1, 5, 10, 15, 19, 25, 60, 150, 199, 201]), both: maker.random.oneIn(2))
        } else {
            maker.message(depth: 0, id: id, name: name)
        }
        maker.values.out.stop()
        maker.pad()
        return maker.values.out.bytes
    }

    /// - Returns: a pickled value of any kind.
    static func value(_ random: FuzzRandom) -> [UInt8] {
        var values = ValueMaker(random)
        values.value()
        values.out.stop()
        return values.out.bytes
    }

    private mutating func begin() {
        values.out.global("huey.registry", "Message")
        values.out.mark()
    }

    private mutating func end() {
        values.out.tuple()
        values.out.newObject()
    }

    private mutating func message(depth: Int, id: String?, name: String?) {
        let count = random.pick([15, 15, 15, 15, 14, 14, 12, 12, 10, 9, 11, 16])
        begin()
        for field in 0..<count {
            if field > 1 || id == nil, field != 3, random.oneIn(14) {
                values.value()
            } else {
                regular(field, depth, id, name)
            }
        }
        end()
        if random.oneIn(20) {
            values.mapping(1)
            values.out.build()
        }
    }

    /// A field of the right type, at some edge of its domain.
    private mutating func regular(_ field: Int, _ depth: Int, _ id: String?, _ name: String?) {
        switch field {
        case 0: identity(id)
        case 1: values.out.text(name ?? random.pick(Self.names))
        case 2: if random.oneIn(4) { values.moment() } else { values.out.none() }
        // A task may rightly be retried for ever; no input could follow.
        case 3: if random.oneIn(3) { values.out.int(random.below(4)) } else { values.out.none() }
        case 4, 5, 12, 14: number()
        case 6: arguments()
        case 7: if random.oneIn(3) { values.mapping(1) } else { emptyDict() }
        case 8, 9: follower(depth)
        case 10: expiry()
        case 11: if random.oneIn(4) { values.moment() } else { values.out.none() }
        case 13: if random.oneIn(5) { chord(depth) } else { values.out.none() }
        default: values.value()
        }
    }

    private mutating func emptyDict() { values.out.opcode(0x7D) }

    private mutating func identity(_ id: String?) {
        if let id { return values.out.text(id) }
        switch random.below(8) {
        case 0: values.longInteger()
        case 1: values.out.text("rt:" + random.pick(Self.names))
        case 2: values.text()
        case 3: values.out.text("x" + random.pick(ValueMaker.texts))
        default: values.out.text("id-\(random.below(1_000_000))")
        }
    }

    private mutating func number() {
        switch random.below(6) {
        case 0: values.out.int(random.pick(ValueMaker.integers))
        case 1: values.out.float(random.pick(ValueMaker.floats))
        case 2 where random.oneIn(4): values.longInteger()
        default: values.out.none()
        }
    }

    private mutating func expiry() {
        switch random.below(6) {
        case 0: values.timeDelta()
        case 1: values.moment()
        case 2: number()
        default: values.out.none()
        }
    }

    private mutating func arguments() {
        if random.oneIn(200) {
            values.out.mark()
            values.out.blob(Array(repeating: 0x41, count: random.pick([1 << 16, 1 << 20, 4 << 20])))
            return values.out.tuple()
        }
        values.out.mark()
        for _ in 0..<random.below(4) { values.value(2) }
        values.out.tuple()
    }

    private mutating func follower(_ depth: Int) {
        guard depth < 4, random.oneIn(5) else { return values.out.none() }
        message(depth: depth + 1, id: nil, name: nil)
    }

    private mutating func chord(_ depth: Int) {
        values.out.mark()
        values.out.text("chord-\(random.below(100))")
        values.out.int(random.pick([0, 1, 2, 3, 1000, -1, 1 << 31, 1 << 62, .max, .min]))
        values.out.int(random.pick([0, 1, 2, -1, 1 << 62, .max]))
        if depth < 4 { message(depth: depth + 1, id: nil, name: "fuzz.sum") } else { values.out.none() }
        values.out.tuple()
    }

    /// A message in a message, so many levels deep; the error handler may be the next message itself.
    private mutating func chain(_ levels: Int, both: Bool) {
        begin()
        values.out.text("chain-\(random.below(1000))-\(levels)")
        values.out.text(random.pick(["fuzz.echo", "fuzz.fail"]))
        for _ in 0..<4 { values.out.none() }
        values.out.emptyTuple()
        emptyDict()
        if levels == 0 {
            values.out.none()
            values.out.none()
        } else {
            chain(levels - 1, both: both)
            let index = values.out.memoize()
            if both { values.out.get(index) } else { values.out.none() }
        }
        for _ in 0..<5 { values.out.none() }
        end()
    }

    /// Bytes behind the end, where the trace context rides.
    private mutating func pad() {
        guard random.oneIn(10) else { return }
        let bytes = random.bytes(random.pick([1, 20, 300, 5000]))
        values.out.raw(bytes)
    }

    /// Changes some bytes of an input.
    static func mutated(_ input: [UInt8], _ random: inout FuzzRandom) -> [UInt8] {
        var bytes = input
        for _ in 0...random.below(4) where !bytes.isEmpty {
            let index = random.below(bytes.count)
            switch random.below(5) {
            case 0: bytes[index] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes[index] ^= UInt8(1 << random.below(8))
            case 2: bytes.removeSubrange(index..<min(bytes.count, index + 1 + random.below(9)))
            case 3: bytes.insert(contentsOf: random.bytes(1 + random.below(5)), at: index)
            default: bytes.insert(contentsOf: bytes[index..<min(bytes.count, index + random.below(40))], at: index)
            }
        }
        return bytes
    }
}
