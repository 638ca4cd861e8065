import Redis
import Testing

@Suite struct BlockingTests {
    private func pop(_ seconds: Int = 0) -> RedisBatch {
        var batch = RedisBatch()
        batch.append("BRPOP", "queue", RedisArgument(seconds))
        return batch
    }

    /// Returns when the server counts a blocked client.
    private func waitUntilBlocked(_ client: RedisClient) async throws {
        while try await client.command("INFO", "clients").string?.contains("blocked_clients:1\r\n") != true {}
    }

    @Test func `a blocking pop is woken by a push`() async throws {
        let server = try TestServer()
        let client = server.client()
        let connection = try await client.connect()
        #expect(connection.clientID > 0)
        async let popped = connection.execute(pop(), timeout: nil)
        try await waitUntilBlocked(client)
        try await client.command("LPUSH", "queue", "message")
        #expect(try await popped[0].elements?.map(\.string) == ["queue", "message"])
        await client.shutdown()
        #expect(connection.isClosed)
    }

    @Test func `unblock ends a blocking pop with nil`() async throws {
        let server = try TestServer()
        let client = server.client()
        let connection = try await client.connect()
        async let popped = connection.execute(pop(), timeout: nil)
        try await waitUntilBlocked(client)
        await connection.unblock()
        #expect(try await popped[0].isNull)
        #expect(!connection.isClosed)
        #expect(try await connection.execute(pop(1), timeout: .seconds(5))[0].isNull)
        await client.shutdown()
    }

    @Test func `unblock reaches a pop that the server has not seen yet`() async throws {
        let server = try TestServer()
        let client = server.client()
        let connection = try await client.connect()
        for _ in 0..<100 {
            async let popped = connection.execute(pop(), timeout: nil)
            async let woken: Void = connection.unblock()
            await woken
            // If unblock came before the pop was sent there was nothing to wake.
            await connection.unblock()
            try await client.command("LPUSH", "queue", "end")
            _ = try await popped
            try await client.command("DEL", "queue")
        }
        await client.shutdown()
    }

    @Test func `cancelling wakes the pop and keeps its connection`() async throws {
        let server = try TestServer()
        let client = server.client()
        let connection = try await client.connect()
        let batch = pop()
        let task = Task { try await connection.execute(batch, timeout: nil) }
        try await waitUntilBlocked(client)
        task.cancel()
        #expect(try await task.value[0].isNull)
        #expect(!connection.isClosed)
        await client.shutdown()
    }

    @Test func `shutdown wakes what blocks`() async throws {
        let server = try TestServer()
        let client = server.client()
        let connection = try await client.connect()
        let batch = pop()
        let task = Task { try await connection.execute(batch, timeout: nil) }
        try await waitUntilBlocked(client)
        await client.shutdown()
        #expect(try await task.value[0].isNull)
        #expect(connection.isClosed)
        await #expect { try await client.command("PING") } throws: { ($0 as? RedisError)?.code == .shutdown }
    }
}
