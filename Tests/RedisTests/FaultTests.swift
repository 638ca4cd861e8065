import NIOCore
import Testing

@testable import Redis

@Suite struct FaultTests {
    private func code(_ error: any Error) -> RedisError.Code? { (error as? RedisError)?.code }

    private func client(port: Int, timeout: Duration = .seconds(30)) -> RedisClient {
        RedisClient(RedisConfiguration(host: "127.0.0.1", port: port, commandTimeout: timeout))
    }

    @Test func `a refused connection is a clear error when the timeout is over`() async throws {
        let client = client(port: try TestServer.freePort(), timeout: .milliseconds(200))
        await #expect { try await client.command("PING") } throws: { error in
            code(error) == .connectFailed && "\(error)".contains("onnection refused")
                && (error as? RedisError)?.mayHaveExecuted == false
        }
        await #expect { try await client.connect() } throws: { code($0) == .connectFailed }
        await client.shutdown()
    }

    @Test func `an unknown host and a missing socket are clear errors`() async throws {
        for configuration in [
            RedisConfiguration(host: "no-such-host.invalid", commandTimeout: .milliseconds(200)),
            RedisConfiguration(unixSocketPath: "/nonexistent/redis.sock"),
            RedisConfiguration(unixSocketPath: "/" + String(repeating: "x", count: 200)),
            RedisConfiguration(host: "127.0.0.1", port: 99999), RedisConfiguration(host: "127.0.0.1", port: 0),
        ] {
            let client = RedisClient(configuration)
            await #expect { try await client.connect() } throws: { code($0) == .connectFailed }
            await client.shutdown()
        }
    }

    @Test func `a server that never answers costs the timeout, and a connection`() async throws {
        let server = try await ScriptedServer(reaction: .silence)
        let client = client(port: server.port, timeout: .milliseconds(100))
        var timeouts = 0
        while timeouts < 3 {
            let error = await #expect(throws: RedisError.self) { try await client.command("PING") }
            #expect(error?.code == .timeout)
            // On a busy machine there may not even be a connection in time.
            if error?.mayHaveExecuted != false { timeouts += 1 }
        }
        let connection = try await client.connect()
        var batch = RedisBatch()
        batch.append("PING")
        await #expect { try await connection.execute(batch, timeout: .milliseconds(50)) } throws: {
            code($0) == .timeout
        }
        await client.shutdown()
        #expect(connection.isClosed)
        await server.close()
    }

    @Test func `a server that does not even greet is given up after the connect timeout`() async throws {
        let server = try await ScriptedServer(handshake: .silence, reaction: .silence)
        let configuration = RedisConfiguration(host: "127.0.0.1", port: server.port, connectTimeout: .milliseconds(100))
        let client = RedisClient(configuration)
        await #expect { try await client.connect() } throws: { code($0) == .connectFailed }
        await client.shutdown()
        await server.close()
    }

    @Test func `a connection that breaks before the reply is an error, and nothing is sent twice`() async throws {
        for reaction in [ScriptedServer.Reaction.close, .sendAndClose("$5\r\nhel")] {
            let server = try await ScriptedServer(reaction: reaction)
            let client = client(port: server.port)
            await #expect { try await client.command("PING") } throws: { error in
                code(error) == .connectionClosed && (error as? RedisError)?.mayHaveExecuted == true
            }
            await client.shutdown()
            await server.close()
        }
    }

    @Test func `what is not RESP2 closes the connection with an error`() async throws {
        for answer in [
            "HTTP/1.1 400 Bad Request\r\n\r\n", "*1000000000\r\n", "+OK\r\n+unasked\r\n", "%1\r\n+a\r\n+b\r\n",
        ] {
            let server = try await ScriptedServer(reaction: .send(answer))
            let client = client(port: server.port)
            var batch = RedisBatch()
            batch.append("PING")
            do {
                // An unasked reply comes too late to spoil the one that was asked for.
                #expect(try await client.execute(batch)[0].isOK)
                #expect(answer.contains("unasked"))
            } catch {
                #expect(code(error) == .protocolError, "\(answer.debugDescription): \(error)")
            }
            await client.shutdown()
            await server.close()
        }
    }

    @Test func `what a server says before it hangs up is in the error`() async throws {
        let server = try await ScriptedServer(
            handshake: .sendAndClose("-DENIED Redis is running in protected mode\r\n"),
            reaction: .silence
        )
        var configuration = RedisConfiguration(host: "127.0.0.1", port: server.port, database: 1)
        configuration.commandTimeout = .milliseconds(300)
        let client = RedisClient(configuration)
        await #expect { try await client.connect() } throws: { "\($0)".contains("DENIED") }
        await client.shutdown()
        await server.close()
    }

    @Test func `commands wait for a server that restarts`() async throws {
        let server = try TestServer()
        let client = server.client { $0.commandTimeout = .seconds(30) }
        try await client.command("SET", "k", "v")
        server.stop()
        let waiting = Task { try await client.command("PING").string }
        try server.start()
        // Written to the dying connection, it fails; otherwise it waits for the new server.
        if case .failure(let error) = await waiting.result { #expect(code(error) == .connectionClosed) }
        #expect(try await client.command("PING").string == "PONG")
        await client.shutdown()
    }

    @Test func `a frozen server times out, and serves again when it thaws`() async throws {
        let server = try TestServer()
        let client = server.client { $0.commandTimeout = .milliseconds(150) }
        try await client.command("PING")
        server.freeze()
        await #expect { try await client.command("PING") } throws: { code($0) == .timeout }
        server.thaw()
        while true {
            do {
                #expect(try await client.command("PING").string == "PONG")
                break
            } catch { #expect((error as? RedisError)?.isTransient == true) }
        }
        await client.shutdown()
    }

    @Test func `cancelling ends the wait for a silent server and for an absent one`() async throws {
        let server = try await ScriptedServer(reaction: .silence)
        for port in [server.port, try TestServer.freePort()] {
            let client = client(port: port)
            let task = Task { try await client.command("PING") }
            await Task.yield()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            if port != server.port { await client.shutdown() }
        }
        await server.close()
    }

    @Test func `a cancelled command's reply is not taken for another's`() async throws {
        let server = try TestServer()
        let client = server.client()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<2000 {
                group.addTask {
                    let task = Task { try await client.command("ECHO", RedisArgument(number)).string }
                    if number.isMultiple(of: 3) { task.cancel() }
                    switch await task.result {
                    case .success(let text): #expect(text == String(number))
                    case .failure(let error): #expect(error is CancellationError)
                    }
                }
            }
        }
        await client.shutdown()
    }

    @Test func `no more connections than allowed`() async throws {
        let server = try TestServer()
        let client = server.client { $0.maximumConnections = 2 }
        let first = try await client.connect()
        try await client.command("PING")
        await #expect { try await client.connect() } throws: { code($0) == .tooManyConnections }
        await first.close()
        _ = try await client.connect()
        await client.shutdown()
    }

    @Test func `a server killed in the midst of replies leaves every caller with an outcome`() async throws {
        let server = try TestServer()
        let client = server.client { $0.commandTimeout = .seconds(30) }
        try await client.command("SET", "big", RedisArgument([UInt8](repeating: 1, count: 1 << 20)))
        let outcomes = await withTaskGroup(of: RedisError?.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    do {
                        #expect(try await client.command("GET", "big").withBytes { $0.count } == 1 << 20)
                        return nil
                    } catch { return error as? RedisError ?? RedisError.unexpected }
                }
            }
            var outcomes: [RedisError?] = []
            for await outcome in group {
                outcomes.append(outcome)
                if outcomes.count == 20 {
                    server.stop()
                    try? server.start()
                }
            }
            return outcomes
        }
        #expect(outcomes.count == 200)
        for error in outcomes.compactMap(\.self) { #expect(error.code == .connectionClosed && error.mayHaveExecuted) }
        #expect(try await client.command("PING").string == "PONG")
        await client.shutdown()
    }

    @Test func `a thousand reconnects leave no connection behind`() async throws {
        let server = try TestServer()
        let client = server.client { $0.commandTimeout = .seconds(30) }
        let other = server.client()
        func openSockets() async throws -> Int {
            try await other.command("INFO", "clients").string?
                .split(separator: "\r\n").first { $0.hasPrefix("connected_clients:") }
                .flatMap { Int($0.dropFirst("connected_clients:".count)) } ?? -1
        }
        try await client.command("PING")
        let before = try await openSockets()
        for _ in 0..<500 {
            // The server hangs up on us.
            let id = try await client.command("CLIENT", "ID").integer ?? 0
            try await other.command("CLIENT", "KILL", "ID", RedisArgument(id))
            while true {
                // What is written before the hang-up is noticed fails.
                if (try? await client.command("PING").string) == "PONG" { break }
            }
            // And we on the server.
            try await client.connect().close()
        }
        while try await openSockets() != before {}
        await client.shutdown()
        await other.shutdown()
    }

    @Test func `cancelled at any moment, a pop keeps its message or leaves it in the list`() async throws {
        let server = try TestServer()
        let client = server.client()
        let connection = try await client.connect()
        var pop = RedisBatch()
        pop.append("BRPOP", "queue", 0)
        let batch = pop
        var received = 0
        for round in 0..<300 {
            let task = Task { try await connection.execute(batch, timeout: nil) }
            for _ in 0..<round % 5 { await Task.yield() }
            async let pushed = client.command("LPUSH", "queue", "message")
            for _ in 0..<round % 7 { await Task.yield() }
            task.cancel()
            if case .success(let replies) = await task.result, replies[0].elements != nil { received += 1 }
            _ = try await pushed
        }
        #expect(try await client.command("LLEN", "queue").integer == 300 - received)
        #expect(!connection.isClosed)
        await client.shutdown()
    }

    /// What Redis 6.2, Redis 7 and Valkey 9 say.
    @Test(
        arguments: [
            (
                "ERR Error running script (call to f_a8): @user_script:1: @user_script: 1: -OOM command not allowed",
                "OOM",
                true, false
            ),
            ("OOM command not allowed when used memory > 'maxmemory'. script: on @user_script:1.", "OOM", true, false),
            (
                "ERR Error running script (call to f_a8): @user_script:1: @user_script: 1: -READONLY You can't write",
                "READONLY", true, false
            ),
            (
                "ERR Error running script (call to f_a8): @user_script:1: @user_script: 1: The user executing the script "
                    + "can't run this command or subcommand", "ERR", false, true
            ),
            ("ERR The user executing the script can't run this command or subcommand script: a8", "ERR", false, true),
            ("ERR ACL failure in script: User w has no permissions to run the 'set' command", "ERR", false, true),
            ("NOPERM this user has no permissions to run the 'set' command", "NOPERM", false, true),
            ("ERR unknown command 'FOO'", "ERR", false, false), ("no capitals", nil, false, false),
        ] as [(String, String?, Bool, Bool)]
    )
    func `an error is known by what it says, inside a script too`(
        text: String,
        prefix: String?,
        isTransient: Bool,
        isRefusal: Bool
    ) {
        let error = RedisError.server(text)
        #expect(error.prefix == prefix)
        #expect(error.isTransient == isTransient)
        #expect(error.isRefusal == isRefusal)
    }

    @Test func `errors of a server in trouble are transient, those of a wrong command are not`() async throws {
        let full = try TestServer(["--maxmemory", "1"]), replica = try TestServer(["--replicaof", "127.0.0.1", "1"])
        let wrong = try TestServer()
        for (server, prefix, isTransient) in [
            (full, "OOM", true), (replica, "READONLY", true), (wrong, "WRONGTYPE", false),
        ] {
            let client = server.client()
            var batch = RedisBatch()
            if prefix == "WRONGTYPE" { batch.append("RPUSH", "k", "v") }
            batch.append("INCR", "k")
            let error = try await client.execute(batch).last?.error
            #expect(error?.prefix == prefix)
            #expect(error?.isTransient == isTransient)
            await client.shutdown()
        }
    }
}

extension RedisError {
    fileprivate static let unexpected = RedisError(.unexpectedReply, "an error of another type")
}
