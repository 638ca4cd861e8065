import Foundation
import Redis
import Testing

@Suite struct LoginTests {
    private func code(_ error: any Error) -> RedisError.Code? { (error as? RedisError)?.code }

    private static let users = [
        "--requirepass", "default-secret", "--user", "worker", "on", ">worker-secret", "~jobs:*", "+@all", "-flushall",
        "--user", "quiet", "on", ">quiet-secret", "~*", "+@all", "-client",
        "--user", "plain", "on", ">plain-secret", "~*", "+@all", "-@dangerous",
    ]

    @Test func `passwords and ACL users log in, and ACLs refuse`() async throws {
        let server = try TestServer(Self.users)
        let byPassword = server.client { $0.password = "default-secret" }
        #expect(try await byPassword.command("ACL", "WHOAMI").string == "default")
        let byUser = RedisClient(
            try RedisConfiguration(url: "redis://worker:worker%2Dsecret@127.0.0.1:\(server.port)/2?client_name=me")
        )
        #expect(try await byUser.command("ACL", "WHOAMI").string == "worker")
        #expect(try await byUser.command("CLIENT", "GETNAME").string == "me")
        #expect(try await byUser.command("CLIENT", "LIST").string?.contains("db=2") == true)
        for command in ["FLUSHALL", "GET"] as [StaticString] {
            var batch = RedisBatch()
            batch.append(command, "\(command)" == "GET" ? ["other:key"] : [])
            #expect(try await byUser.execute(batch)[0].error?.prefix == "NOPERM")
        }
        await byPassword.shutdown()
        await byUser.shutdown()
    }

    @Test func `a refused login fails at once, and names no secret`() async throws {
        let server = try TestServer(Self.users)
        for change in [
            { $0.password = "wrong-secret" },
            { (configuration: inout RedisConfiguration) in
                configuration.username = "worker"
                configuration.password = "wrong-secret"
            },
            { _ in },
        ] as [(inout RedisConfiguration) -> Void] {
            let client = server.client {
                $0.commandTimeout = .seconds(60)
                change(&$0)
            }
            for _ in 0..<3 {
                await #expect { try await client.command("PING") } throws: { error in
                    code(error) == .authenticationFailed && !"\(error)".contains("secret")
                }
            }
            await #expect { try await client.connect() } throws: { code($0) == .authenticationFailed }
            await client.shutdown()
        }
    }

    @Test func `a database that does not exist is an error at once`() async throws {
        let server = try TestServer(["--databases", "2"])
        let client = server.client {
            $0.database = 5
            $0.commandTimeout = .seconds(60)
        }
        await #expect { try await client.command("PING") } throws: { code($0) == .server }
        await client.shutdown()
    }

    @Test func `a user who may not use CLIENT works, and a blocked connection of his closes on cancel`() async throws {
        let server = try TestServer(Self.users)
        let client = server.client {
            $0.username = "quiet"
            $0.password = "quiet-secret"
            $0.clientName = "unheard"
        }
        let connection = try await client.connect()
        #expect(connection.clientID == 0)
        var batch = RedisBatch()
        batch.append("BRPOP", "queue", 0)
        let pop = batch
        let task = Task { try await connection.execute(pop, timeout: nil) }
        while try await client.command("INFO", "clients").string?.contains("blocked_clients:1\r\n") != true {}
        task.cancel()
        await #expect { try await task.value } throws: { code($0) == .connectionClosed }
        #expect(connection.isClosed)
        await client.shutdown()
    }

    @Test(arguments: ["quiet", "plain"])
    func `a pop that may not be woken is waited out, and brings what comes meanwhile`(user: String) async throws {
        let server = try TestServer(Self.users)
        let client = server.client {
            $0.username = user
            $0.password = "\(user)-secret"
        }
        let other = server.client { $0.password = "default-secret" }
        let connection = try await client.connect()
        // A pop that ends by itself, and a long one that a message ends.
        for (message, seconds) in [(nil, 1), ("m", 60)] as [(String?, Int)] {
            var batch = RedisBatch()
            batch.append("BRPOP", "queue", .init(seconds))
            let pop = batch
            let task = Task { try await connection.execute(pop, blockingFor: .seconds(seconds)) }
            if message != nil {
                while try await other.command("INFO", "clients").string?.contains("blocked_clients:1\r\n") != true {}
            }
            async let woken: Void = connection.unblock()
            if let message { try await other.command("LPUSH", "queue", .init(message)) }
            await woken
            #expect(try await task.value[0].elements?.last?.string == message)
            #expect(!connection.isClosed)
        }
        await client.shutdown()
        await other.shutdown()
    }

    @Test func `unix sockets work`() async throws {
        let server = try TestServer(Self.users)
        let client = RedisClient(
            try RedisConfiguration(url: "unix://:default-secret@\(server.socketPath)?db=3&client_name=unix")
        )
        #expect(try await client.command("CLIENT", "LIST").string?.contains("db=3") == true)
        let connection = try await client.connect()
        #expect(connection.clientID > 0)
        await client.shutdown()
    }
}

@Suite struct TLSTests {
    /// A server with a certificate for localhost that nobody has heard of.
    private func server(
        authenticatingClients: Bool = false,
        names: String = "DNS:localhost,IP:127.0.0.1",
        options: [String] = []
    ) throws -> (TestServer, port: Int) {
        let port = try TestServer.freePort()
        let server = try TestServer(
            [
                "--tls-port", String(port), "--tls-cert-file", "{dir}/cert.pem", "--tls-key-file", "{dir}/key.pem",
                "--tls-ca-cert-file", "{dir}/cert.pem", "--tls-auth-clients", authenticatingClients ? "yes" : "no",
            ] + options
        ) { directory in
            let openssl = Process()
            openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            openssl.arguments =
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
                .split(separator: " ").map(String.init) + [
                    "-addext", "subjectAltName=\(names)", "-keyout", directory + "/key.pem", "-out",
                    directory + "/cert.pem",
                ]
            openssl.standardError = FileHandle.nullDevice
            try openssl.run()
            openssl.waitUntilExit()
        }
        return (server, port)
    }

    private func answers(_ url: String) async throws -> Bool {
        let client = RedisClient(try RedisConfiguration(url: url))
        defer { Task { await client.shutdown() } }
        // Unlike a command, this is one attempt.
        _ = try await client.connect()
        let big = [UInt8](repeating: 7, count: 300_000)
        try await client.command("SET", "big", RedisArgument(big))
        return try await client.command("GET", "big").bytes == big
    }

    @Test func `certificates are checked as the URL says`() async throws {
        let (server, port) = try server()
        let authority = "ssl_ca_certs=\(server.directory)/cert.pem"
        for url in [
            "rediss://localhost:\(port)?ssl_cert_reqs=none", "rediss://127.0.0.1:\(port)?ssl_cert_reqs=none",
            "rediss://localhost:\(port)/1?\(authority)", "rediss://127.0.0.1:\(port)?\(authority)",
            "rediss://localhost:\(port)?\(authority)&ssl_min_version=772",
        ] {
            #expect(try await answers(url), "\(url)")
        }
        for url in [
            "rediss://localhost:\(port)", "rediss://127.0.0.1:\(port)?ssl_cert_reqs=optional",
            "rediss://localhost:\(server.port)?ssl_cert_reqs=none&socket_connect_timeout=0.3",
            "rediss://localhost:\(port)?ssl_ca_certs=/nonexistent.pem",
        ] {
            await #expect(
                "\(url)",
                performing: { try await answers(url) },
                throws: { ($0 as? RedisError)?.code == .connectFailed }
            )
        }
    }

    @Test(arguments: [
        ("IP:127.0.0.1", "127.0.0.1", true), ("IP:127.0.0.1", "localhost", false), ("DNS:localhost", "localhost", true),
        ("DNS:localhost", "127.0.0.1", false), ("DNS:127.0.0.1", "127.0.0.1", false),
        ("DNS:other.example,IP:127.0.0.1", "localhost", false), ("URI:redis://localhost", "localhost", false),
    ])
    func `names count for names only, and addresses for addresses`(names: String, host: String, fits: Bool) async throws
    {
        let (server, port) = try server(names: names)
        let url = "rediss://\(host):\(port)?ssl_ca_certs=\(server.directory)/cert.pem"
        if fits {
            #expect(try await answers(url))
        } else {
            await #expect { try await answers(url) } throws: {
                let error = $0 as? RedisError
                return error?.code == .connectFailed && error?.message.contains("names another host") == true
            }
        }
        #expect(try await answers(url + "&ssl_check_hostname=false"))
        #expect(try await answers("rediss://\(host):\(port)?ssl_cert_reqs=none"))
    }

    @Test func `nothing older than TLS 1.2 is spoken`() async throws {
        let (server, port) = try server(
            options: ["--tls-protocols", "TLSv1 TLSv1.1", "--tls-ciphers", "DEFAULT@SECLEVEL=0"]
        )
        for query in ["ssl_cert_reqs=none", "ssl_cert_reqs=none&ssl_min_version=769"] {
            await #expect { try await answers("rediss://localhost:\(port)?\(query)") } throws: {
                ($0 as? RedisError)?.message.contains("the server does not speak TLS 1.2 or later") == true
            }
        }
        server.stop()
    }

    @Test func `a client shows its certificate`() async throws {
        let (server, port) = try server(authenticatingClients: true)
        let files = "ssl_certfile=\(server.directory)/cert.pem&ssl_keyfile=\(server.directory)/key.pem"
        #expect(try await answers("rediss://localhost:\(port)?ssl_cert_reqs=none&\(files)"))
        await #expect(throws: RedisError.self) {
            try await answers("rediss://localhost:\(port)?ssl_cert_reqs=none")
        }
    }
}
