/// Makes pickled values at the edges of every domain: numbers, times, sizes, depths, sharing.
struct ValueMaker {
    var random: FuzzRandom
    var out = PickleBytes()
    /// How many more values may be made; containers end where it is used up.
    var budget = 200
    var shared: [Int] = []

    init(_ random: FuzzRandom) { self.random = random }

    static let integers: [Int] = [
        0, 1, -1, 2, 23, 59, 60, 100, 255, 256, 1000, 65_535, 86_399, 86_400, 999_999, 1_000_000, 1 << 31, -(1 << 31),
        1 << 32,
        999_999_999, 1_000_000_000, -999_999_999, -1_000_000_000, 253_402_300_799, 253_402_300_800, 1 << 50,
        (1 << 50) - 1, 1 << 53,
        1 << 61, 1 << 62, -(1 << 62), .max, .min, .max - 1, .min + 1, 9_223_372_036, 9_223_372_036_854,
        4_611_686_018_427_387,
    ]
    static let floats: [Double] = [
        0, -0.0, 0.1, .leastNonzeroMagnitude, .leastNormalMagnitude, 1, -1, 1.5, 59.999_999_9, 1e9, 1e15, 9.007e15,
        9.2e18, 9.3e18, -9.3e18, 1e19,
        1e300, .infinity,
        -.infinity, .nan, 253_402_300_800, 1e-9,
    ]
    static let texts: [String] = [
        "", "a", "fuzz.echo", "rt:fuzz.echo", "r:1", "\u{1B}[2Jx", "a\nb", "\0", "\u{202E}abc", "é", "e\u{301}", "nan",
        "inf", "1e999", "-1",
        "99999999999999999999", "1_000", "0x10", "%s%n", "{}", "../../x", "x y", "\u{FEFF}", "'", "\\", "2026-01-01",
    ]
    private static let modules: [(String, String)] = [
        ("decimal", "Decimal"), ("fractions", "Fraction"), ("uuid", "UUID"), ("collections", "OrderedDict"),
        ("collections", "Counter"),
        ("collections", "deque"), ("collections", "defaultdict"), ("builtins", "set"), ("builtins", "range"),
        ("builtins", "slice"),
        ("builtins", "complex"), ("builtins", "bytearray"), ("builtins", "ValueError"), ("builtins", "OSError"),
        ("array", "array"),
        ("array", "_array_reconstructor"), ("ipaddress", "IPv4Address"), ("ipaddress", "IPv6Network"),
        ("pathlib", "PurePosixPath"),
        ("numpy.core.multiarray", "_reconstruct"), ("numpy", "dtype"), ("numpy.core.multiarray", "scalar"),
        ("huey.api", "crontab"),
        ("huey.exceptions", "RetryTask"), ("huey.utils", "Error"), ("huey.registry", "Message"),
        ("copyreg", "_reconstructor"),
        ("_codecs", "encode"), ("os", "system"), ("datetime", "datetime"), ("datetime", "date"), ("datetime", "time"),
        ("zoneinfo", "ZoneInfo._unpickle"), ("email.mime.text", "MIMEText"), ("edumfa.models", "X"),
    ]

    mutating func value(_ depth: Int = 0) {
        budget -= 1
        switch random.below(depth > 6 || budget < 0 ? 12 : 22) {
        case 0: out.none()
        case 1: out.bool(random.oneIn(2))
        case 2, 3: out.int(random.pick(Self.integers))
        case 4: longInteger()
        case 5: out.float(random.pick(Self.floats))
        case 6: out.text(random.pick(Self.texts))
        case 7: text()
        case 8: out.blob(random.bytes(random.pick([0, 1, 7, 10, 11, 16, 300])))
        case 9: timeDelta()
        case 10: moment()
        case 11: if let index = shared.isEmpty ? nil : random.pick(shared) { out.get(index) } else { out.emptyTuple() }
        case 12: timeZone()
        case 13, 14: sequence(depth)
        case 15: mapping(depth)
        case 16: deep()
        case 17: wide()
        case 18: sharing()
        case 19: instance(depth, building: true)
        default: instance(depth, building: false)
        }
        if random.oneIn(6) { shared.append(out.memoize()) }
    }

    mutating func longInteger() {
        let count = random.pick([8, 9, 16, 100, 255, 256, 1785, 1786, 2000, random.oneIn(20) ? 262_144 : 4000])
        out.long(random.oneIn(3) ? Array(repeating: 0xFF, count: count - 1) + [0x7F] : random.bytes(count))
    }

    mutating func text() {
        switch random.below(4) {
        case 0: out.utf8([0xED, 0xA0, 0x80])
        case 1: out.utf8(Array(repeating: 0x61, count: random.pick([255, 256, 1000, 65_535, 65_536])))
        case 2: out.utf8(Array(repeating: UInt8(ascii: "9"), count: random.pick([19, 20, 4300, 4301, 100_000])))
        default: out.utf8(Array(random.pick(Self.texts).utf8) + random.bytes(random.below(3)).map { $0 & 0x7F })
        }
    }

    mutating func timeDelta() {
        out.global("datetime", "timedelta")
        out.mark()
        for _ in 0..<random.pick([3, 3, 3, 3, 2, 1, 0, 4, 7]) {
            if random.oneIn(12) { out.float(random.pick(Self.floats)) } else { out.int(random.pick(Self.integers)) }
        }
        out.tuple()
        out.reduce()
    }

    mutating func timeZone() {
        out.global("datetime", "timezone")
        out.mark()
        timeDelta()
        if random.oneIn(3) { out.text(random.pick(Self.texts)) }
        out.tuple()
        out.reduce()
    }

    /// A datetime, mostly within its domain, at its edges.
    mutating func moment(zoned: Bool = false) {
        out.global("datetime", "datetime")
        out.mark()
        if random.oneIn(4) {
            for _ in 0..<random.pick([3, 6, 7, 8]) { out.int(random.pick(Self.integers)) }
        } else {
            let year = random.pick([1, 1, 1969, 1970, 2026, 2026, 2038, 9999, 9999, 0, 10_000])
            var fields: [UInt8] = [UInt8(truncatingIfNeeded: year >> 8), UInt8(truncatingIfNeeded: year)]
            fields += [random.pick([1, 12, 2, 0, 13, 0x81]), random.pick([1, 31, 28, 29, 30, 0, 32])]
            fields += [random.pick([0, 23, 24]), random.pick([0, 59, 60]), random.pick([0, 59, 60])]
            fields += random.pick([[0, 0, 0], [0x0F, 0x42, 0x3F], [0x0F, 0x42, 0x40], [0xFF, 0xFF, 0xFF]])
            out.blob(random.oneIn(20) ? Array(fields.dropLast()) : fields)
        }
        if zoned || random.oneIn(8) { timeZone() }
        out.tuple()
        out.reduce()
    }

    private mutating func sequence(_ depth: Int) {
        let isList = random.oneIn(2)
        if isList { out.beginList() } else { out.mark() }
        for _ in 0..<random.below(6) { value(depth + 1) }
        if isList { out.endList() } else { out.tuple() }
    }

    mutating func mapping(_ depth: Int) {
        out.beginDict()
        for _ in 0..<random.below(5) {
            if random.oneIn(4) { value(depth + 1) } else { out.text(random.pick(Self.texts)) }
            value(depth + 1)
        }
        out.endDict()
    }

    private mutating func deep() {
        let levels = random.pick([10, 100, 199, 200, 201, 400, 1000, 5000])
        if random.oneIn(2) {
            for _ in 0..<levels { out.beginList() }
            for _ in 0..<levels { out.endList() }
        } else {
            out.none()
            for _ in 0..<levels { out.opcode(0x85) }
        }
    }

    private mutating func wide() {
        let count = random.pick([999, 1000, 1001, 5000, random.oneIn(10) ? 300_000 : 20_000])
        switch random.below(4) {
        case 0:
            out.beginList()
            for _ in 0..<count { out.opcode(0x4E) }
            out.endList()
        case 1:
            out.mark()
            for _ in 0..<count { out.opcode(0x5D) }
            out.tuple()
        case 2:
            out.beginDict()
            for index in 0..<count {
                out.int(index)
                out.none()
            }
            out.endDict()
        default:
            // State that is set again and again.
            out.global("a", "B")
            out.emptyTuple()
            out.newObject()
            for _ in 0..<count {
                out.none()
                out.build()
            }
        }
    }

    /// Lists of which each holds the one before twice: 2^levels values in few bytes.
    private mutating func sharing() {
        out.beginList()
        out.endList()
        for _ in 0..<random.pick([5, 10, 16, 20, 30, 60]) {
            let index = out.memoize()
            out.opcode(0x30)
            out.beginList()
            out.get(index)
            out.get(index)
            out.endList()
        }
    }

    private mutating func instance(_ depth: Int, building: Bool) {
        let (module, name) = random.pick(Self.modules)
        out.global(module, name)
        out.mark()
        for _ in 0..<random.below(5) { value(depth + 1) }
        out.tuple()
        if random.oneIn(2) { out.reduce() } else { out.newObject() }
        guard building else { return }
        if random.oneIn(2) { mapping(depth + 1) } else { value(depth + 1) }
        out.build()
    }
}
