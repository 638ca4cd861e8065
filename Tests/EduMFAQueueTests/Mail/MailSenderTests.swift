import Foundation
import Huey
import MailTestSupport
import NIOPosix
import Pickle
import SMTP
import TestSupport
import Testing

@testable import EduMFAQueue

@Suite("Connections for mail")
struct MailSenderTests {
    private let message = MailMessage(
        sender: "s@example.com",
        recipients: [MailMessage.Recipient(text: "A <a@example.org>", address: "a@example.org")],
        unusable: [],
        content: Array("Subject: x\r\n\r\nbody\r\n".utf8)
    )

    private func access(_ server: SMTPTestServer, user: String? = nil) -> MailAccess {
        MailAccess(
            server: SMTPServer(host: "127.0.0.1", port: server.port),
            credentials: user.map { SMTPCredentials(username: $0, password: "secret") },
            timeout: .seconds(20)
        )
    }

    private func sender(_ clock: any Clock<Duration> = ContinuousClock(), perConnection: Int = 100) -> MailSender {
        var options = MailOptions()
        options.localName = "client.test"
        options.messagesPerConnection = perConnection
        options.idleTime = .seconds(60)
        return MailSender(options: options, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, clock: clock)
    }

    @Test func aBurstGoesThroughOneConnection() async throws {
        let server = try await SMTPTestServer()
        let sender = sender()
        for _ in 0..<20 { _ = try await sender.send(message, via: access(server)) }
        await sender.shutdown()
        #expect(server.connections == 1)
        #expect(server.messages.count == 20)
        #expect(server.transcript.filter { $0 == "QUIT" }.count == 1)
        await server.close()
    }

    @Test func aConnectionCarriesSoManyMessages() async throws {
        let server = try await SMTPTestServer()
        let sender = sender(perConnection: 3)
        for _ in 0..<7 { _ = try await sender.send(message, via: access(server)) }
        await sender.shutdown()
        #expect(server.connections == 3)
        await server.close()
    }

    @Test func severalAtOnceHaveAConnectionEach() async throws {
        let server = try await SMTPTestServer()
        let sender = sender()
        let (message, access) = (message, access(server))
        try await withThrowingTaskGroup(of: MailReceipt.self) { group in
            for _ in 0..<8 { group.addTask { try await sender.send(message, via: access) } }
            for try await receipt in group { #expect(receipt == MailReceipt(code: 250, reply: "queued")) }
        }
        await sender.shutdown()
        #expect(server.messages.count == 8)
        await server.close()
    }

    @Test func anotherLoginHasAnotherConnection() async throws {
        let server = try await SMTPTestServer(features: ["AUTH PLAIN"])
        let sender = sender()
        for user in ["one", "two", "one"] { _ = try await sender.send(message, via: access(server, user: user)) }
        await sender.shutdown()
        #expect(server.connections == 2)
        await server.close()
    }

    @Test func anIdleConnectionIsClosed() async throws {
        let server = try await SMTPTestServer()
        let clock = ManualClock()
        let sender = sender(clock)
        _ = try await sender.send(message, via: access(server))
        let farewell = Task {
            while !Task.isCancelled {
                clock.advance(by: .seconds(61))
                await Task.yield()
            }
        }
        await server.endings.wait(for: 1)
        farewell.cancel()
        #expect(server.messages.count == 1)
        await server.close()
    }

    @Test(arguments: [SMTPTestServer.Reaction.close, .sayAndClose("421 idle too long")])
    func aConnectionThatTheServerGaveUpCostsNoMail(reaction: SMTPTestServer.Reaction) async throws {
        let mails = Recorder<Void>()
        let server = try await SMTPTestServer { event in
            guard event.verb == "MAIL" else { return nil }
            mails.append(())
            return mails.count == 2 ? reaction : nil
        }
        let sender = sender()
        for _ in 0..<3 { _ = try await sender.send(message, via: access(server)) }
        await sender.shutdown()
        #expect(server.messages.count == 3)
        #expect(server.connections == 2)
        await server.close()
    }

    @Test(arguments: [
        ("MAIL", "451 later", MailFailure.Kind.transient), ("MAIL", "550 never", .permanent),
        ("RCPT", "450 full", .transient),
        ("RCPT", "550 nobody", .permanent), (".", "554 spam", .permanent), (".", "nonsense", .unconfirmed),
        ("DATA", "nonsense", .transient), ("CONNECT", "421 busy", .transient), ("CONNECT", "554 go away", .permanent),
    ])
    func aFailureIsOfItsKind(verb: String, reply: String, kind: MailFailure.Kind) async throws {
        let server = try await SMTPTestServer { $0.verb == verb ? .say(reply) : nil }
        let sender = sender()
        let access = access(server)
        let failure = await #expect(throws: MailFailure.self) { try await sender.send(message, via: access) }
        #expect(failure?.kind == kind)
        #expect(failure?.code == Int(reply.prefix(3)))
        if verb == "RCPT" { #expect(failure?.refused.map(\.recipient) == ["A <a@example.org>"]) }
        await sender.shutdown()
        await server.close()
    }

    @Test func afterTheEndNothingIsSent() async throws {
        let server = try await SMTPTestServer()
        let sender = sender()
        await sender.shutdown()
        let access = access(server)
        let failure = await #expect(throws: MailFailure.self) { try await sender.send(message, via: access) }
        #expect(failure?.kind == .transient)
        #expect(server.connections == 0)
        await server.close()
    }

    @Test func aWholeJobIsSentWithItsPassword() async throws {
        let server = try await SMTPTestServer(features: ["AUTH PLAIN"])
        let config: PickleValue = [
            "server": .string("127.0.0.1:\(server.port)"), "port": 25, "sender": "s@example.com", "username": "user",
            "password": "plain text",
        ]
        let args: PickleValue = .tuple([config, "a@example.org", "S", "T"])
        let root = try args.view()
        let sender = sender()
        let keyFile = FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID())")
        try Data(repeating: 1, count: 96).write(to: keyFile)
        defer { try? FileManager.default.removeItem(at: keyFile) }
        let mailer = Mailer(transport: sender, passwords: .keyFile(KeyFile(path: keyFile.path)))
        _ = try await mailer.send(MailJob(args: root))
        #expect(server.transcript.contains("AUTH PLAIN AHVzZXIAcGxhaW4gdGV4dA=="))
        let withheld = Mailer(transport: sender, passwords: .unavailable("no key file"))
        await #expect(throws: MailFailure.self) { try await withheld.send(MailJob(args: root)) }
        await sender.shutdown()
        #expect(server.messages.count == 1)
        await server.close()
    }

}
