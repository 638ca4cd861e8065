import Huey
import Redis
import TestSupport
import Testing

@testable import HueyRedis

/// What a server is asked about itself, and what follows from it.
@Suite("The server's settings")
struct ServerStateTests {
    @Test("an eviction policy that loses tasks is named", arguments: ["allkeys-lru", "volatile-lru", "allkeys-random"])
    func eviction(policy: String) async throws {
        let server = try PrivateRedis()
        let storage = try RedisStorage(url: server.url())
        #expect(await storage.advice().isEmpty)
        let tool = try Tool("huey")
        let url = ["HUEY_URL": server.url()]
        #expect(try await tool.run(["check"], environment: url).status == 0)
        try await storage.client.command("CONFIG", "SET", "maxmemory-policy", .init(policy))
        let advice = await storage.advice()
        #expect(advice.count == 1)
        #expect(advice[0].contains("maxmemory-policy") && advice[0].contains(policy))
        let run = try await tool.run(["check", "--json"], environment: url)
        #expect(run.status == 1)
        #expect(run.output.contains("\"status\":\"warning\"") && run.output.contains(policy))
        await storage.close()
    }

    @Test("a check that cannot be made has a status of its own")
    func unknown() async throws {
        let tool = try Tool("huey")
        #expect(try await tool.run(["check", "--url", "unix:///nowhere/redis.sock"]).status == 3)
        #expect(try await tool.run(["check", "--no-such-option"]).status == 3)
        #expect(try await tool.run(["status", "--no-such-option"]).status == 64)
    }

    @Test("limits are checked, and what cannot be known is said")
    func limits() async throws {
        let server = try PrivateRedis()
        let url = ["HUEY_URL": server.url()]
        let tool = try Tool("huey")
        var options = RedisStorageOptions()
        options.kind = .priorityRedis
        let unbound = try RedisStorage(url: server.url(), options: options)
        let storage = unbound.bound(to: "huey")
        func check(_ arguments: String...) async throws -> Tool.Run {
            try await tool.run(["check", "--storage", "priority-redis"] + arguments, environment: url)
        }
        #expect(
            try await check("--max-pending", "0", "--max-age", "0", "--max-dead", "0", "--min-consumers", "0").status
                == 0
        )
        for priority in [0.0, 1, 2] { try await storage.enqueue(data("m"), priority: priority) }
        try await storage.bury(DeadLetter(data: data("d"), reason: .failed, detail: "d", time: 1_700_000_000_000_000))
        #expect(try await check("--max-pending", "3", "--max-age", "3600", "--max-dead", "1").status == 0)
        for arguments in [
            ["--max-pending", "2"], ["--max-age", "0"], ["--max-dead", "0"], ["--min-consumers", "1"],
        ] {
            let run = try await check(arguments[0], arguments[1], "--json")
            #expect(run.status == 2, "\(arguments)")
            #expect(run.output.contains("\"status\":\"critical\""))
        }
        #expect(try await check("--max-pending", "-1").status == 3)
        #expect(try await check("--max-age", "nan").status == 3)
        #expect(try await tool.run(["check", "--max-age", "5"], environment: url).status == 3)
        await unbound.close()
    }

    @Test("results that take a scan are counted only when asked for, all of them and no others")
    func countedResults() async throws {
        let server = try PrivateRedis()
        var options = RedisStorageOptions()
        options.kind = .redisExpire
        let storage = try RedisStorage(url: server.url(), options: options)
        let bound = storage.bound(to: "huey")
        try await bound.commit((0..<1200).map { .put(data("v"), key: "\($0)", isResult: true) })
        for number in 0..<100 { try await storage.client.command("SET", .init("other:\(number)"), "x") }
        let tool = try Tool("huey")
        let url = ["HUEY_URL": server.url()]
        func scans() async throws -> Bool {
            let reply = try await storage.client.command("INFO", "commandstats")
            return reply.string?.contains("cmdstat_scan:") == true
        }
        let plain = try await tool.run(["status", "--storage", "redis-expire"], environment: url)
        #expect(plain.output.contains("results    not counted"))
        #expect(try await !scans())
        let counted = try await tool.run(["status", "--storage", "redis-expire", "--count-results"], environment: url)
        #expect(counted.output.contains("results    1200"))
        #expect(try await scans())
        try await bound.flushResults()
        #expect(try await bound.resultStoreSize() == 0)
        await storage.close()
    }

    @Test("a consumer counts while its heartbeat changes")
    func consumers() async throws {
        let server = try PrivateRedis()
        let storage = try RedisStorage(url: server.url())
        let channel = try await storage.acknowledgingChannel(DeliveryOptions(lease: .seconds(1)))
        try await channel.open()
        let running = Task { await channel.run() }
        #expect(try await storage.liveConsumers(enough: 1, limit: .seconds(30)) == 1)
        running.cancel()
        await running.value
        #expect(try await storage.liveConsumers(enough: 1, limit: .milliseconds(300)) == 0)
        await channel.close()
        await storage.close()
    }

    @Test("a name lies in one slot of a cluster where it has a hash tag")
    func slots() {
        #expect(RedisKeys(name: "{a}").liesInOneSlot)
        #expect(RedisKeys(name: "x{a}y").liesInOneSlot)
        for name in ["a", "{}", "{", "}a{", "{}{a}"] { #expect(!RedisKeys(name: name).liesInOneSlot) }
        #expect(ServerState("# Cluster\r\ncluster_enabled:1\r\n").isCluster)
        #expect(!ServerState("cluster_enabled:0\r\n").isCluster)
    }

    @Test("a letter that is larger than one string may be is kept, listed, requeued and dropped")
    func largeLetters() async throws {
        let server = try PrivateRedis()
        let storage = try RedisStorage(url: server.url())
        try await storage.client.command("CONFIG", "SET", "proto-max-bulk-len", "1048576")
        for rest in [0, 1, 100, 150, 1000] {
            let message = [UInt8](repeating: 1, count: (1 << 20) - rest)
            // Beside others, as a consumer writes it.
            try await storage.commit([
                .put([1], key: "k", isResult: true),
                .bury(DeadLetter(data: message, reason: .failed, detail: "d", time: 1_700_000_000_000_000)),
            ])
            let entry = try #require(try await storage.deadLetterEntries().first)
            #expect(entry.letter.data == message)
            #expect(try await storage.requeueDeadLetter(entry))
            #expect(try await storage.dequeue() == message)
            try await storage.bury(entry.letter)
            let again = try #require(try await storage.deadLetterEntries().first)
            #expect(again.stored == entry.stored)
            #expect(try await storage.dropDeadLetter(again))
            #expect(try await storage.deadLetterCount() == 0)
        }
        // What is too large for the server is refused, and not sent again and again.
        let value = [UInt8](repeating: 1, count: (1 << 20) + 1)
        let error = await #expect(throws: RedisError.self) {
            try await storage.commit([
                .put(value, key: "large", isResult: true), .put([1], key: "small", isResult: true),
            ])
        }
        #expect(error?.isTransient == false)
        #expect(error?.mayHaveExecuted == false)
        await storage.close()
    }
}
