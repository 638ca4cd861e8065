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
