import Foundation
import Huey
import Pickle
import SMTP
import TestSupport
import Testing

@testable import EduMFAQueue

/// `Fixtures/edumfa-mail.json`: what eduMFA's own job put on the wire; `interop/edumfa/mail capture` writes it.
struct MailFixture: Decodable, Sendable {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        var name: String
        var arguments: Base64Bytes
        var from: String?
        var to: [String]?
        var content: Base64Bytes?
        var error: String?
        var expect: String?

        var testDescription: String { name }

        func job() throws -> MailJob {
            let root = try PickleDocument(arguments.bytes).root
            return try MailJob(args: #require(root[0]), kwargs: root[1])
        }
    }

    struct Passwords: Decodable, Sendable {
        struct Value: Decodable, Sendable {
            var stored: String
            var password: String
        }
        var keys: HexBytes
        var values: [Value]
    }

    struct Server: Decodable, Sendable {
        var text: String
        var scheme: String?
        var host: String?
        var port: Int?
        var error: String?
    }

    var microseconds: Int
    var random: String
    var cases: [Case]
    var passwords: Passwords
    var servers: [Server]

    static func load() throws -> MailFixture { try Fixture.load("edumfa-mail.json") }

    static var cases: [Case] { (try? load().cases) ?? [] }
}

extension PickleValue {
    /// As it looks to whoever reads its pickle.
    func view() throws -> PickleView {
        var writer = PickleWriter()
        try encode(to: &writer)
        return try PickleDocument(writer.finish()).root
    }
}

@Suite("Mail is what eduMFA's own job sends")
struct RenderingTests {
    private let fixture: MailFixture

    init() throws { fixture = try .load() }

    private func message(_ test: MailFixture.Case) throws -> MailMessage {
        let number = try #require(UInt64(fixture.random))
        let microseconds = fixture.microseconds
        return try test.job().message(at: TimeSource { microseconds }, randomNumber: { number })
    }

    @Test(arguments: MailFixture.cases)
    func envelopeAndBytesAreThoseOfPython(test: MailFixture.Case) throws {
        // Python fails later than here with these.
        if test.expect == "any" {
            #expect(throws: Never.self) { _ = try self.message(test) }
            return
        }
        guard let content = test.content, let from = test.from, let to = test.to, test.expect == nil else {
            let failure = #expect(throws: MailFailure.self) { try self.message(test) }
            #expect(failure?.kind == .permanent)
            return
        }
        let message = try self.message(test)
        #expect("<\(message.sender)>" == from.prefix { $0 != " " })
        #expect(message.recipients.map { "<\($0.address)>" } == to)
        #expect(message.unusable.isEmpty)
        // DATA ends what has no line ending with one, as smtplib does.
        let wire = message.content + (message.content.suffix(2) == [0x0D, 0x0A] ? [] : [0x0D, 0x0A])
        #expect(String(decoding: wire, as: UTF8.self) == String(decoding: content.bytes, as: UTF8.self))
        // smtplib's SIZE counts the same bytes.
        #expect(from.hasSuffix("size=\(message.content.count)"))
    }

    @Test func thereAreMoreThanAHundredCasesOfBothKinds() {
        #expect(fixture.cases.count { $0.content != nil && $0.expect == nil } > 100)
        #expect(fixture.cases.count { $0.error != nil || $0.expect != nil } > 50)
    }

    @Test func aMissingBoundaryIsRandom() throws {
        let test = try #require(fixture.cases.first { $0.name == "object: related without a boundary" })
        let first = try test.job().message(at: .system).content
        #expect(try first != test.job().message(at: .system).content)
    }

    @Test func aBadRecipientDoesNotHinderOthers() throws {
        let config: PickleValue = ["server": "mail.example.com", "port": 25, "sender": "s@example.com"]
        let args: PickleValue = .tuple([config, ["a@example.org", "", "nobody", "b@example.org"], "S", "T"])
        let root = try args.view()
        let message = try MailJob(args: root).message(at: .system)
        #expect(message.recipients.map(\.address) == ["a@example.org", "b@example.org"])
        #expect(message.unusable.map(\.recipient) == ["", "nobody"])
        #expect(message.unusable.allSatisfy { !$0.isTransient })
    }

    @Test func serversAreTakenApartAsPythonDoes() throws {
        for server in fixture.servers {
            let address = try? MailServerAddress(server.text)
            guard server.error == nil, let host = server.host else {
                #expect(address == nil, "\(server.text)")
                continue
            }
            #expect(address?.host == host, "\(server.text)")
            #expect(address?.scheme == server.scheme, "\(server.text)")
            // Port 0 is none to eduMFA.
            #expect(address?.port == (server.port == 0 ? nil : server.port), "\(server.text)")
        }
    }

    @Test func aSummaryShowsRecipientAndSubjectOnly() throws {
        let test = try #require(fixture.cases.first { $0.name == "recipients: two" })
        let root = try PickleDocument(test.arguments.bytes).root
        let summary = try MailJob.summary(args: #require(root[0]), kwargs: root[1])
        #expect(summary.recipients == ["a@example.org", "b@example.org"])
        #expect(summary.subject == "Subject")
    }
}
