import Huey
import Redis
import TestSupport
import Testing

@testable import HueyRedis

@Suite("What must not be enqueued twice")
struct OnceTests {
    private func withStorage(_ kind: StorageKind, _ body: (RedisStorage) async throws -> Void) async throws {
        try await kind.withStorage { storage in
            if let storage = storage as? RedisStorage { try await body(storage) }
        }
    }

    private func claim(_ task: String, on storage: RedisStorage, at minute: Int) async throws -> Bool {
        try await storage.enqueue(data("\(task)\(minute)"), priority: nil, onceFor: task, at: minute)
    }

    private func enqueue(_ id: String, on storage: RedisStorage) async throws -> String {
        try await storage.enqueueUnique(data(id), priority: nil, id: id, digest: "d", ttl: .seconds(600))
    }

    @Test("a periodic task's minute is claimed once, and an earlier one not any more", arguments: ChannelRig.kinds)
    func ticks(kind: StorageKind) async throws {
        try await withStorage(kind) { storage in
            #expect(try await storage.lastMinute(of: "a") == nil)
            #expect(try await claim("a", on: storage, at: 100))
            #expect(try await !claim("a", on: storage, at: 100))
            #expect(try await !claim("a", on: storage, at: 99))
            #expect(try await claim("b", on: storage, at: 100))
            #expect(try await claim("a", on: storage, at: 101))
            #expect(try await storage.lastMinute(of: "a") == 101)
            #expect(try await storage.enqueuedItems(limit: nil).map(text) == ["a100", "b100", "a101"])
            let ttl = try await storage.client.command("TTL", .init(storage.keys.ticks)).integer ?? -1
            #expect(ttl > 0)
        }
    }

    @Test("a clock that was ahead does not silence a task, and one that is ahead claims the server's minute")
    func clockAhead() async throws {
        let log = CollectingLog.make()
        let name = StorageKind.freshName()
        let unbound = try RedisStorage(url: StorageKind.url(), logger: log.logger)
        let storage = try #require(unbound.bound(to: name) as? RedisStorage)
        let now = (Int(try await storage.client.command("TIME").elements?.first?.string ?? "") ?? 0) / 60
        #expect(try await claim("a", on: storage, at: now + 59), "the minute that it is")
        let claimed = try #require(try await storage.lastMinute(of: "a"))
        #expect((now...now + 1).contains(claimed))
        #expect(try await !claim("a", on: storage, at: now + 60) || claimed == now)
        #expect(log.lines.all.count { $0.contains("ahead of the server's") } == 1)
        // As an earlier release recorded it.
        try await storage.client.command("HSET", .init(storage.keys.ticks), "b", .init(now + 59))
        #expect(try await claim("b", on: storage, at: now))
        #expect(try await storage.lastMinute(of: "b") == now)
        #expect(log.lines.all.count { $0.contains("by a clock that was ahead") } == 1)
        await storage.close()
    }

    @Test("a unique job is enqueued once until its key is free", arguments: ChannelRig.kinds)
    func unique(kind: StorageKind) async throws {
        try await withStorage(kind) { storage in
            #expect(try await enqueue("one", on: storage) == "one")
            #expect(try await enqueue("two", on: storage) == "one")
            try await storage.releaseUnique("d", id: "two")
            #expect(try await enqueue("two", on: storage) == "one", "only the job that has the key frees it")
            try await storage.commit([.put(data("v"), key: "k", isResult: true), .releaseUnique("d", id: "one")])
            #expect(try await enqueue("two", on: storage) == "two")
            #expect(try await storage.enqueuedItems(limit: nil).map(text) == ["one", "two"])
            let key = RedisArgument(storage.keys.unique("d"))
            #expect(try await (1...600_000).contains(storage.client.command("PTTL", key).integer ?? 0))
            // As if its time were over.
            try await storage.client.command("DEL", key)
            #expect(try await enqueue("three", on: storage) == "three")
        }
    }
}
