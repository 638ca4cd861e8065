import Foundation
import Huey
import Pickle
import SMTP
import TestSupport
import Testing

@testable import EduMFAQueue

/// `Fixtures/privacyidea-smime.json`: what privacyIDEA 3.14 sends signed; `interop/edumfa/smime_capture.py` writes it.
private struct SMIMEFixture: Decodable {
    struct Keys: Decodable {
        var key: String
        var encryptedKey: String
        var traditionalKey: String
        var certificate: String
    }

    struct Case: Decodable {
        var subject: String
        var body: String
        var sender: String?
        var replyTo: String?
        var mimetype: String
        var sent: Base64Bytes
    }

    var microseconds: Int
    var keys: Keys
    var cases: [String: Case]
}

@Suite("S/MIME signatures are privacyIDEA's")
struct SMIMETests {
    private let fixture: SMIMEFixture
    private let directory: String

    init() throws {
        fixture = try Fixture.load("privacyidea-smime.json")
        directory = NSTemporaryDirectory() + "smime-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try write(fixture.keys.key, "key")
        try write(fixture.keys.encryptedKey, "encrypted")
        try write(fixture.keys.traditionalKey, "traditional")
        try write(fixture.keys.certificate, "certificate")
    }

    private func write(_ text: String, _ name: String) throws {
        try text.write(toFile: "\(directory)/\(name)", atomically: true, encoding: .utf8)
    }

    /// A transport that keeps what it gets.
    private final class Transport: MailTransport {
        let sent = Recorder<[UInt8]>()

        func send(_ message: MailMessage, via access: MailAccess) -> MailReceipt {
            sent.append(message.content)
            return MailReceipt(code: 250, reply: "ok")
        }
    }

    private func config(_ more: [(String, PickleValue)]) -> PickleValue {
        var pairs: [(key: PickleValue, value: PickleValue)] = [
            ("server", "mail.example.org"), ("port", 25), ("sender", "from@example.org"), ("smime", true),
            ("private_key", .string("\(directory)/key")), ("certificate", .string("\(directory)/certificate")),
        ]
        for (key, value) in more {
            pairs.removeAll { $0.key == .string(key) }
            pairs.append((.string(key), value))
        }
        return .dict(PickleDictionary(pairs))
    }

    private func send(
        _ config: PickleValue,
        _ test: SMIMEFixture.Case? = nil,
        passwords: MailPasswords = .unavailable("no key file", .transient)
    ) async throws -> (sent: [[UInt8]], receipt: MailReceipt) {
        let text = { (text: String?) in text.map { PickleValue.string($0) } ?? .none }
        let args: PickleValue = .tuple([
            config, .list(["a@example.org"]), .string(test?.subject ?? "S"), .string(test?.body ?? "B"),
            text(test?.sender), text(test?.replyTo), .string(test?.mimetype ?? "plain"),
        ])
        let transport = Transport()
        var options = MailOptions()
        options.headers = Product.privacyIDEA.mailHeaders
        let microseconds = fixture.microseconds
        let mailer = Mailer(
            transport: transport,
            passwords: passwords,
            options: options,
            time: TimeSource { microseconds }
        )
        let receipt = try await mailer.send(MailJob(args: args.view()))
        return (transport.sent.all, receipt)
    }

    private func withoutBoundary(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self).replacing(#/={15}\d{19}==/#, with: "BOUNDARY")
    }

    @Test func bytesAreThoseOfPython() async throws {
        #expect(fixture.cases.count == 3)
        for (name, test) in fixture.cases {
            for key in ["key", "encrypted", "traditional"] {
                let settings = config([
                    ("private_key", .string("\(directory)/\(key)")), ("private_key_password", "secret"),
                ])
                // The password in the job is not encrypted, so that any key file will do.
                let keyFile = KeyFile(path: directory + "/enckey")
                try Data(repeating: 1, count: 96).write(to: URL(fileURLWithPath: directory + "/enckey"))
                let (sent, receipt) = try await send(settings, test, passwords: .keyFile(keyFile))
                #expect(receipt.remark == nil)
                #expect(sent.map(withoutBoundary) == [withoutBoundary(test.sent.bytes)], "\(name) \(key)")
            }
        }
    }

    @Test func withoutTheSettingNothingIsSigned() async throws {
        let (sent, _) = try await send(config([("smime", false)]))
        #expect(sent.count == 1 && !withoutBoundary(sent[0]).contains("multipart/signed"))
    }

    @Test func whatCannotBeSignedGoesUnsignedWithARemark() async throws {
        for (key, value) in [
            ("private_key", "/no/such/key"), ("certificate", directory), ("private_key", "\(directory)/certificate"),
            ("private_key", "\(directory)/encrypted"), ("private_key", ""),
        ] {
            let (sent, receipt) = try await send(config([(key, .string(value))]))
            #expect(sent.count == 1 && !withoutBoundary(sent[0]).contains("multipart/signed"))
            #expect(receipt.remark?.contains("unsigned: no S/MIME signature can be made") == true, "\(key) \(value)")
        }
    }

    @Test func dontSendOnErrorSendsNothing() async throws {
        for (key, value, kind) in [
            ("private_key", "/no/such/key", MailFailure.Kind.transient), ("certificate", directory, .transient),
            ("private_key", "\(directory)/certificate", .permanent), ("certificate", "\(directory)/key", .permanent),
            ("private_key", "\(directory)/encrypted", .permanent), ("private_key", "", .permanent),
        ] {
            let failure = await #expect(throws: MailFailure.self) {
                try await send(config([(key, .string(value)), ("dont_send_on_error", true)]))
            }
            #expect(failure?.kind == kind, "\(key) \(value): \(failure?.reason ?? "")")
        }
    }

    @Test func aKeyOfAnotherCertificateSignsNothing() async throws {
        let (sent, receipt) = try await send(config([("private_key", .string(try otherKey()))]))
        #expect(sent.count == 1)
        #expect(receipt.remark?.contains("is not that of the key") == true)
    }

    private func openssl(_ arguments: String...) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private func otherKey() throws -> String {
        let path = directory + "/other"
        #expect(try openssl("genrsa", "-out", path, "2048") == 0)
        return path
    }

    @Test(arguments: ["prime256v1", "secp384r1", "secp521r1"])
    func signaturesByEllipticCurvesVerify(curve: String) async throws {
        let (key, certificate, mail) = (
            directory + "/ec-\(curve)", directory + "/crt-\(curve)", directory + "/eml-\(curve)"
        )
        let made = try openssl(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:\(curve)",
            "-nodes",
            "-keyout",
            key,
            "-out",
            certificate,
            "-days",
            "2",
            "-subj",
            "/CN=from@example.org"
        )
        #expect(made == 0)
        let settings = config([
            ("private_key", .string(key)), ("certificate", .string(certificate)), ("dont_send_on_error", true),
        ])
        let (sent, _) = try await send(settings)
        try Data(sent[0]).write(to: URL(fileURLWithPath: mail))
        #expect(try openssl("smime", "-verify", "-in", mail, "-CAfile", certificate, "-purpose", "any") == 0)
        // Of another text it is no signature.
        let forged = String(decoding: sent[0], as: UTF8.self).replacing("Subject: S", with: "Subject: F")
        try Data(forged.utf8).write(to: URL(fileURLWithPath: mail))
        #expect(try openssl("smime", "-verify", "-in", mail, "-CAfile", certificate, "-purpose", "any") != 0)
    }
}
