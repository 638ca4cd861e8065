import NIOCore
import Testing
import Transport

@testable import Redis

/// A time limit is one on silence: what moves, however slowly, is waited for.
@Suite(.timeLimit(.minutes(5))) struct TransferTests {
    /// A reply that takes twenty pauses.
    private static let text = String(repeating: "x", count: 400)
    private static let reply = "$400\r\n\(text)\r\n"

    private func server(_ command: String, pause: TimeAmount = .milliseconds(200)) async throws -> ScriptedServer {
        try await ScriptedServer(
            reaction: .answer {
                $0.contains(command) ? .trickle(Self.reply, pieceSize: 20, pause: pause) : .send("+PONG\r\n")
            }
        )
    }

    private func client(_ port: Int, _ timeout: Duration = .milliseconds(2500)) -> RedisClient {
        RedisClient(RedisConfiguration(host: "127.0.0.1", port: port, commandTimeout: timeout))
    }

    @Test func `a reply whose bytes come slowly is waited for beyond the timeout`() async throws {
        let server = try await server("GET")
        let client = client(server.port)
        let start = ContinuousClock.now
        #expect(try await client.command("GET", "k").string == Self.text)
        let elapsed = start.duration(to: .now)
        #expect(elapsed > .milliseconds(2500))
        await client.shutdown()
        await server.close()
    }

    @Test func `a blocking pop whose reply comes slowly is neither broken off nor woken`() async throws {
        let server = try await server("BRPOP", pause: .milliseconds(150))
        let client = client(server.port)
        let connection = try await client.connect()
        var batch = RedisBatch()
        batch.append("BRPOP", "q", "1")
        // Overdue after a second, and asked about on the other connection, which answers; the reply takes three.
        let replies = try await connection.execute(batch, blockingFor: .milliseconds(10))
        #expect(replies[0].string == Self.text)
        await client.shutdown()
        await server.close()
    }

    @Test func `a pop that is cancelled keeps the reply that is on its way`() async throws {
        let server = try await server("BRPOP")
        let client = client(server.port, .seconds(2))
        let connection = try await client.connect()
        var batch = RedisBatch()
        batch.append("BRPOP", "q", "1")
        let pop = batch
        let task = Task { try await connection.execute(pop, blockingFor: .seconds(10)) }
        try await Task.sleep(for: .milliseconds(300))
        task.cancel()
        #expect(try await task.value[0].string == Self.text)
        await client.shutdown()
        await server.close()
    }

    @Test func `a reply that stops halfway is given up after the timeout`() async throws {
        let server = try await ScriptedServer(reaction: .send("$400\r\nxx"))
        let client = client(server.port, .milliseconds(100))
        let error = await #expect(throws: RedisError.self) { try await client.command("GET", "k") }
        #expect(error?.code == .timeout)
        await client.shutdown()
        await server.close()
    }

    @Test func `a handshake may be slow, but not endless`() async throws {
        let slow = try await ScriptedServer(
            handshake: .trickle("+xxxxx\r\n", pieceSize: 1, pause: .milliseconds(500)),
            reaction: .silence
        )
        let endless = try await ScriptedServer(
            handshake: .trickle("+" + String(repeating: "x", count: 1000), pieceSize: 1, pause: .milliseconds(50)),
            reaction: .silence
        )
        var configuration = RedisConfiguration(host: "127.0.0.1", port: slow.port, connectTimeout: .seconds(3))
        let patient = RedisClient(configuration)
        _ = try await patient.connect()
        configuration.address = .host("127.0.0.1", port: endless.port)
        configuration.connectTimeout = .milliseconds(500)
        let deceived = RedisClient(configuration)
        await #expect { try await deceived.connect() } throws: { ($0 as? RedisError)?.code == .connectFailed }
        for client in [patient, deceived] { await client.shutdown() }
        for server in [slow, endless] { await server.close() }
    }

    @Test func `deadlines move with the bytes, and by what is still in buffers`() {
        let start = NIODeadline.uptimeNanoseconds(0)
        let request = PendingRequest(payload: ByteBuffer(), replyCount: 1, timeout: .seconds(5), limit: .seconds(20))
        _ = request.begin(.callback { _ in }, now: start)
        func due(_ progress: Int64, _ allowance: Int64 = 0) -> NIODeadline {
            request.deadline(
                start + .seconds(5),
                lastProgress: start + .seconds(progress),
                allowance: .seconds(allowance)
            )
        }
        #expect(due(0) == start + .seconds(5))
        #expect(due(3) == start + .seconds(8))
        #expect(due(3, 4) == start + .seconds(12))
        #expect(due(100) == start + .seconds(20), "but not beyond the limit in all")
        #expect(TransferAllowance.time(forBytes: 1000) == .zero)
        #expect(TransferAllowance.time(forBytes: 1 << 20) == .seconds(8))
        #expect(TransferAllowance.time(forBytes: .max) == .seconds(64))
    }
}
