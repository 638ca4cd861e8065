import Foundation
import MailTestSupport
import TestSupport
import Testing

@testable import SMTP

@Suite("Login and TLS")
struct LoginTests {
    private let credentials = SMTPCredentials(username: "user", password: "hunter2")
    /// `\0user\0hunter2`, `user` and `hunter2` in base64.
    private let plain = "AHVzZXIAaHVudGVyMg==", name = "dXNlcg==", password = "aHVudGVyMg=="

    private func commands(_ server: SMTPTestServer) -> [String] {
        server.transcript.filter {
            !["EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"].contains(String($0.prefix { $0 != " " && $0 != ":" }))
        }
    }

    @Test func theWaysToLogInAreTriedInPythonsOrder() async throws {
        let server = try await SMTPTestServer(features: ["AUTH LOGIN PLAIN CRAM-MD5 XOAUTH2"]) { event in
            guard case .command(let line) = event else { return nil }
            if line == "AUTH CRAM-MD5" { return .say("334 PDEyMzQ1QGV4YW1wbGU+") }
            if line.hasPrefix("AUTH LOGIN") { return .say("334 UGFzc3dvcmQ6") }
            if line == password { return .say("235 welcome") }
            return line.hasPrefix("AUTH") || event.verb.count > 20 ? .say("535 no") : nil
        }
        #expect(await Client(server.port).failure(credentials) == nil)
        // hmac.HMAC(b'hunter2', b'<12345@example>', 'md5').hexdigest()
        let digest = "dXNlciA0OWI5OWY3MjNjM2ZkZWQ2N2JkYWU3ZWQyNTI5Yzg1OQ=="
        let expected = ["AUTH CRAM-MD5", digest, "AUTH PLAIN \(plain)", "AUTH LOGIN \(name)", password]
        #expect(commands(server) == expected)
        await server.close()
    }

    @Test func aServerThatAsksForTheNameGetsIt() async throws {
        let server = try await SMTPTestServer(features: ["AUTH=LOGIN"]) { event in
            guard case .command(let line) = event else { return nil }
            if line.hasPrefix("AUTH") { return .say("334 VXNlcm5hbWU6") }
            if line == name { return .say("334 UGFzc3dvcmQ6") }
            return line == password ? .say("235 welcome") : nil
        }
        #expect(await Client(server.port).failure(credentials) == nil)
        #expect(commands(server) == ["AUTH LOGIN \(name)", name, password])
        await server.close()
    }

    @Test func aRefusedLoginSendsNothingAndTellsNoSecret() async throws {
        let server = try await SMTPTestServer(features: ["AUTH PLAIN"]) { event in
            event.verb == "AUTH" ? .say("535 not \(plain), nor hunter2") : nil
        }
        let error = try #require(await Client(server.port).failure(credentials))
        #expect(error.code == .refused)
        #expect(error.step == .authentication)
        #expect("\(error)".contains("535 not ***, nor ***"))
        #expect(server.transcript.last == "QUIT")
        await server.close()
    }

    @Test func aServerThatRepeatsThePasswordLaterIsNotQuoted() async throws {
        let server = try await SMTPTestServer(features: ["AUTH PLAIN"]) { event in
            switch event.verb {
            case "AUTH": .say("235 welcome")
            case "RCPT": .say("550 I know hunter2 and \(password)")
            default: nil
            }
        }
        let error = try #require(await Client(server.port).failure(credentials))
        #expect("\(error)".contains("550 I know *** and ***"))
        #expect(!"\(error)".contains("hunter2"))
        await server.close()
    }

    @Test(arguments: [["SIZE"], ["AUTH GSSAPI NTLM"]])
    func withoutALoginThatIsKnownNothingIsSent(features: [String]) async throws {
        let server = try await SMTPTestServer(features: features)
        #expect(await Client(server.port).failure(credentials)?.code == .noAuthentication)
        #expect(!server.transcript.contains { $0.hasPrefix("MAIL") })
        await server.close()
    }

    @Test func challengesEnd() async throws {
        let server = try await SMTPTestServer(features: ["AUTH PLAIN"]) { event in
            event.verb == "AUTH" || event.verb == plain.uppercased() ? .say("334 ") : nil
        }
        #expect(await Client(server.port).failure(credentials)?.code == .invalidReply)
        await server.close()
    }

    @Test func startTLSComesBeforeTheLogin() async throws {
        let server = try await SMTPTestServer(features: ["STARTTLS", "AUTH PLAIN"])
        #expect(await Client(server.port, .startTLS).failure(credentials) == nil)
        let expected = ["EHLO client.test", "STARTTLS", "EHLO client.test", "AUTH PLAIN \(plain)"]
        #expect(Array(server.transcript.prefix(4)) == expected)
        #expect(server.messages.count == 1)
        await server.close()
    }

    @Test func withoutSTARTTLSNothingIsSent() async throws {
        let server = try await SMTPTestServer(features: ["AUTH PLAIN"])
        #expect(await Client(server.port, .startTLS).failure(credentials)?.code == .noStartTLS)
        #expect(!server.transcript.contains { $0.hasPrefix("MAIL") || $0.hasPrefix("AUTH") })
        await server.close()
    }

    @Test func aRefusedSTARTTLSIsNoReasonToGoOn() async throws {
        let server = try await SMTPTestServer(features: ["STARTTLS"]) {
            $0.verb == "STARTTLS" ? .say("454 not now") : nil
        }
        let error = await Client(server.port, .startTLS).failure()
        #expect(error?.reply?.code == 454)
        #expect(!server.transcript.contains { $0.hasPrefix("MAIL") })
        await server.close()
    }

    @Test func whatIsSaidInTheClearAfterSTARTTLSCountsNotForTLS() async throws {
        let server = try await SMTPTestServer(features: ["STARTTLS"]) { event in
            event.verb == "STARTTLS" ? .beginTLS("220 go on\r\n250 injected") : nil
        }
        #expect(await Client(server.port, .startTLS).failure()?.code == .invalidReply)
        #expect(server.messages.isEmpty)
        await server.close()
    }

    @Test func smtpsSpeaksTLSFromTheStart() async throws {
        let server = try await SMTPTestServer(implicitTLS: true)
        #expect(await Client(server.port, .implicitTLS).failure() == nil)
        #expect(server.messages.count == 1)
        await server.close()
    }

    @Test(arguments: [SMTPServer.Security.startTLS, .implicitTLS])
    func anUntrustedCertificateGetsNothing(security: SMTPServer.Security) async throws {
        let server = try await SMTPTestServer(features: ["STARTTLS"], implicitTLS: security == .implicitTLS)
        var client = Client(server.port, security, host: "localhost")
        client.server.verification = .full
        let error = try #require(await client.failure(credentials))
        #expect(error.code == .untrustedCertificate)
        #expect(!server.transcript.contains { $0.hasPrefix("MAIL") || $0.hasPrefix("AUTH") })
        await server.close()
    }

    @Test func anAuthorityOfOnesOwnIsTrustedForItsHostOnly() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).pem")
        try Data(TestCertificate.pem.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let server = try await SMTPTestServer(features: ["STARTTLS"])
        var client = Client(server.port, .startTLS, host: "localhost")
        client.server.verification = .full
        client.server.authorityFile = file.path
        #expect(await client.failure() == nil)
        client.server.host = "127.0.0.1"
        #expect(await client.failure()?.code == .untrustedCertificate)
        #expect(server.messages.count == 1)
        await server.close()
    }

    @Test func aServerWithoutTLSBehindSmtpsIsAFailure() async throws {
        let server = try await SMTPTestServer()
        let error = try #require(await Client(server.port, .implicitTLS).failure())
        #expect(error.code == .tlsFailed || error.code == .closed)
        await server.close()
    }

    @Test func theLocalNameCanBeSaid() async {
        let name = await LocalName.find()
        #expect(name.contains("."))
        #expect(name.utf8.allSatisfy { (33...126).contains($0) })
    }
}
