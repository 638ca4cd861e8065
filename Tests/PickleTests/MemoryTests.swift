import Foundation
import Pickle
import Testing

@Suite("Text, state setters and memory")
struct MemoryTests {
    /// A SHORT_BINUNICODE, or a BINUNICODE where `isLong`.
    private static func text(_ bytes: [UInt8], isLong: Bool) -> [UInt8] {
        let count = UInt8(bytes.count)
        return [0x80, 4] + (isLong ? [0x58, count, 0, 0, 0] : [0x8C, count]) + bytes + [0x2E]
    }

    /// What CPython's `utf-8` with `surrogatepass` takes, said by Swift's own validation: each surrogate's three bytes stand for
    /// any other character of three bytes.
    private static func isText(_ bytes: [UInt8]) -> Bool {
        var plain = bytes
        for place in bytes.indices.dropLast(2)
        where bytes[place] == 0xED && 0xA0...0xBF ~= bytes[place + 1] && 0x80...0xBF ~= bytes[place + 2] {
            plain.replaceSubrange(place..<place + 3, with: [0xE2, 0x82, 0xAC])
        }
        return String(validating: plain, as: UTF8.self) != nil
    }

    @Test("UTF-8 is checked as CPython checks it, at every length and place")
    func utf8() {
        let edges: [UInt8] = [
            0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
            0xEF, 0xF0,
            0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF,
        ]
        var sequences: [[UInt8]] = edges.map { [$0] }
        for first in edges where first >= 0x80 {
            for second in edges {
                sequences.append([first, second])
                for third in edges {
                    sequences.append([first, second, third])
                    if first >= 0xF0, second >= 0x80, third >= 0x80 {
                        for fourth in edges { sequences.append([first, second, third, fourth]) }
                    }
                }
            }
        }
        var wrong: [[UInt8]] = []
        for (number, sequence) in sequences.enumerated() {
            let before = [UInt8](repeating: 0x61, count: [0, 1, 7, 30, 33, 70][number % 6])
            let bytes = before + sequence + [UInt8](repeating: 0x62, count: [0, 0, 1, 5][number % 4])
            let isTaken = (try? PickleDocument(Self.text(bytes, isLong: number % 5 == 0))) != nil
            if isTaken != Self.isText(bytes) { wrong.append(bytes) }
        }
        #expect(sequences.count > 10_000)
        #expect(wrong == [])
    }

    @Test("what a state setter writes does not raise the protocol", arguments: 0...2)
    func setters(version: Int) throws {
        // mod.cls() and mod.set(that, 'x'), whose result is dropped: TUPLE2 at every protocol.
        let newline: [UInt8] = [0x0A]
        let parts: (put: (UInt8) -> [UInt8], get: [UInt8], text: [UInt8], none: [UInt8])
        switch version {
        case 0: parts = ({ Array("p\($0)\n".utf8) }, Array("g1\n".utf8), Array("Vxy\n".utf8), Array("(t".utf8))
        default: parts = ({ [0x71, $0] }, [0x68, 1], [0x58, 2, 0, 0, 0, 0x78, 0x79], [0x29])
        }
        var pickle: [UInt8] = version >= 2 ? [0x80, UInt8(version)] : []
        pickle += Array("cmod\ncls".utf8) + newline + parts.put(0) + parts.none + [0x52] + parts.put(1)
        pickle += Array("cmod\nset".utf8) + newline + parts.put(2) + parts.get + parts.text + parts.put(3)
        pickle += [0x86, 0x52, 0x30, 0x2E]
        let document = try PickleDocument(pickle)
        #expect(document.pickleProtocol == version)
        #expect(try document.encoded() == pickle)
    }

    @Test(
        "small pickles that are decoded in the same memory are as they are without, and outlive each other where they are kept"
    )
    func sharedMemory() throws {
        var memory = PickleScratch()
        var kept: [(document: PickleDocument, bytes: [UInt8])] = []
        for number in 0..<400 {
            // Among them what is too large to share, and what has escapes, and keys to be looked at.
            let text = String(repeating: "ü\(number)", count: number % 40)
            let value: PickleValue = [
                "n": .int(number), "text": .string(text), "nothing": .list(Array(repeating: nil, count: number % 90)),
            ]
            let bytes = try number % 3 == 0 ? Array("V\\u00fc\(number)\np0\n.".utf8) : value.pickled()
            let document = try bytes.withUnsafeBytes { try memory.read($0, limits: .default) }
            #expect(try document.encoded() == PickleDocument(bytes).encoded())
            if number % 5 == 0 {
                #expect(throws: PickleError.self) {
                    try [0x80, 4, 0x5D].withUnsafeBytes { try memory.read($0, limits: .default) }
                }
            }
            guard number % 2 == 0 else { continue }
            kept.append((document, bytes))
            if kept.count > 150 { kept.remove(at: number % 7) }
        }
        for (document, bytes) in kept {
            #expect(try document.encoded() == PickleDocument(bytes).encoded())
            #expect(document.root.repr == (try PickleDocument(bytes).root.repr))
        }
    }

    @Test("large pickles keep their own memory, whatever others do meanwhile")
    func blocks() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    var kept: [PickleDocument] = []
                    for round in 0..<30 {
                        let count = 3000 + 500 * ((worker + round) % 9)
                        let value = PickleValue.list(
                            (0..<count).map { .list([.int($0 &* worker), .string("w\(worker)")]) }
                        )
                        let bytes = try value.pickled()
                        let document = try PickleDocument(bytes)
                        kept.append(document)
                        if kept.count > 3 { kept.removeFirst() }
                        for document in kept { #expect(document.root[100]?[0]?.int == 100 * worker) }
                        let again = try document.encoded()
                        #expect(again == (try PickleDocument(again).encoded()))
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
