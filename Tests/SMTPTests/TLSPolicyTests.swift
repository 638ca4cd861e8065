import Foundation
import MailTestSupport
import Testing
import Transport

@testable import SMTP

@Suite("What is demanded of a server's TLS")
struct TLSPolicyTests {
    /// A certificate with these entries and its key, in a directory of its own.
    private struct Certificate {
        let directory: String
        var authority: String { directory + "/cert.pem" }
        let pem: (chain: String, key: String)

        init(_ names: String) throws {
            directory = NSTemporaryDirectory() + "/smtp-test-\(UInt32.random(in: 0...UInt32.max))"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let openssl = Process()
            openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            openssl.arguments =
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
                .split(separator: " ").map(String.init) + [
                    "-addext", "subjectAltName=\(names)", "-keyout", directory + "/key.pem", "-out",
                    directory + "/cert.pem",
                ]
            openssl.standardError = FileHandle.nullDevice
            try openssl.run()
            openssl.waitUntilExit()
            pem = (
                try String(contentsOfFile: directory + "/cert.pem", encoding: .utf8),
                try String(contentsOfFile: directory + "/key.pem", encoding: .utf8)
            )
        }

        func remove() { try? FileManager.default.removeItem(atPath: directory) }
    }

    @Test(arguments: [
        ("IP:127.0.0.1", "127.0.0.1", true), ("IP:127.0.0.1", "localhost", false), ("DNS:localhost", "localhost", true),
        ("DNS:localhost", "127.0.0.1", false), ("DNS:other.example,IP:127.0.0.1", "localhost", false),
    ])
    func namesCountForNamesAndAddressesForAddresses(names: String, host: String, fits: Bool) async throws {
        let certificate = try Certificate(names)
        defer { certificate.remove() }
        for security in [SMTPServer.Security.implicitTLS, .startTLS] {
            let server = try await SMTPTestServer(
                features: ["STARTTLS"],
                implicitTLS: security == .implicitTLS,
                certificate: certificate.pem
            )
            var client = Client(server.port, security, host: host)
            client.server.verification = .full
            client.server.authorityFile = certificate.authority
            #expect(await client.failure()?.code == (fits ? nil : .untrustedCertificate), "\(security)")
            await server.close()
        }
    }

    @Test("a file of authorities is read when it comes, and again when it changes")
    func authoritiesComeAndChange() async throws {
        let (right, wrong) = (try Certificate("DNS:localhost"), try Certificate("DNS:localhost"))
        defer {
            right.remove()
            wrong.remove()
        }
        let server = try await SMTPTestServer(implicitTLS: true, certificate: right.pem)
        var client = Client(server.port, .implicitTLS, host: "localhost")
        client.server.verification = .full
        let path = right.directory + "/late.pem"
        client.server.authorityFile = path
        let missing = try #require(await client.failure())
        #expect(missing.code == .tlsFailed)
        #expect(missing.detail.contains("\(path) does not exist: no such file or directory (errno 2)"))
        for (certificate, expected) in [
            (wrong, SMTPError.Code.untrustedCertificate), (right, nil), (wrong, .untrustedCertificate),
        ] {
            let data = try Data(contentsOf: URL(fileURLWithPath: certificate.authority))
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
            #expect(await client.failure()?.code == expected)
        }
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: path))
        #expect(await client.failure()?.code == .tlsFailed)
        #expect(await TLSContexts.problem(authorityFile: path)?.contains("holds no certificates") == true)
        #expect(await TLSContexts.problem(authorityFile: right.authority) == nil)
        await server.close()
    }

    @Test(arguments: [SMTPServer.Security.implicitTLS, .startTLS])
    func nothingOlderThanTLS12IsSpoken(security: SMTPServer.Security) async throws {
        let server = try await SMTPTestServer(
            features: ["STARTTLS", "AUTH PLAIN"],
            implicitTLS: security == .implicitTLS,
            speaksOnlyOldTLS: true
        )
        let credentials = SMTPCredentials(username: "user", password: "password")
        let error = await Client(server.port, security, host: "localhost").failure(credentials)
        #expect(error?.code == .tlsFailed)
        #expect(error?.detail.contains("TLS 1.2 or later") == true)
        #expect(!server.transcript.contains { $0.hasPrefix("AUTH") })
        await server.close()
    }

    @Test(arguments: [
        ("mx.example.org", "MX.example.org", true), ("mx.example.org.", "mx.example.org", true),
        ("mx.example.org", "*.example.org", true), ("example.org", "*.example.org", false),
        ("a.b.example.org", "*.example.org", false), ("example.org", "*.org", false),
        ("mx.example.org", "m*.example.org", false), ("mx.example.org", "*", false), ("", "*.example.org", false),
        (".example.org", "*.example.org", false), ("mx.example.org", "mx.example.org\u{0}.evil.example", false),
    ])
    func patternsAreComparedAsOpenSSLDoes(host: String, pattern: String, fits: Bool) {
        #expect(TLSPolicy.matches(host, pattern: pattern) == fits)
    }
}
