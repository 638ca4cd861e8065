import Foundation
import Pickle

/// Feeds mutated pickles to everything that reads one, and tells the worst time of one input.
///
///     python3 seeds.py > seeds.bin
///     swift run -c release --sanitize=address PickleFuzz seeds.bin 10000000 [random seed]
///
/// Afterwards prints the worst inputs as hex. A crash is the sanitizer's; the last input is in `fuzz-last.bin` only with
/// `FUZZ_KEEP=1`, because writing it costs more than decoding it.
@main
struct PickleFuzz {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3, let count = Int(arguments[2]) else {
            print("usage: PickleFuzz SEEDS COUNT [RANDOM-SEED]")
            exit(2)
        }
        let seeds = try frames(of: [UInt8](Data(contentsOf: URL(fileURLWithPath: arguments[1]))))
        var mutator = Mutator(seeds: seeds, state: arguments.count > 3 ? UInt64(arguments[3]) ?? 1 : 1)
        let keeps = ProcessInfo.processInfo.environment["FUZZ_KEEP"] != nil
        var worst: (nanoseconds: UInt64, input: [UInt8]) = (0, [])
        var decoded = 0
        var refused: [String: Int] = [:]
        // Tables that are made once are not the fault of one input.
        for seed in seeds { try walk(seed) }
        let clock = ContinuousClock()
        let start = clock.now
        for round in 1...count {
            let input = mutator.next()
            if keeps { try Data(input).write(to: URL(fileURLWithPath: "fuzz-last.bin")) }
            let begin = now()
            do {
                try walk(input)
                decoded += 1
            } catch let error as PickleError {
                refused[error.code.description, default: 0] += 1
            }
            let time = now() - begin
            if time > worst.nanoseconds { worst = (time, input) }
            if round % 1_000_000 == 0 {
                print("\(round) inputs, \(decoded) decoded, \(clock.now - start), worst \(worst.nanoseconds / 1000) µs")
            }
        }
        print("\(count) inputs, \(decoded) decoded, refused: \(refused.sorted { $0.value > $1.value })")
        print("peak memory \(peakKilobytes()) kB, \(clock.now - start)")
        print("worst input: \(worst.nanoseconds / 1000) µs CPU, \(worst.input.count) bytes")
        print(worst.input.prefix(400).map { String($0, radix: 16) }.joined(separator: " "))
    }

    /// Everything that may be done with a stranger's pickle.
    static func walk(_ input: [UInt8]) throws {
        let document = try PickleDocument(input)
        let root = document.root
        var size = root.repr(limit: 2000).utf8.count
        let value = PickleValue(root)
        size += (try? value.pickled(protocol: 4).count) ?? 0
        _ = try? [String: PickleValue](pickle: root)
        _ = try? PickleDateTime(pickle: root)
        _ = try? Date(pickle: root)
        _ = try? Duration(pickle: root)
        _ = try? UUID(pickle: root)
        _ = try? Decimal(pickle: root)
        _ = PickleException(root)?.repr
        for version in [nil, 0, 2, 5] as [Int?] {
            guard let bytes = try? document.encoded(protocol: version) else { continue }
            // What was written must be readable, or at least refused without a crash.
            size += (try? PickleDocument(bytes, limits: .unlimited).root.kind) == nil ? 0 : bytes.count
        }
        if size < 0 { print(size) }
    }

    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    static func peakKilobytes() -> Int {
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
            getrusage(RUSAGE_SELF, &usage)
        #endif
        return usage.ru_maxrss
    }

    static func frames(of bytes: [UInt8]) -> [[UInt8]] {
        var result: [[UInt8]] = []
        var place = 0
        while place + 4 <= bytes.count {
            let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
            result.append(Array(bytes[place + 4..<place + 4 + length]))
            place += 4 + length
        }
        return result
    }
}

/// Makes inputs: bytes flipped, removed, repeated and spliced, opcodes put in, and streams of nothing but opcodes.
struct Mutator {
    let seeds: [[UInt8]]
    var state: UInt64

    static let opcodes: [UInt8] = Array("IJKMLSTUBCNVXFG]aelt)d}su0(12gjhprqcRbioP.Q".utf8) + Array(0x80...0x98)

    mutating func random(_ below: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(max(1, below)))
    }

    mutating func next() -> [UInt8] {
        if random(5) == 0 { return stream() }
        var bytes = seeds[random(seeds.count)]
        for _ in 0...random(3) {
            let place = random(bytes.count + 1)
            switch random(9) {
            case 0 where place < bytes.count: bytes[place] = UInt8(random(256))
            case 1 where place < bytes.count: bytes[place] ^= UInt8(1 << random(8))
            case 2: bytes.insert(Self.opcodes[random(Self.opcodes.count)], at: place)
            case 3 where place < bytes.count: bytes[place] = Self.opcodes[random(Self.opcodes.count)]
            case 4: bytes.removeSubrange(place..<min(bytes.count, place + random(8)))
            case 5:
                let end = min(bytes.count, place + random(30))
                bytes.insert(contentsOf: Array(bytes[place..<end]), at: random(bytes.count + 1))
            case 6:
                let other = seeds[random(seeds.count)]
                let start = random(other.count)
                bytes.insert(contentsOf: other[start..<min(other.count, start + random(60))], at: place)
            case 7: bytes.insert(contentsOf: [0x68, UInt8(random(8))], at: place)
            default: bytes.insert(contentsOf: Self.extremes[random(Self.extremes.count)], at: place)
            }
        }
        return bytes
    }

    static let extremes: [[UInt8]] = [
        [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0x80], [0xFF, 0xFF, 0xFF, 0x7F], Array(repeating: 0xFF, count: 8),
        [0, 0, 0, 0, 0, 0, 0, 0x80], [0x8A, 9, 1, 2, 3, 4, 5, 6, 7, 8, 0x80], [0x68, 0, 0x68, 0], [0x85, 0x94, 0x86],
    ]

    /// Opcodes with small arguments that mostly find on the stack what they need.
    private mutating func stream() -> [UInt8] {
        let leaves: [[UInt8]] = [
            [0x4E], [0x4B, 1], [0x88], [0x8C, 1, 0x61], [0x8C, 3, 0x61, 0x62, 0x63], [0x5D], [0x7D], [0x8F], [0x29],
            [0x43, 1, 1], [0x8C, 2, 0xC3, 0xA9], [0x49, 0x30, 0x0A], [0x63, 0x61, 0x0A, 0x62, 0x0A],
            [0x47, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0], [0x97], [0x82, 7],
        ]
        var bytes: [UInt8] = [0x80, UInt8(2 + random(4))]
        var marks: [Int] = []
        var height = 0
        var memo = 0
        for _ in 0...random(60) {
            let free = height - (marks.last ?? 0)
            switch random(12) {
            case 0...3:
                bytes += leaves[random(leaves.count)]
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
                // a b R NEWOBJ SETITEM-like: all take two.
                let opcode = Array("abR".utf8)[random(3)]
                bytes.append(random(3) == 0 ? 0x86 : opcode)
                height -= 1
            case 8 where free >= 3:
                bytes.append(random(2) == 0 ? 0x73 : 0x87)
                height -= 2
            case 9 where free >= 1:
                bytes.append([0x85, 0x32, 0x30, 0x51, 0x98][random(5)])
                if bytes.last == 0x32 { height += 1 } else if bytes.last == 0x30 { height -= 1 }
            case 10, 11:
                guard let mark = marks.popLast() else { continue }
                let opcode = [0x74, 0x6C, 0x64, 0x65, 0x75, 0x90, 0x91, 0x31, 0x6F][random(9)] as UInt8
                bytes.append(opcode)
                let pushes = [0x74, 0x6C, 0x64, 0x91, 0x6F].contains(opcode)
                height = mark + (pushes ? 1 : 0)
            default: break
            }
        }
        return bytes + [0x2E]
    }
}
