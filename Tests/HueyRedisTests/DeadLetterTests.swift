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
