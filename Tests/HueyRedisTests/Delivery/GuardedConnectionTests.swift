import Redis
import TestSupport
import Testing

@testable import HueyRedis

@Suite("Transactions that depend on a key")
struct GuardedConnectionTests {
    private func done(_ outcome: GuardedConnection.Outcome) -> Bool {
        if case .done = outcome { true } else { false }
    }

    private func over(_ outcome: GuardedConnection.Outcome) -> Bool {
        if case .over = outcome { true } else { false }
    }

    @Test("they happen while it is there, and not when it is gone")
    func guarded() async throws {
        let client = RedisClient(try RedisConfiguration(url: StorageKind.url()))
        let (key, value) = (StorageKind.freshName(), StorageKind.freshName())
        let connection = GuardedConnection(client: client)
        func count() async throws -> GuardedConnection.Outcome {
            try await connection.transaction(while: key) { $0.append("INCR", .init(value)) }
        }
        #expect(over(try await count()))
        try await client.command("SET", .init(key), 1)
        #expect(done(try await count()))
        #expect(done(try await count()))
        // Touched: it is looked at again.
        try await client.command("SET", .init(key), 2)
        #expect(done(try await count()))
        try await client.command("DEL", .init(key))
        #expect(over(try await count()))
        #expect(over(try await count()))
        try await client.command("SET", .init(key), 3)
        #expect(done(try await count()))
        #expect(try await client.command("GET", .init(value)).string == "4")
        try await client.command("DEL", .init(key), .init(value))
        await connection.close()
    }

    @Test("one whose answer was lost does not happen after the fence")
    func fence() async throws {
        let server = try PrivateRedis()
        let client = RedisClient(try RedisConfiguration(url: server.url()))
        let connection = GuardedConnection(client: client)
        try await client.command("SET", "key", 1)
        #expect(done(try await connection.transaction(while: "key") { $0.append("INCR", "value") }))
        // A transaction of the same connection that the server reads only later.
        let late = try await client.connect()
        var watch = RedisBatch()
        watch.append("WATCH", "key")
        _ = try await late.execute(watch, timeout: nil)
        try await connection.fence()
        #expect(try await client.command("PTTL", "key").integer == -1, "nothing was lost, nothing is touched")
        // The server hangs up: the answer never comes.
        await #expect(throws: RedisError.self) { try await connection.transaction(while: "key") { $0.append("QUIT") } }
        try await connection.fence()
        var transaction = RedisBatch()
        transaction.transaction { $0.append("SET", "value", "late") }
        let replies = try await late.execute(transaction, timeout: nil)
        #expect(replies.last?.isNull == true)
        #expect(done(try await connection.transaction(while: "key") { $0.append("INCR", "value") }))
    }
}
