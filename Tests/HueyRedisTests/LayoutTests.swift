import Huey
import HueyRedis
import Pickle
import Redis
import TestSupport
import Testing

@Suite("Redis holds what huey would leave there")
struct LayoutTests {
    /// A storage, and a client that looks at its keys.
    private struct Rig {
        let name = StorageKind.freshName()
        let storage: any Storage
        let client: RedisClient

        init(_ kind: StorageKind, change: (inout RedisStorageOptions) -> Void = { _ in }) throws {
            storage = try kind.make(name: name, change: change)
            client = RedisClient(try RedisConfiguration(url: StorageKind.url()))
        }

        func close() async {
            await storage.close()
            await client.shutdown()
        }

        func type(_ key: String) async throws -> String? { try await client.command("TYPE", .init(key)).string }
    }

    private static let moment = PickleDateTime(
        year: 2026,
        month: 1,
        day: 2,
        hour: 3,
        minute: 4,
        second: 5,
        microsecond: 250_000
    )

    private static func fill(_ storage: any Storage) async throws {
        try await storage.enqueue(data("m1"), priority: nil)
        try await storage.enqueue(data("m2"), priority: nil)
        try await storage.addToSchedule(data("s"), at: moment)
        try await storage.putData(data("v"), forKey: "id", isResult: true)
        try await storage.putData(data("w"), forKey: "r:id", isResult: false)
        _ = try await storage.increment("n", by: 5)
    }

    @Test("the list kind: a list pushed from the left, a sorted set, two hashes")
    func list() async throws {
        let rig = try Rig(.redis)
        try await Self.fill(rig.storage)
        let queue = try await rig.client.command("LRANGE", .init("huey.redis.\(rig.name)"), 0, -1)
        #expect(queue.elements?.map(\.string) == ["m2", "m1"])
        let schedule = try await rig.client.command("ZRANGE", .init("huey.schedule.\(rig.name)"), 0, -1, "WITHSCORES")
        let score = "\(try Self.moment.redisScore())"
        #expect(schedule.elements?.map(\.string) == ["s", score])
        let results = "huey.results.\(rig.name)"
        #expect(try await rig.client.command("HGET", .init(results), "id").string == "v")
        #expect(try await rig.client.command("HGET", .init(results), "r:id").string == "w")
        #expect(try await rig.client.command("HGET", .init("huey.counters.\(rig.name)"), "n").string == "5")
        try await rig.storage.flushAll()
        #expect(try await rig.client.command("KEYS", .init("*.\(rig.name)")).elements?.isEmpty == true)
        await rig.close()
    }

    @Test("the valkey-glide kind: a schedule in base64, which every kind reads beside its own")
    func valkeyGlide() async throws {
        let rig = try Rig(.valkeyGlide)
        let pickle: [UInt8] = [0x80, 4, 0x4E, 0x2E]
        try await rig.storage.addToSchedule(pickle, at: Self.moment)
        let key = "huey.schedule.\(rig.name)"
        #expect(try await rig.client.command("ZRANGE", .init(key), 0, -1).elements?.map(\.string) == ["gAROLg=="])
        let others = try [StorageKind.redis, .priorityRedisExpire].map { try $0.make(name: rig.name) }
        for other in others { #expect(try await other.scheduledItems(limit: nil) == [pickle]) }
        // Only what stands for a message of huey's is taken for base64.
        try await rig.client.command("ZADD", .init(key), 1, "gARO")
        #expect(try await others[0].readSchedule(dueAt: Self.moment) == [data("gARO"), pickle])
        for other in others { await other.close() }
        await rig.close()
    }

    @Test("the expiring kind: a key for each value; results and counters expire, revocations do not")
    func expiring() async throws {
        let rig = try Rig(.redisExpire) { $0.expireTime = 1000 }
        try await Self.fill(rig.storage)
        #expect(try await rig.type("huey.redis.\(rig.name)") == "list")
        #expect(try await rig.client.command("GET", .init("huey.r.\(rig.name).id")).string == "v")
        let ttl = try #require(try await rig.client.command("TTL", .init("huey.r.\(rig.name).id")).integer)
        #expect((900...1000).contains(ttl))
        #expect(try await rig.client.command("TTL", .init("huey.r.\(rig.name).r:id")).integer == -1)
        #expect(try await rig.client.command("GET", .init("huey.c.\(rig.name).n")).string == "5")
        let counter = try #require(try await rig.client.command("TTL", .init("huey.c.\(rig.name).n")).integer)
        #expect((900...1000).contains(counter))
        #expect(try await rig.storage.putIfEmpty(data("1"), forKey: "lock", ttl: 50))
        let lock = try #require(try await rig.client.command("TTL", .init("huey.r.\(rig.name).lock")).integer)
        #expect((1...50).contains(lock))
        try await rig.storage.flushAll()
        await rig.close()
    }

    @Test("the priority kind: negated scores, and eight bytes of time before each message")
    func priority() async throws {
        let rig = try Rig(.priorityRedis)
        try await rig.storage.enqueue(data("a"), priority: 2.5)
        try await rig.storage.enqueue(data("b"), priority: nil)
        let reply = try await rig.client.command("ZRANGE", .init("huey.redis.\(rig.name)"), 0, -1, "WITHSCORES")
        let elements = try #require(reply.elements)
        try #require(elements.count == 4)
        #expect([elements[1].string, elements[3].string] == ["-2.5", "0"])
        let first = try #require(elements[0].bytes)
        let second = try #require(elements[2].bytes)
        #expect(Array(first.dropFirst(8)) == data("a"))
        // Microseconds, big endian: the later one is greater, and both are of this century.
        let stamps = [first, second].map { $0.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        #expect(stamps[0] < stamps[1])
        #expect(stamps[0] > 1_700_000_000_000_000 && stamps[1] < 10_000_000_000_000_000)
        await rig.close()
    }

    @Test("a result is announced where that is asked for, and a taken announcement is gone")
    func notify() async throws {
        let rig = try Rig(.redis) { $0.notifyResult = true }
        try await rig.storage.commit([
            .put(data("v"), key: "id", isResult: true), .put(data("w"), key: "r:id", isResult: false),
        ])
        let key = "huey.notify.\(rig.name).id"
        #expect(try await rig.client.command("LRANGE", .init(key), 0, -1).elements?.map(\.string) == ["1"])
        let ttl = try #require(try await rig.client.command("TTL", .init(key)).integer)
        #expect((1...60).contains(ttl))
        #expect(try await rig.type("huey.notify.\(rig.name).r:id") == "none")
        await rig.close()
    }

    @Test("dead letters are kept newest first, so many of them")
    func deadLetters() async throws {
        let rig = try Rig(.redis) { $0.deadLetterLimit = 3 }
        for index in 0..<5 {
            try await rig.storage.bury(
                DeadLetter(data: [UInt8(index)], reason: .unknownTask, detail: "why \(index)", time: index * 1_000_000)
            )
        }
        let storage = try #require(rig.storage as? RedisStorage)
        #expect(try await storage.deadLetterCount() == 3)
        let letters = try await storage.deadLetterEntries().map(\.letter)
        #expect(letters.map(\.data) == [[4], [3], [2]])
        #expect(letters.first?.detail == "why 4")
        #expect(letters.first?.time == 4_000_000)
        #expect(try await storage.deadLetterEntries(limit: 1).count == 1)
        #expect(try await rig.type("huey.swift.dead.\(rig.name)") == "list")
        await rig.close()
    }

    @Test(
        "an instance's name is cleaned as its generation of huey does",
        arguments: [
            (NameCleaning.huey3, "My-App_1.x é"), (.huey2, "My-App_1.x é"), (.off, "My-App_1.x é"),
        ]
    )
    func names(cleaning: NameCleaning, name: String) async throws {
        let rig = try Rig(.redis)
        let storage = try StorageKind.redis.make(name: name) { $0.nameCleaning = cleaning }
        try await storage.enqueue(data("x"), priority: nil)
        let cleaned = [NameCleaning.huey3: "MyApp_1x", .huey2: "ypp1x", .off: name][cleaning] ?? ""
        #expect(try await rig.client.command("LLEN", .init("huey.redis.\(cleaned)")).integer == 1)
        try await storage.flushAll()
        await storage.close()
        await rig.close()
    }

    @Test("a lock with a time to live needs a server that can")
    func lockTTL() async throws {
        let rig = try Rig(.redis)
        let info = try await rig.client.command("COMMAND", "INFO", "HEXPIRE")
        let isSupported = info.elements?.first?.elements?.isEmpty == false
        do {
            #expect(try await rig.storage.putIfEmpty(data("1"), forKey: "lock", ttl: 50))
            #expect(isSupported)
        } catch let error as HueyError {
            #expect(error.code == .notSupported)
            #expect(!isSupported)
            #expect(try await rig.storage.hasData(forKey: "lock") == false)
        }
        await rig.close()
    }
}
