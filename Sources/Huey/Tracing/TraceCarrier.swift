import Instrumentation
import Pickle

/// A trace's context on its way from a producer to a worker: what an instrument injected, such as W3C's `traceparent`.
///
/// It rides behind the STOP of the message's pickle, where every CPython stops reading, inside whatever the serializer signs and
/// compresses. Python reads, runs and stores such a message as any other, and drops the context when it writes the message again.
final class TraceCarrier: Sendable {
    /// What strangers may put behind a message, and what is put there.
    enum Limit {
        static let bytes = 16_384
        static let entries = 32
        static let keyBytes = 256
        static let valueBytes = 8_192
        /// Beyond the entries there are the pair, its mark and the dict.
        static let pickle = PickleLimits(bytes: bytes, nodes: 128, nesting: 3, expansion: bytes, integerDigits: 1)
    }

    private static let mark = "huey.swift.trace"

    let entries: [String: String]
    /// The entries as they stand behind a message.
    let bytes: [UInt8]

    /// What an instrument injected, as far as there is room: small entries go before large ones. Nil where nothing is left.
    init?(entries: [String: String]) {
        var kept: [String: String] = [:]
        var room = Limit.bytes - 256
        for (key, value) in entries.sorted(by: { ($0.value.utf8.count, $0.key) < ($1.value.utf8.count, $1.key) }) {
            // Length fields and memo entries take up to 24 bytes.
            let size = key.utf8.count + value.utf8.count + 24
            guard Self.isEntry(key, value), size <= room, kept.count < Limit.entries else { continue }
            kept[key] = value
            room -= size
        }
        guard !kept.isEmpty, let bytes = try? Self.encoded(kept) else { return nil }
        self.entries = kept
        self.bytes = bytes
    }

    /// What stands behind a message. Nil for anything that ``init(entries:)`` would not have written, which is ignored.
    init?(trailing bytes: [UInt8]) {
        guard !bytes.isEmpty, bytes.count <= Limit.bytes,
            let root = try? PickleDocument(bytes, limits: Limit.pickle).root, root.kind == .tuple,
            root.elements?.count == 2, root[0]?.string == Self.mark, let pairs = root[1]?.pairs,
            !pairs.isEmpty, pairs.count <= Limit.entries
        else { return nil }
        var entries: [String: String] = [:]
        for (key, value) in pairs {
            guard let key = key.string, let value = value.string, Self.isEntry(key, value) else { return nil }
            entries[key] = value
        }
        self.entries = entries
        self.bytes = bytes
    }

    /// Whether both could be an HTTP header: instruments are written for those.
    private static func isEntry(_ key: String, _ value: String) -> Bool {
        (1...Limit.keyBytes).contains(key.utf8.count) && key.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            && value.utf8.count <= Limit.valueBytes && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    private static func encoded(_ entries: [String: String]) throws -> [UInt8] {
        var writer = PickleWriter(protocol: 4)
        writer.writeTuple(count: 2) { writer in
            writer.write(mark)
            writer.writeDict(count: entries.count) { writer in
                for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
                    writer.write(key)
                    writer.write(value)
                }
            }
        }
        return try writer.finish()
    }
}

/// Reads and writes a carrier's entries for an instrument.
struct TraceFields: Injector, Extractor {
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }

    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
}
