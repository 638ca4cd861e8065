import BigInt
import Pickle
import Testing

/// What a pickle costs its reader is bounded by limits that count the cost, and grows no faster than the pickle.
@Suite("The cost of a pickle", .timeLimit(.minutes(5)))
struct CostTests {
    private func refusal(_ bytes: [UInt8], _ limits: PickleLimits = .default) -> PickleError.Code? {
        do {
            _ = try PickleDocument(bytes, limits: limits)
            return nil
        } catch {
            return error.code
        }
    }

    private func repeated(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
        Array(repeatElement(bytes, count: count).joined())
    }

    /// `bytes` of input that make a large table, and their relatives.
    private static let growing: [(name: String, head: [UInt8], body: [UInt8], tail: [UInt8])] = [
        ("BUILD of one object", [0x80, 2, 0x63, 0x61, 0x0A, 0x62, 0x0A, 0x29, 0x52], [0x4E, 0x62], [0x2E]),
        ("ADDITEMS of one object", [0x80, 4, 0x63, 0x61, 0x0A, 0x62, 0x0A, 0x29, 0x52], [0x28, 0x4E, 0x90], [0x2E]),
        ("BUILD and APPEND in turn", [0x63, 0x61, 0x0A, 0x62, 0x0A, 0x29, 0x52], [0x4E, 0x61, 0x4E, 0x62], [0x2E]),
        ("NEWOBJ", [0x80, 2, 0x63, 0x61, 0x0A, 0x62, 0x0A, 0x71, 0], [0x68, 0, 0x29, 0x81, 0x30], [0x4E, 0x2E]),
        ("values on the stack", [], [0x4E], [0x2E]),
        ("small ints on the stack", [], [0x4B, 1], [0x2E]),
        ("marks", [], [0x28], [0x4E, 0x2E]),
        ("memo entries", [0x4E], [0x94], [0x2E]),
        ("empty lists", [], [0x5D], [0x2E]),
        ("references in a list", [0x5D, 0x28], [0x4E], [0x65, 0x2E]),
        ("empty dicts that are filled", [], [0x7D, 0x4E, 0x4E, 0x73], [0x2E]),
    ]

    @Test("every table counts, whatever opcode fills it", arguments: growing.indices)
    func tables(_ index: Int) {
        let (name, head, body, tail) = Self.growing[index]
        let bytes = head + repeated(body, 100_000) + tail
        #expect(refusal(bytes, PickleLimits(memory: 1 << 18)) == .memoryLimit, "\(name)")
        #expect(refusal(bytes) == nil, "\(name)")
    }

    @Test("a memo with gaps and far entries counts, and text that had escapes")
    func otherTables() {
        var far: [UInt8] = [0x4E]
        for index in 0..<40_000 { far += [0x72, UInt8(index & 0xFF), UInt8(index >> 8), 0, 0x70] }
        #expect(refusal(far + [0x2E], PickleLimits(memory: 1 << 20)) == .memoryLimit)
        let gap = [0x4E, 0x72, 0, 0, 0x10, 0] + repeated([0x4E], 1 << 20) + [0x2E] as [UInt8]
        #expect(refusal(gap, PickleLimits(memory: 1 << 20)) == .memoryLimit)
        let text = [0x56] + repeated([0xE9], 600_000) + [0x0A, 0x2E] as [UInt8]
        #expect(refusal(text, PickleLimits(memory: 1 << 20)) == .memoryLimit)
        #expect(refusal(text) == nil)
    }

    @Test("what the limit allows is decoded up to nearly all of it")
    func nearLimit() {
        let values = repeated([0x4B, 1], 40_000)
        let bytes = [0x5D, 0x28] + values + [0x65, 0x2E] as [UInt8]
        // 24 bytes each.
        #expect(refusal(bytes, PickleLimits(memory: 1_400_000)) == nil)
        #expect(refusal(bytes, PickleLimits(memory: 700_000)) == .memoryLimit)
    }

    @Test("an int is turned into decimal only up to 4300 digits, everywhere")
    func digits() throws {
        let long = BigInt(1) << 2_000_000
        let document = try PickleDocument(PickleValue.list([.bigInt(long), .bigInt(BigInt(10).power(4299))]).pickled())
        let (large, fitting) = try (#require(document.root[0]), #require(document.root[1]))
        #expect(large.decimal == nil)
        #expect(fitting.decimal?.utf8.count == 4300)
        #expect(large.repr == "<int of 250001 bytes>")
        #expect(fitting.repr.utf8.count == 4300)
        #expect(PickleValue.bigInt(long).description == "<int of 250001 bytes>")
        #expect(throws: PickleError.self) { try PickleValue.bigInt(long).pickled(protocol: 0) }
        #expect(throws: PickleError.self) { try document.encoded(protocol: 1) }
        #expect(throws: PickleError.self) { try Int(pickle: large) }
        let above = try PickleDocument(PickleValue.bigInt(BigInt(10).power(4300)).pickled()).root
        #expect(above.decimal == nil)
        #expect(try PickleDocument(PickleValue.int(-7).pickled()).root.decimal == "-7")
        #expect(try PickleDocument(PickleValue.bool(true).pickled()).root.decimal == nil)
    }

    @Test("long names of globals that are used again and again are refused, short ones are not")
    func names() throws {
        func using(_ length: Int, _ count: Int) -> [UInt8] {
            // Two equal modules, so that no use is of the very nodes of the use before.
            let name =
                [0x58] + withUnsafeBytes(of: UInt32(length).littleEndian) { Array($0) }
                + Array(repeating: 0x61, count: length) + [0x94] as [UInt8]
            return [0x80, 4] + name + name
                + repeated([0x68, 0, 0x68, 1, 0x93, 0x30, 0x68, 1, 0x68, 0, 0x93, 0x30], count)
                + [0x4E, 0x2E]
        }
        #expect(refusal(using(1_000_000, 20_000)) == .expansionLimit)
        #expect(refusal(using(30, 100_000)) == nil)
    }

    @Test("keys that somebody has given one hash are refused, the same number of others is not")
    func keys() throws {
        // The state of the hash after two words is the same for all of them.
        func step(_ value: UInt64) -> UInt64 {
            let product = value &* 0xFF51_AFD7_ED55_8CCD
            return product ^ product >> 32
        }
        func set(colliding: Bool) -> [UInt8] {
            var bytes: [UInt8] = [0x80, 4, 0x8F, 0x28]
            for first in 0..<400 as Range<UInt64> {
                let second = colliding ? step(0x9E37_79B9_7F4A_7C15 ^ 4096 ^ first) : first
                bytes += [0x42, 0, 0x10, 0, 0]
                for word in [first, second] { bytes += withUnsafeBytes(of: word.littleEndian) { Array($0) } }
                bytes += Array(repeating: 0, count: 4080)
            }
            return bytes + [0x90, 0x2E]
        }
        #expect(refusal(set(colliding: true)) == .expansionLimit)
        #expect(refusal(set(colliding: false)) == nil)
    }

    @Test("a repr costs what it prints")
    func repr() throws {
        // Each list begins with the next one, and has a long tail that nobody sees.
        var bytes: [UInt8] = [0x80, 4, 0x5D, 0x94]
        for level in 0..<100 as Range<UInt8> {
            bytes += [0x5D, 0x28, 0x68, level] + repeated([0x4E], 5000) + [0x65, 0x94]
        }
        let root = try PickleDocument(bytes + [0x2E]).root
        for _ in 0..<100 { #expect(root.repr(limit: 50).utf8.count < 60) }
        #expect(
            try PickleDocument(PickleValue.tuple([1, ["a": 2, "b": []], .set([3])]).pickled()).root.repr
                == "(1, {'a': 2, 'b': []}, {3})"
        )
    }

    @Test("a value of many documents is written in linear time")
    func documents() throws {
        let views = try (0..<20_000).map { try PickleDocument(PickleValue.list([.int($0)]).pickled()).root }
        let document = try PickleDocument((views + views).pickled())
        #expect(document.root.elements?.count == 40_000)
        #expect(document.root[3]?.isIdentical(to: try #require(document.root[20_003])) == true)
    }
}
