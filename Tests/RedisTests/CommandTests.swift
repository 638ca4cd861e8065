import Redis
import Testing

@Suite struct CommandTests {
    @Test func `a command gets its reply`() async throws {
        let server = try TestServer()
        let client = server.client()
        #expect(try await client.command("SET", "k", "v").isOK)
        #expect(try await client.command("GET", "k").string == "v")
        #expect(try await client.command("GET", "k").bytes == Array("v".utf8))
        #expect(try await client.command("GET", "none").isNull)
        #expect(try await client.command("INCRBY", "n", 42).integer == 42)
        await client.shutdown()
    }

    @Test func `a batch gets one reply for each command, errors among them`() async throws {
        let server = try TestServer()
        let client = server.client()
        var batch = RedisBatch()
        batch.append("RPUSH", "list", "a", "b", "c")
        batch.append("INCR", "list")
        batch.append("LRANGE", "list", 0, -1)
        batch.append("EVAL", "return {1, {2, {3, 'x'}}, false, redis.status_reply('FINE')}", 0)
        let replies = try await client.execute(batch)
        #expect(replies.count == 4)
        #expect(replies[0].integer == 3)
        #expect(replies[1].error?.prefix == "WRONGTYPE")
        #expect(replies.firstError?.prefix == "WRONGTYPE")
        #expect(throws: RedisError.self) { try replies[1].get() }
        #expect(replies[2].elements?.map(\.string) == ["a", "b", "c"])
        let nested = try #require(replies[3].elements)
        #expect(nested[0].integer == 1)
        #expect(nested[1].elements?[1].elements?[1].string == "x")
        #expect(nested[2].isNull)
        #expect(nested[3].string == "FINE")
        await client.shutdown()
    }

    @Test func `an empty batch has no replies and needs no server`() async throws {
        let client = RedisClient(RedisConfiguration(host: "127.0.0.1", port: 1))
        #expect(try await client.execute(RedisBatch()).isEmpty)
        await client.shutdown()
    }

    @Test func `a command with a wrong number of arguments is never sent`() async throws {
        let client = RedisClient(RedisConfiguration(host: "127.0.0.1", port: 1))
        for count in [1, 3] {
            var batch = RedisBatch()
            batch.command("SET", argumentCount: count)
            batch.argument("k")
            batch.argument("v")
            await #expect { try await client.execute(batch) } throws: { ($0 as? RedisError)?.code == .invalidBatch }
        }
        await client.shutdown()
    }

    @Test func `a transaction is one reply among others, and vanishes if its body throws`() async throws {
        struct Stop: Error {}
        let server = try TestServer()
        let client = server.client()
        var batch = RedisBatch()
        batch.append("SET", "a", 1)
        batch.transaction { batch in
            batch.append("INCR", "a")
            batch.append("INCR", "a")
        }
        #expect(throws: Stop.self) {
            try batch.transaction { batch in
                batch.append("SET", "a", 100)
                throw Stop()
            }
        }
        batch.append("GET", "a")
        let replies = try await client.execute(batch)
        #expect(replies.count == 6)
        #expect(replies[4].elements?.map(\.integer) == [2, 3])
        #expect(replies[5].string == "3")
        await client.shutdown()
    }

    @Test func `scripts run by their hash, and by their text the first time`() async throws {
        let server = try TestServer()
        let client = server.client()
        let script = RedisScript("return {KEYS[1], ARGV[1]}")
        #expect(
            script.sha1
                == (try await client.command("EVAL", "return redis.sha1hex(ARGV[1])", 0, RedisArgument(script.source))
                    .string)
        )
        for _ in 0..<2 {
            let reply = try await client.eval(script, keys: ["k"], arguments: [7])
            #expect(reply.elements?.map(\.string) == ["k", "7"])
        }
        await #expect {
            try await client.eval(RedisScript("return redis.error_reply('MINE no')"), keys: [], arguments: [])
        } throws: {
            ($0 as? RedisError)?.prefix == "MINE"
        }
        await client.shutdown()
    }

    @Test func `ten thousand concurrent commands each get their own reply`() async throws {
        let server = try TestServer()
        let client = server.client { $0.commandTimeout = .seconds(30) }
        let wrong = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<10_000 {
                group.addTask { try await client.command("ECHO", RedisArgument(number)).string != String(number) }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(wrong == 0)
        let connections = try await client.command("INFO", "clients").string
        #expect(connections?.contains("connected_clients:1\r\n") == true)
        await client.shutdown()
    }

    @Test func `every byte comes back as it was, in every size`() async throws {
        let server = try TestServer()
        let client = server.client()
        let pattern = (0..<251).map { UInt8($0) }
        for size in [0, 1, 255, 4095, 16 * 1024, 16 * 1024 + 1, 1 << 20, 9 << 20] {
            let bytes = [UInt8](unsafeUninitializedCapacity: size) { target, count in
                for offset in stride(from: 0, to: size, by: pattern.count) {
                    _ = target[offset...].update(fromContentsOf: pattern.prefix(size - offset))
                }
                count = size
            }
            try await client.command("SET", "big", RedisArgument(bytes))
            #expect(try await client.command("GET", "big").bytes == bytes)
        }
        await client.shutdown()
    }
}
