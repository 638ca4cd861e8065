import Pickle
import Testing

@Suite("Hostile input")
struct LimitTests {
    private func refusal(_ bytes: [UInt8], _ limits: PickleLimits = .default) -> PickleError.Code? {
        do {
            _ = try PickleDocument(bytes, limits: limits)
            return nil
        } catch {
            return error.code
        }
    }

    private func repeated(_ byte: UInt8, _ count: Int) -> [UInt8] { Array(repeating: byte, count: count) }

    @Test("a million nested lists or tuples are refused, nine thousand are not")
    func nesting() throws {
        #expect(refusal(repeated(0x5D, 1_000_000) + repeated(0x61, 999_999) + [0x2E]) == .nestingLimit)
        #expect(refusal([0x29] + repeated(0x85, 1_000_000) + [0x2E]) == .nestingLimit)
        let deep = repeated(0x5D, 9000) + repeated(0x61, 8999) + [0x2E] as [UInt8]
        let document = try PickleDocument(deep)
        #expect(try PickleDocument(document.encoded()).encoded() == document.encoded())
        #expect(document.root.repr(limit: 100).hasPrefix("[[[["))
        #expect(try PickleValue(document.root).pickled(protocol: 1) == document.encoded())
    }

    @Test("a memo bomb is refused by what it expands to, and carried when that is allowed")
    func expansion() throws {
        var bomb: [UInt8] = [0x80, 4, 0x5D, 0x94]
        for level in 0..<60 as Range<UInt8> { bomb += [0x5D, 0x28, 0x68, level, 0x68, level, 0x65, 0x94] }
        bomb.append(0x2E)
        #expect(refusal(bomb) == .expansionLimit)
        let document = try PickleDocument(bomb, limits: .unlimited)
        #expect(try document.encoded().count < 1000)
        #expect(document.root.repr(limit: 1000).utf8.count < 1010)
    }

    @Test("a list that holds itself prints and is written")
    func cycle() throws {
        let document = try PickleDocument([0x80, 4, 0x5D, 0x94, 0x68, 0, 0x61, 0x2E])
        #expect(document.hasCycles)
        #expect(document.root.repr == "[[...]]")
        #expect(document.root[0]?.isIdentical(to: document.root) == true)
        #expect(try PickleDocument(document.encoded()).hasCycles)
        #expect(PickleValue(document.root) == .view(document.root))
    }

    @Test("announced lengths are not believed")
    func lengths() {
        for prefix in [[0x8D], [0x8E], [0x96], [0x80, 4, 0x95]] as [[UInt8]] {
            #expect(refusal(prefix + repeated(0xFF, 8) + [0x2E]) == .truncated)
            #expect(refusal(prefix + repeated(0xFF, 7) + [0x7F, 0x2E]) == .truncated)
        }
        #expect(refusal([0x8B, 0xFF, 0xFF, 0xFF, 0xFF, 0x2E]) == .badValue)
        #expect(refusal([0x4E, 0x72, 0xFF, 0xFF, 0xFF, 0xFF, 0x2E]) == nil)
    }

    @Test("a memo with gaps and far entries, as many as its length, has nothing in the gaps")
    func memoGaps() {
        let puts: [UInt8] = [0x4E, 0x71, 2, 0x72, 0xFF, 0xFF, 0xFF, 0x7F, 0x72, 0xFE, 0xFF, 0xFF, 0x7F]
        #expect(refusal(puts + [0x68, 0, 0x2E]) == .badMemo)
        #expect(refusal(puts + [0x6A, 1, 0, 0, 0, 0x2E]) == .badMemo)
        #expect(refusal(puts + [0x68, 2, 0x2E]) == nil)
    }

    @Test("digits, bytes and nodes have limits of their own")
    func limits() {
        #expect(refusal([0x4C] + repeated(0x39, 5000) + [0x4C, 0x0A, 0x2E]) == .digitLimit)
        #expect(refusal([0x4E, 0x2E], PickleLimits(bytes: 1)) == .byteLimit)
        #expect(refusal(repeated(0x5D, 100) + [0x2E], PickleLimits(nodes: 50)) == .nodeLimit)
    }

    @Test("what Python cannot hash is no key")
    func hashing() {
        #expect(refusal([0x7D, 0x5D, 0x4E, 0x73, 0x2E]) == .unhashable)
        #expect(refusal([0x7D, 0x5D, 0x85, 0x4E, 0x73, 0x2E]) == .unhashable)
        #expect(refusal([0x8F, 0x28, 0x7D, 0x90, 0x2E]) == .unhashable)
    }

    @Test("equal keys are one: 1, True and 1.0")
    func equalKeys() throws {
        let bytes: [UInt8] = [
            0x7D, 0x28, 0x4B, 1, 0x4B, 10, 0x88, 0x4B, 20, 0x47, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0, 0x4B, 30, 0x75, 0x2E,
        ]
        #expect(try PickleDocument(bytes).root.repr == "{1: 30}")
    }

    @Test("every prefix of a pickle is refused, never worse")
    func prefixes() {
        for message in Golden.messages {
            let bytes = Golden.bytes(message)
            for count in 0..<bytes.count { #expect(refusal(Array(bytes.prefix(count))) != nil) }
        }
    }
}
