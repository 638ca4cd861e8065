/// Makes inputs that know what pickles are made of: opcodes exchanged, moved, repeated and spliced from other pickles,
/// lengths and memo indices that lie, frames that end elsewhere, and plain flips of bytes.
struct Mutator {
    /// One opcode with its argument.
    typealias Token = [UInt8]

    private let seeds: [[UInt8]]
    private let tokens: [[Token]]
    private var state: UInt64

    init(seeds: [[UInt8]], seed: UInt64) {
        self.seeds = seeds
        tokens = seeds.map(Token.split)
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    mutating func random(_ below: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int((state >> 11) % UInt64(max(1, below)))
    }

    private mutating func pick<Element>(_ choices: [Element]) -> Element { choices[random(choices.count)] }

    mutating func next() -> [UInt8] {
        switch random(10) {
        case 0: return stream()
        case 1, 2:
            var bytes = pick(seeds)
            for _ in 0...random(3) { mutate(&bytes) }
            return bytes
        default:
            var list = pick(tokens)
            for _ in 0...random(4) { mutate(&list) }
            var bytes = Array(list.joined())
            if random(8) == 0 { mutate(&bytes) }
            return bytes
        }
    }

    // MARK: Opcodes

    private mutating func range(_ list: [Token], longest: Int) -> Range<Int> {
        let start = random(list.count)
        return start..<min(list.count, start + 1 + random(longest))
    }

    private mutating func mutate(_ list: inout [Token]) {
        guard !list.isEmpty else { return list.append([0x4E]) }
        let place = random(list.count)
        switch random(15) {
        case 0, 1: exchangeOpcode(&list[place])
        case 2: list.removeSubrange(range(list, longest: 3))
        case 3: list.insert(contentsOf: list[range(list, longest: 6)], at: place)
        case 4, 5:
            let other = pick(tokens)
            list.insert(contentsOf: other[range(other, longest: 20)], at: place)
        case 6: memoIndex(&list)
        case 7: length(&list[random(list.count)])
        case 8: payload(&list[random(list.count)])
        case 9: list.swapAt(place, random(list.count))
        case 10: frame(&list)
        case 11: wrap(&list)
        case 12: list.insert(pick(Self.leaves), at: place)
        case 13: list.insert([pick(Opcodes.bare)], at: place)
        default: repeatMany(&list)
        }
    }

    /// Another opcode with an argument of the same form.
    private mutating func exchangeOpcode(_ token: inout Token) {
        let form = Opcodes.form(token[0])
        token[0] = pick(Opcodes.all.filter { Opcodes.form($0) == form })
    }

    /// GET or PUT of another entry: near, far, or beyond everything.
    private mutating func memoIndex(_ list: inout [Token]) {
        let memo: [UInt8] = [0x68, 0x6A, 0x71, 0x72, 0x67, 0x70]
        let places = list.indices.filter { memo.contains(list[$0][0]) }
        guard let place = places.isEmpty ? nil : places[random(places.count)] else {
            return list.insert([0x68, UInt8(random(6))], at: random(list.count + 1))
        }
        let index = pick([random(4), random(40), random(256), 255, 256, 70_000, 1 << 28, 0xFFFF_FFFF])
        switch pick(memo) {
        case let opcode where opcode == 0x68 || opcode == 0x71: list[place] = [opcode, UInt8(index & 0xFF)]
        case let opcode where opcode == 0x6A || opcode == 0x72:
            list[place] = [opcode] + Self.little(index, 4)
        case let opcode: list[place] = [opcode] + Array("\(index)\n".utf8)
        }
    }

    private static func little(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// A length that no longer says how many bytes follow.
    private mutating func length(_ token: inout Token) {
        guard case .counted(let width) = Opcodes.form(token[0]), token.count > width else { return }
        let new = pick([
            0, 1, token.count, token.count - width - 2, 255, 256, 65_536, 0x7FFF_FFFF, 0x8000_0000, -1, .min,
        ])
        token.replaceSubrange(1...width, with: Self.little(new, width))
    }

    /// Other bytes, of which the length tells the truth.
    private mutating func payload(_ token: inout Token) {
        switch Opcodes.form(token[0]) {
        case .counted(let width):
            let text = pick(Self.texts)
            token = [token[0]] + Self.little(text.count, width) + text
        case .lines(let count):
            token = [token[0]]
            for _ in 0..<count { token += pick(Self.lines) + [0x0A] }
        case .fixed(let width):
            token = [token[0]] + Self.little(pick([0, 1, -1, .max, .min, random(1 << 40)]), width)
        }
    }

    private mutating func frame(_ list: inout [Token]) {
        if let place = list.firstIndex(where: { $0[0] == 0x95 }), random(2) == 0 {
            if random(2) == 0 { list.remove(at: place) } else { list[place] = [0x95] + Self.little(random(64), 8) }
        } else {
            list.insert([0x95] + Self.little(random(32), 8), at: random(list.count + 1))
        }
    }

    /// MARK before and a collector behind a range.
    private mutating func wrap(_ list: inout [Token]) {
        let chosen = range(list, longest: 8)
        list.insert([pick([0x74, 0x6C, 0x64, 0x65, 0x75, 0x90, 0x91, 0x31, 0x6F])], at: chosen.upperBound)
        list.insert([0x28], at: chosen.lowerBound)
    }

    /// Depth and length: one short range, again and again.
    private mutating func repeatMany(_ list: inout [Token]) {
        guard random(4) == 0 else { return }
        let chosen = list[range(list, longest: 3)]
        if chosen.reduce(0, { $0 + $1.count }) > 40 { return }
        let place = random(list.count + 1)
        list.insert(contentsOf: Array(repeatElement(chosen, count: 20 + random(600)).joined()), at: place)
    }

    // MARK: Bytes

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let place = random(bytes.count + 1)
        switch random(8) {
        case 0 where place < bytes.count: bytes[place] = UInt8(random(256))
        case 1 where place < bytes.count: bytes[place] ^= UInt8(1 << random(8))
        case 2: bytes.insert(pick(Opcodes.all), at: place)
        case 3 where place < bytes.count: bytes[place] = pick(Opcodes.all)
        case 4: bytes.removeSubrange(place..<min(bytes.count, place + random(8)))
        case 5: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + random(30))], at: place)
        case 6:
            let other = pick(seeds)
            let start = random(other.count)
            bytes.insert(contentsOf: other[start..<min(other.count, start + random(60))], at: place)
        default: bytes.insert(contentsOf: pick(Self.extremes), at: place)
        }
    }

    private static let extremes: [[UInt8]] = [
        [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0x80], [0xFF, 0xFF, 0xFF, 0x7F], Array(repeating: 0xFF, count: 8),
        [0, 0, 0, 0, 0, 0, 0, 0x80], [0x8A, 9, 1, 2, 3, 4, 5, 6, 7, 8, 0x80], [0x68, 0, 0x68, 0], [0x85, 0x94, 0x86],
    ]
    private static let texts: [[UInt8]] = [
        [], [0x61], Array("latin1".utf8), [0xED, 0xA0, 0x80], [0xF0, 0x9F, 0x98, 0x80], [0xC3], [0x0A], [0x27, 0x5C],
        Array(repeating: 0x61, count: 300), Array(repeating: 0xFF, count: 10), [7, 0xE8, 2, 29, 3, 4, 5, 6, 7, 8], [0],
    ]
    private static let lines: [[UInt8]] = [
        [], Array("1".utf8), Array("-1L".utf8), Array("0x1F".utf8), Array("1_0".utf8), Array("1e999".utf8),
        Array("nan".utf8),
        Array("'a\\x41\\101\\'".utf8) + [0x27], Array("\\ud83d\\U0001F600\\".utf8), Array("builtins".utf8),
        Array("set".utf8),
        Array("copyreg".utf8), Array("_reconstructor".utf8), Array("_codecs".utf8), Array("encode".utf8),
        Array(repeating: 0x39, count: 5000), [0xFF], Array("datetime".utf8), Array("numpy.core.multiarray".utf8),
    ]
    private static let leaves: [Token] = [
        [0x4E], [0x4B, 1], [0x88], [0x8C, 1, 0x61], [0x8C, 3, 0x61, 0x62, 0x63], [0x5D], [0x7D], [0x8F], [0x29],
        [0x43, 1, 1], [0x8C, 2, 0xC3, 0xA9], [0x49, 0x30, 0x0A], [0x63, 0x61, 0x0A, 0x62, 0x0A],
        [0x47, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0], [0x47, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0], [0x97], [0x82, 7], [0x55, 1, 0x61],
        [0x8A, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0x68, 0], [0x68, 1],
    ]

    /// Opcodes with small arguments that mostly find on the stack what they need.
    private mutating func stream() -> [UInt8] {
        var bytes: [UInt8] = [0x80, UInt8(2 + random(4))]
        var marks: [Int] = []
        var height = 0
        var memo = 0
        for _ in 0...random(60) {
            let free = height - (marks.last ?? 0)
            switch random(12) {
            case 0...3:
                bytes += pick(Self.leaves)
                height += 1
            case 4 where memo > 0:
                bytes += [0x68, UInt8(random(memo))]
                height += 1
            case 5 where free > 0 && memo < 256:
                bytes.append(0x94)
                memo += 1
            case 6:
                bytes.append(0x28)
                marks.append(height)
            case 7 where free >= 2:
                bytes.append(pick([0x61, 0x62, 0x52, 0x81, 0x86, 0x93]))
                height -= 1
            case 8 where free >= 3:
                bytes.append(pick([0x73, 0x87, 0x92]))
                height -= 2
            case 9 where free >= 1:
                bytes.append(pick([0x85, 0x32, 0x30, 0x51, 0x98]))
                if bytes.last == 0x32 { height += 1 } else if bytes.last == 0x30 { height -= 1 }
            case 10, 11:
                guard let mark = marks.popLast() else { continue }
                let opcode = pick([0x74, 0x6C, 0x64, 0x65, 0x75, 0x90, 0x91, 0x31, 0x6F] as [UInt8])
                bytes.append(opcode)
                height = mark + ([0x74, 0x6C, 0x64, 0x91, 0x6F].contains(opcode) ? 1 : 0)
            default: break
            }
        }
        return bytes + [0x2E]
    }
}
