import Foundation
import Testing

@testable import Redis

/// Real redis-sentinel: three of them, a master and two replicas.
@Suite(.serialized) struct SentinelTests {
    private func code(_ error: any Error) -> RedisError.Code? { (error as? RedisError)?.code }

    private func port(of client: RedisClient) async throws -> Int? {
        try await client.command("CONFIG", "GET", "port").elements?.last?.string.flatMap { Int($0) }
    }

    /// Increments until the master is another than `former`; how many increments went through, and how many failed so
    /// that nobody knows.
    private func work(_ client: RedisClient, until former: Int) async throws -> (certain: Int, uncertain: Int) {
        var (certain, uncertain) = (0, 0)
        while true {
            do {
                try await client.command("INCR", "counter")
                certain += 1
                if try await port(of: client) != former { return (certain, uncertain) }
            } catch let error as RedisError {
                #expect(error.isTransient, "\(error)")
                if error.mayHaveExecuted { uncertain += 1 }
            }
        }
    }

    @Test func `the master is found though a sentinel is away and another knows nothing`() async throws {
        let fleet = try await SentinelFleet(replicas: 0)
        let ignorant = try await ScriptedServer(
            handshake: .send("*-1\r\n-ERR No such master with that name\r\n"),
            reaction: .silence
        )
        let hosts = try [
            RedisSentinels.Host("127.0.0.1", port: TestServer.freePort()), .init("127.0.0.1", port: ignorant.port),
            .init("127.0.0.1", port: fleet.sentinels[0].port),
        ]
        let service = SentinelFleet.service
        let client = RedisClient(RedisConfiguration(sentinels: RedisSentinels(hosts, service: service), database: 3))
        try await client.command("SET", "key", "value")
        #expect(try await port(of: client) == fleet.servers[0].port)
        let direct = fleet.servers[0].client { $0.database = 3 }
        #expect(try await direct.command("GET", "key").string == "value")
        await direct.shutdown()
        await client.shutdown()
        await ignorant.close()
    }

    @Test func `a sentinel that names a replica is not believed`() async throws {
        let fleet = try await SentinelFleet(replicas: 1)
        try await fleet.waitUntilReady()
        let replica = String(fleet.servers[1].port)
        let address = "*2\r\n$9\r\n127.0.0.1\r\n$\(replica.count)\r\n\(replica)\r\n"
        let liar = try await ScriptedServer(
            handshake: .send(address + "*2\r\n$12\r\nconfig-epoch\r\n$3\r\n999\r\n"),
            reaction: .silence
        )
        let wrong = RedisSentinels([.init("127.0.0.1", port: liar.port)], service: SentinelFleet.service)
        let misled = RedisClient(RedisConfiguration(sentinels: wrong))
        await #expect { try await misled.connect() } throws: {
            code($0) == .connectFailed && "\($0)".contains("no master")
        }
        await misled.shutdown()
        let hosts = [liar.port, fleet.sentinels[0].port].map { RedisSentinels.Host("127.0.0.1", port: $0) }
        let client = RedisClient(RedisConfiguration(sentinels: RedisSentinels(hosts, service: SentinelFleet.service)))
        #expect(try await port(of: client) == fleet.servers[0].port)
        await client.shutdown()
        await liar.close()
    }

    @Test func `no sentinel, no such service and a wrong password are clear errors`() async throws {
        let fleet = try await SentinelFleet(replicas: 0, sentinelOptions: ["requirepass watchword"])
        let host = RedisSentinels.Host("127.0.0.1", port: fleet.sentinels[0].port)
        for (sentinels, expected, words) in try [
            (
                RedisSentinels([.init("127.0.0.1", port: TestServer.freePort())], service: "x"), .connectFailed,
                "refused"
            ),
            (RedisSentinels([host], service: "misspelt", password: "watchword"), .connectFailed, "misspelt"),
            (RedisSentinels([host], service: SentinelFleet.service, password: "wrong"), .authenticationFailed, ""),
            (RedisSentinels([host], service: SentinelFleet.service), .authenticationFailed, ""),
        ] as [(RedisSentinels, RedisError.Code, String)] {
            let client = RedisClient(RedisConfiguration(sentinels: sentinels))
            await #expect { try await client.connect() } throws: { error in
                code(error) == expected && (words.isEmpty || "\(error)".contains(words))
                    && !"\(error)".contains("watchword")
            }
            await client.shutdown()
        }
        let right = RedisSentinels([host], service: SentinelFleet.service, password: "watchword")
        let client = RedisClient(RedisConfiguration(sentinels: right))
        #expect(try await client.command("PING").string == "PONG")
        await client.shutdown()
    }

    @Test func `a client leaves for the new master while the former still takes writes`() async throws {
        let fleet = try await SentinelFleet()
        try await fleet.waitUntilReady()
        let client = fleet.client()
        let popping = try await client.connect()
        try await client.command("INCR", "counter")
        var pop = RedisBatch()
        pop.append("BRPOP", "nothing", 0)
        let blocked = pop
        let popped = Task { try await popping.execute(blocked, timeout: nil) }
        let sentinel = fleet.sentinels[0].client()
        let former = fleet.servers[0].port
        try await sentinel.command("SENTINEL", "FAILOVER", RedisArgument(SentinelFleet.service))
        let (certain, uncertain) = try await work(client, until: former)
        // Sentinels leave a former master alone for eight seconds; writes that it takes until then are lost.
        let direct = fleet.servers[0].client()
        #expect(try await direct.command("ROLE").elements?.first?.string == "master")
        // The blocked pop ends with an error, instead of waiting for ever at a replica.
        await #expect { try await popped.value.first?.get() } throws: { ($0 as? RedisError)?.isTransient == true }
        #expect(try await port(of: client) != former)
        let count = try await client.command("GET", "counter").string.flatMap { Int($0) } ?? -1
        #expect(count <= 1 + certain + uncertain)
        try await client.connect().close()
        await direct.shutdown()
        await sentinel.shutdown()
        await client.shutdown()
    }

    @Test(arguments: ["killed", "frozen"]) func `a client goes on at the new master of one that is`(how: String)
        async throws
    {
        let fleet = try await SentinelFleet()
        try await fleet.waitUntilReady()
        let client = fleet.client()
        let popping = try await client.connect()
        try await client.command("INCR", "counter")
        let former = fleet.servers[0].port
        var pop = RedisBatch()
        pop.append("BRPOP", "nothing", 1)
        let blocked = pop
        if how == "killed" { fleet.servers[0].stop() } else { fleet.servers[0].freeze() }
        let popped = Task { try await popping.execute(blocked, blockingFor: .seconds(1)) }
        _ = try await work(client, until: former)
        await #expect(throws: RedisError.self) { try await popped.value }
        #expect(popping.isClosed)
        fleet.servers[0].thaw()
        await client.shutdown()
    }
}
