import Huey
import Redis
import TestSupport
import Testing

@testable import HueyRedis

@Suite("Messages that were put aside")
struct DeadLetterTests {
    private func letter(_ text: String, at seconds: Int = TimeSource.system.microseconds() / 1_000_000) -> DeadLetter {
        DeadLetter(data: data(text), reason: .failed, detail: "d", time: seconds * 1_000_000)
    }

    private func withStorage(_ kind: StorageKind, _ body: (any DeadLetterStorage) async throws -> Void) async throws {
        try await kind.withStorage { storage in try await body(try #require(storage as? any DeadLetterStorage)) }
    }

    @Test("are listed newest first, under ids that stay", arguments: StorageKind.allCases)
    func list(kind: StorageKind) async throws {
        try await withStorage(kind) { storage in
            #expect(try await storage.deadLetterCount() == 0)
            #expect(try await storage.deadLetterEntries(from: 0, limit: 100).isEmpty)
            for text in ["a", "b", "c"] { try await storage.bury(letter(text)) }
            let entries = try await storage.deadLetterEntries(from: 0, limit: 100)
            #expect(entries.map { text($0.letter.data) } == ["c", "b", "a"])
            #expect(Set(entries.map(\.id)).count == 3)
            #expect(try await storage.deadLetterEntries(from: 1, limit: 1).map(\.id) == [entries[1].id])
            #expect(
                try await storage.deadLetterEntries(id: String(entries[2].id.prefix(12))).map(\.id) == [entries[2].id]
            )
            #expect(try await storage.deadLetterEntries(id: "x").isEmpty)
            #expect(try await storage.deadLetterEntries(from: 3, limit: 1).isEmpty)
        }
    }

    @Test("go back to the queue once, byte for byte", arguments: StorageKind.allCases)
    func requeue(kind: StorageKind) async throws {
        try await withStorage(kind) { storage in
            let bytes: [UInt8] = [0, 13, 10, 255]
            try await storage.bury(
                DeadLetter(data: bytes, reason: .undecodable, detail: "", time: 1_700_000_000_000_000)
            )
            try await storage.bury(letter("other"))
            let entry = try await storage.deadLetterEntries(from: 0, limit: 100)[1]
            #expect(try await storage.requeueDeadLetter(entry, priority: nil))
            #expect(try await !storage.requeueDeadLetter(entry, priority: nil))
            #expect(try await storage.enqueuedItems(limit: nil) == [bytes])
            #expect(try await storage.deadLetterCount() == 1)
            let other = try await storage.deadLetterEntries(from: 0, limit: 100)[0]
            #expect(try await storage.dropDeadLetter(other))
            #expect(try await !storage.dropDeadLetter(other))
            #expect(try await storage.queueSize() == 1)
        }
    }

    @Test("keep their priority", arguments: StorageKind.allCases)
    func priority(kind: StorageKind) async throws {
        try await withStorage(kind) { storage in
            guard storage.supportsPriority else { return }
            try await storage.enqueue(data("five"), priority: 5)
            try await storage.bury(letter("seven"))
            #expect(try await storage.requeueDeadLetter(storage.deadLetterEntries(from: 0, limit: 100)[0], priority: 7))
            #expect(try await storage.enqueuedItems(limit: nil).map(text) == ["seven", "five"])
        }
    }

    @Test("stay where the queue refuses them")
    func refused() async throws {
        let name = StorageKind.freshName()
        let list = try #require(try StorageKind.redis.make(name: name) as? RedisStorage)
        let sorted = try #require(try StorageKind.priorityRedis.make(name: name) as? RedisStorage)
        try await sorted.enqueue(data("x"), priority: 1)
        try await list.bury(letter("a"))
        let entry = try await list.deadLetterEntries()[0]
        await #expect(throws: RedisError.self) { try await list.requeueDeadLetter(entry, priority: nil) }
        #expect(try await list.deadLetterCount() == 1)
        await list.close()
        await sorted.close()
    }

    @Test("are bounded in number and age", arguments: [StorageKind.redis, .priorityRedis])
    func bounds(kind: StorageKind) async throws {
        let change: (inout RedisStorageOptions) -> Void = { options in
            options.deadLetterLimit = 3
            options.deadLetterAge = .seconds(3600)
        }
        try await kind.withStorage(change: change) { storage in
            let storage = try #require(storage as? RedisStorage)
            let now = TimeSource.system.microseconds() / 1_000_000
            for (text, age) in [("gone", 9000), ("old", 4000), ("older", 5000), ("young", 10)] {
                try await storage.bury(letter(text, at: now - age))
            }
            #expect(try await storage.deadLetterEntries().map { text($0.letter.data) } == ["young", "older", "old"])
            #expect(try await storage.dropOldDeadLetters() == 2)
            #expect(try await storage.deadLetterEntries().map { text($0.letter.data) } == ["young"])
            let ttl = try await storage.client.command("TTL", .init(storage.keys.dead)).integer ?? 0
            #expect((3500...3600).contains(ttl))
        }
    }
}
