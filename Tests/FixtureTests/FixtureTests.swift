import Foundation
import Pickle
import TestSupport
import Testing

@testable import Huey

/// `Fixtures/huey-*.json` are the bytes that real huey left on a real Redis; `interop/capture` writes them.
@Suite("What real huey wrote is read, and written again")
struct FixtureTests {
    /// One pickle of one case.
    struct Entry {
        var name: String
        var kind: String
        var meaning: Any
        var protocolVersion: Int
        var bytes: [UInt8]
        /// What CPython makes of it when it reads and writes it; the pickle itself when nil.
        var repickled: [UInt8]?
        var serializer: PickleSerializer

        /// The pickle alone, taken out of compression and signature.
        func pickle() throws -> [UInt8] {
            var plain = bytes
            if let compression = serializer.compression { plain = try compression.decompress(plain, limit: 1 << 24) }
            if let signer = serializer.signer { plain = try signer.unsign(plain) }
            return plain
        }
    }

    static func files() throws -> [String] { try Fixture.names(prefix: "huey-") }

    private static func entries(_ file: String) throws -> [Entry] {
        let root = try #require(try Fixture.object(file) as? [String: Any])
        let cases = try #require(root["cases"] as? [[String: Any]])
        return try cases.flatMap { test -> [Entry] in
            let name = try #require(test["case"] as? String)
            let pickles = try #require(test["pickles"] as? [[String: Any]])
            let suffix = name.hasPrefix("serializer-") ? name.dropFirst("serializer-".count) : ""
            let serializer = PickleSerializer(
                compression: suffix.hasSuffix("gzip") ? .gzip : suffix.hasSuffix("zlib") ? .zlib : nil,
                signer: suffix.hasPrefix("signed") ? try MessageSigner(secret: "secret") : nil
            )
            return try pickles.map { pickle in
                let bytes = try #require((pickle["bytes"] as? String).flatMap { Data(base64Encoded: $0) })
                let version = try #require(pickle["protocol"] as? Int)
                let place = test["field"] ?? test["index"] ?? ""
                return Entry(
                    name: "\(file) \(name) \(test["key"] ?? "") \(place) protocol \(version)",
                    kind: test["kind"] as? String ?? "",
                    meaning: test["meaning"] ?? NSNull(),
                    protocolVersion: version,
                    bytes: Array(bytes),
                    repickled: (pickle["repickled"] as? String).flatMap { Data(base64Encoded: $0) }.map(Array.init),
                    serializer: serializer
                )
            }
        }
    }

    /// Counters and notifications are plain text.
    private static func pickles(_ file: String) throws -> [Entry] {
        try entries(file).filter { $0.kind != "counter" && $0.kind != "notify" }
    }

    @Test("every release that is to be understood has its file")
    func releases() throws {
        let releases = ["2.0.1", "2.3.2", "2.4.5", "2.6.0", "3.0.3", "3.2.1", "3.5.4"]
        #expect(try Self.files() == releases.map { "huey-\($0).json" })
    }

    @Test("every value decodes, and means what it is said to mean", arguments: try files())
    func decodes(file: String) throws {
        let entries = try Self.pickles(file)
        try #require(entries.count > 100)
        for entry in entries {
            let root = try entry.serializer.deserialize(entry.bytes)
            #expect(Meaning.mismatches(root, entry.meaning) == [], "\(entry.name)")
        }
    }

    @Test("every value is written again as CPython writes it again", arguments: try files())
    func recodes(file: String) throws {
        var unchanged = 0
        let entries = try Self.pickles(file)
        for entry in entries {
            let document = try PickleDocument(entry.pickle())
            let written = try document.encoded(protocol: entry.protocolVersion)
            let expected = try entry.repickled ?? entry.pickle()
            #expect(written == expected, "\(entry.name)")
            if written == (try entry.pickle()) { unchanged += 1 }
        }
        print("\(file): \(unchanged) of \(entries.count) pickles are the same bytes when written again")
    }

    @Test(
        "signed and compressed values are written again to the same bytes, but for what compression may choose",
        arguments: try files()
    )
    func serializers(file: String) throws {
        for entry in try Self.pickles(file) where entry.serializer.signer != nil || entry.serializer.compression != nil
        {
            var serializer = entry.serializer
            serializer.pickleProtocol = entry.protocolVersion
            let written = try serializer.serialize(serializer.deserialize(entry.bytes))
            if serializer.compression == nil, entry.repickled == nil {
                #expect(written == entry.bytes, "\(entry.name)")
            }
            #expect(Meaning.mismatches(try serializer.deserialize(written), entry.meaning) == [], "\(entry.name)")
        }
    }

    @Test(
        "every message is read as a message, and written with as many fields to the same meaning",
        arguments: try files()
    )
    func messages(file: String) throws {
        var count = 0
        for entry in try Self.pickles(file) {
            guard let fields = (entry.meaning as? [String: Any])?["message"] as? [String: Any] else { continue }
            let message = try Message(pickle: entry.serializer.deserialize(entry.bytes))
            let wire = try #require(WireVersion.allCases.first { $0.fieldCount == fields.count })
            var writer = PickleWriter(protocol: entry.protocolVersion)
            try MessageEncoder(wire: wire, defaults: { _ in nil }).write(message, to: &writer)
            let written = try writer.finish()
            #expect(Meaning.mismatches(try PickleDocument(written).root, entry.meaning) == [], "\(entry.name)")
            count += 1
        }
        #expect(count > 100)
    }

    @Test("a message's id and name are guessed right before it is decoded, from protocol 2 on", arguments: try files())
    func likelyIDs(file: String) throws {
        var count = 0
        for entry in try Self.pickles(file) where entry.serializer.compression == nil && entry.protocolVersion > 1 {
            guard (entry.meaning as? [String: Any])?["message"] != nil else { continue }
            let message = try Message(pickle: entry.serializer.deserialize(entry.bytes))
            var hint = 0
            let places = entry.bytes.withUnsafeBytes { Message.likelyPlaces(in: $0, hint: &hint) }
            let guess = try #require(places, "\(entry.name)")
            #expect(String(decoding: entry.bytes[guess.id], as: UTF8.self) == message.id, "\(entry.name)")
            #expect(String(decoding: entry.bytes[guess.name], as: UTF8.self) == message.name, "\(entry.name)")
            count += 1
        }
        #expect(count > 50)
    }

    @Test("the fewest fields carry the same message", arguments: try files())
    func fewestFields(file: String) throws {
        for entry in try Self.pickles(file) {
            guard let fields = (entry.meaning as? [String: Any])?["message"] as? [String: Any] else { continue }
            let message = try Message(pickle: entry.serializer.deserialize(entry.bytes))
            var writer = PickleWriter(protocol: entry.protocolVersion)
            try MessageEncoder(wire: .auto, defaults: { _ in nil }).write(message, to: &writer)
            let root = try PickleDocument(try writer.finish()).root
            let count = try #require(root.object?.arguments.count)
            #expect((10...fields.count).contains(count))
            let left = Meaning.messageFields.dropFirst(count).compactMap { fields[$0] }
            #expect(left.allSatisfy { $0 is NSNull }, "\(entry.name) loses a field")
            let kept = fields.filter { Meaning.messageFields.prefix(count).contains($0.key) }
            // Messages inside have the fewest fields of their own.
            if !["on_complete", "on_error", "chord_config"].contains(where: { kept[$0] is [String: Any] }) {
                #expect(Meaning.mismatches(root, ["message": kept]) == [], "\(entry.name)")
            }
        }
    }

    @Test("every error result is read as one", arguments: try files())
    func errors(file: String) throws {
        var count = 0
        for entry in try Self.pickles(file) {
            let root = try entry.serializer.deserialize(entry.bytes)
            let error = (entry.meaning as? [String: Any])?["error"] as? [String: Any]
            #expect(ErrorResult.matches(root) == (error != nil), "\(entry.name)")
            guard let metadata = (error?["metadata"] as? [String: Any])?["dict"] as? [[[String: Any]]] else { continue }
            let values = Dictionary(uniqueKeysWithValues: metadata.map { ($0[0]["str"] as? String ?? "", $0[1]) })
            let result = try ErrorResult(pickle: root)
            #expect(result.error == values["error"]?["str"] as? String)
            #expect(String(result.retries) == values["retries"]?["int"] as? String)
            #expect(result.traceback == values["traceback"]?["str"] as? String)
            // huey 2.0 does not say whose error it is.
            #expect(result.taskID == values["task_id"]?["str"] as? String ?? "")
            let written = try PickleDocument(result.pickled(protocol: entry.protocolVersion)).root
            if values["task_id"] != nil { #expect(Meaning.mismatches(written, entry.meaning) == [], "\(entry.name)") }
            count += 1
        }
        #expect(count > 0)
    }

    @Test("every revocation is read as one", arguments: try files())
    func revocations(file: String) throws {
        var count = 0
        for entry in try Self.pickles(file) where entry.kind == "revocation" {
            let revocation = try Revocation(pickle: entry.serializer.deserialize(entry.bytes))
            let written = try PickleDocument(revocation.pickled(protocol: entry.protocolVersion)).root
            #expect(Meaning.mismatches(written, entry.meaning) == [], "\(entry.name)")
            count += 1
        }
        #expect(count > 0)
    }
}
