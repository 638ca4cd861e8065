import MailTestSupport
import NIOPosix
import TestSupport
import Testing

@testable import SMTP

typealias Reaction = SMTPTestServer.Reaction

/// A client with its settings for one server.
struct Client {
    var server: SMTPServer
    var options: SMTPOptions

    init(
        _ port: Int,
        _ security: SMTPServer.Security = .plain,
        host: String = "127.0.0.1",
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        server = SMTPServer(host: host, port: port, security: security, verification: .none)
        options = SMTPOptions(
            localName: "client.test",
            timeout: .seconds(20),
            clock: clock,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton
        )
    }

    func open(_ credentials: SMTPCredentials? = nil) async throws(SMTPError) -> SMTPConnection {
        try await SMTPConnection.open(server, credentials: credentials, options: options)
    }

    static func envelope(_ recipients: [String] = ["a@example.org"], _ content: String = "Subject: x\n\n.body\n")
        -> SMTPEnvelope
    {
        SMTPEnvelope(sender: "s@example.com", recipients: recipients, content: Array(content.utf8))
    }

    /// Connects, sends one message and says goodbye; the error if there is one.
    func failure(_ credentials: SMTPCredentials? = nil, _ recipients: [String] = ["a@example.org"]) async -> SMTPError?
    {
        do throws(SMTPError) {
            let connection = try await open(credentials)
            do throws(SMTPError) {
                _ = try await connection.send(Self.envelope(recipients))
            } catch {
                await connection.quit()
                throw error
            }
            await connection.quit()
            return nil
        } catch {
            return error
        }
    }
}

@Suite("A dialogue with a server")
struct DialogueTests {
    @Test func aMessageIsSentAsSmtplibSendsIt() async throws {
        let server = try await SMTPTestServer()
        let connection = try await Client(server.port).open()
        let delivery = try await connection.send(Client.envelope(["a@example.org", "b@example.org"]))
        await connection.quit()
        #expect(delivery == SMTPDelivery(reply: SMTPReply(code: 250, lines: ["queued"]), refusals: []))
        #expect(
            server.transcript == [
                "EHLO client.test", "MAIL FROM:<s@example.com> SIZE=21", "RCPT TO:<a@example.org>",
                "RCPT TO:<b@example.org>", "DATA", ".", "QUIT",
            ]
        )
        #expect(server.messages == [Array("Subject: x\r\n\r\n..body\r\n.\r\n".utf8)])
        await server.close()
    }

    @Test func whatIsToBePlainStaysPlainWhateverIsOffered() async throws {
        let server = try await SMTPTestServer(features: ["STARTTLS"])
        #expect(await Client(server.port).failure() == nil)
        #expect(!server.transcript.contains("STARTTLS"))
        #expect(server.messages.count == 1)
        await server.close()
    }

    @Test func aServerWithoutExtensionsGetsHELOAndNoSize() async throws {
        let server = try await SMTPTestServer { $0.verb == "EHLO" ? .say("502 what?") : nil }
        #expect(await Client(server.port).failure() == nil)
        #expect(
            server.transcript == [
                "EHLO client.test", "HELO client.test", "MAIL FROM:<s@example.com>", "RCPT TO:<a@example.org>", "DATA",
                ".", "QUIT",
            ]
        )
        await server.close()
    }

    @Test func anotherYesToEHLOIsOneWithoutExtensions() async throws {
        let server = try await SMTPTestServer { $0.verb == "EHLO" ? .say("200-hi\r\n200 SIZE") : nil }
        #expect(await Client(server.port).failure() == nil)
        #expect(server.transcript.prefix(2) == ["EHLO client.test", "MAIL FROM:<s@example.com>"])
        await server.close()
    }

    @Test func recipientsThatAreRefusedDoNotHinderOthers() async throws {
        let server = try await SMTPTestServer { event in
            event == .command("RCPT TO:<b@example.org>") ? .say("550 5.1.1 nobody") : nil
        }
        let connection = try await Client(server.port).open()
        let delivery = try await connection.send(Client.envelope(["a@example.org", "b@example.org", "c@example.org"]))
        #expect(delivery.refusals == [SMTPRefusal(index: 1, reply: SMTPReply(code: 550, lines: ["5.1.1 nobody"]))])
        #expect(server.messages.count == 1)
        await connection.quit()
        await server.close()
    }

    @Test func whenAllAreRefusedNothingIsSent() async throws {
        let server = try await SMTPTestServer { $0.verb == "RCPT" ? .say("550 nobody") : nil }
        let error = await Client(server.port).failure(nil, ["a@example.org", "b@example.org"])
        #expect(error?.code == .recipientsRefused)
        #expect(error?.refusals.map(\.index) == [0, 1])
        #expect(server.transcript.suffix(2) == ["RSET", "QUIT"])
        await server.close()
    }

    @Test func allRefusedIsTransientWhenOneMayPassLater() async throws {
        let server = try await SMTPTestServer { event in
            switch event {
            case .command("RCPT TO:<a@example.org>"): .say("550 nobody")
            case .command("RCPT TO:<b@example.org>"): .say("450 full")
            default: nil
            }
        }
        let error = await Client(server.port).failure(nil, ["a@example.org", "b@example.org"])
        #expect(error?.reply?.code == 450)
        await server.close()
    }

    @Test(arguments: [
        ("CONNECT", "554 no", SMTPError.Step.greeting), ("EHLO", "421 busy", .hello), ("MAIL", "550 not you", .sender),
        ("RCPT", "421 too many", .recipient), ("DATA", "451 later", .data), (".", "554 spam", .finalDot),
        (".", "452 full", .finalDot),
    ])
    func aRefusalSaysWhereAndWhat(verb: String, reply: String, step: SMTPError.Step) async throws {
        let server = try await SMTPTestServer { $0.verb == verb ? .say(reply) : nil }
        let error = try #require(await Client(server.port).failure())
        #expect(error.code == .refused)
        #expect(error.step == step)
        #expect(error.reply?.description == reply)
        #expect(!error.mayBeDelivered)
        await server.close()
    }

    @Test(arguments: ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."])
    func aServerThatClosesIsNoticed(verb: String) async throws {
        let server = try await SMTPTestServer { $0.verb == verb ? .close : nil }
        let error = try #require(await Client(server.port).failure())
        #expect(error.code == .closed)
        // Only after the final dot nobody knows.
        #expect(error.mayBeDelivered == (verb == "."))
        await server.close()
    }

    @Test(arguments: ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."])
    func aServerThatTalksNonsenseIsNotObeyed(verb: String) async throws {
        let server = try await SMTPTestServer { $0.verb == verb ? .say("HTTP/1.1 400 Bad Request") : nil }
        let error = try #require(await Client(server.port).failure())
        #expect(error.code == .invalidReply)
        #expect(error.mayBeDelivered == (verb == "."))
        await server.close()
    }

    @Test(arguments: ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."])
    func aServerThatSaysNothingIsGivenUp(verb: String) async throws {
        let server = try await SMTPTestServer { $0.verb == verb ? .silence : nil }
        let clock = ManualClock()
        let client = Client(server.port, clock: clock)
        async let failure = client.failure()
        let silent = Task {
            await server.waits(for: verb)
            // Whatever step is waited for now, its time is over; the next one's too, until the client gives up.
            while !Task.isCancelled {
                clock.advance(by: .seconds(20))
                await Task.yield()
            }
        }
        let error = try #require(await failure)
        silent.cancel()
        #expect(error.code == .timeout)
        #expect(error.mayBeDelivered == (verb == "."))
        await server.close()
    }

    @Test func nothingIsSaidToAServerThatSpokeUnasked() async throws {
        let server = try await SMTPTestServer {
            $0.verb == "MAIL" ? .say("250 fine\r\n250 and the next one, too") : nil
        }
        let error = try #require(await Client(server.port).failure())
        #expect(error.code == .closed)
        #expect(server.messages.isEmpty)
        await server.close()
    }

    @Test func nobodyListening() async throws {
        let server = try await SMTPTestServer()
        let port = server.port
        await server.close()
        // Another server may get the port, but none has this address.
        let error = try #require(await Client(port, host: "127.0.0.77").failure())
        #expect(error.code == .connectFailed)
        #expect(error.step == .connect)
    }

    @Test func anUnknownHostIsNoConnection() async throws {
        let error = try #require(await Client(25, host: "no-such-host.invalid").failure())
        #expect(error.code == .connectFailed)
    }

    @Test func aCommandCannotBecomeTwo() async throws {
        let server = try await SMTPTestServer()
        let error = await Client(server.port).failure(nil, ["a@example.org>\r\nRCPT TO:<b@example.org"])
        #expect(error?.code == .invalidCommand)
        #expect(!server.transcript.contains { $0.hasPrefix("RCPT") })
        await server.close()
    }

    @Test func aRefusedMessageLeavesTheConnectionUsable() async throws {
        let server = try await SMTPTestServer { event in
            event == .command("RCPT TO:<b@example.org>") ? .say("550 nobody") : nil
        }
        let connection = try await Client(server.port).open()
        await #expect(throws: SMTPError.self) { try await connection.send(Client.envelope(["b@example.org"])) }
        #expect(await connection.isUsable)
        _ = try await connection.send(Client.envelope())
        #expect(server.messages.count == 1)
        await connection.quit()
        await server.close()
    }

    @Test func aLargeMessageArrivesWhole() async throws {
        let server = try await SMTPTestServer()
        let line = String(repeating: "0123456789abcdef", count: 4) + "\r\n"
        let content = "Subject: large\r\n\r\n" + String(repeating: line, count: 50_000)
        let connection = try await Client(server.port).open()
        _ = try await connection.send(Client.envelope(["a@example.org"], content))
        #expect(server.messages.first == Array(content.utf8) + Array(".\r\n".utf8))
        await connection.quit()
        await server.close()
    }

    @Test func aServerThatStopsReadingTheMessageSaysWhy() async throws {
        // Refuses after DATA's 354 without waiting for the dot, and closes.
        let server = try await SMTPTestServer { $0.verb == "DATA" ? .sayAndClose("354 go on\r\n552 too large") : nil }
        let connection = try await Client(server.port).open()
        let content = String(repeating: "0123456789abcdef\r\n", count: 2_000_000)
        do {
            _ = try await connection.send(Client.envelope(["a@example.org"], content))
            Issue.record("sent")
        } catch {
            #expect(error.code == .refused || error.code == .closed)
        }
        await server.close()
    }

    @Test func whoIsCancelledDoesNotWait() async throws {
        let server = try await SMTPTestServer { $0.verb == "MAIL" ? .silence : nil }
        let client = Client(server.port)
        let task = Task { await client.failure() }
        await server.waits(for: "MAIL")
        task.cancel()
        #expect(await task.value?.code == .cancelled)
        await server.close()
    }
}
