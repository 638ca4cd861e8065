import Huey
import Pickle
import TestSupport
import Testing

@testable import EduMFAQueue

/// A small job must not become a large mail, and no number in it may stop the worker.
@Suite("Limits of a mail")
struct MailLimitTests {
    private static let config: PickleValue = ["server": "mail.example.com", "port": 25, "sender": "s@example.com"]

    private func failure(_ body: PickleValue, recipient: PickleValue = "a@example.org", subject: PickleValue = "S")
        throws -> String?
    {
        let root = try PickleValue.tuple([Self.config, recipient, subject, body]).view()
        do throws(MailFailure) {
            _ = try MailJob(args: root).message(at: .system)
            return nil
        } catch {
            #expect(error.kind == .permanent)
            return error.reason
        }
    }

    /// The same for a body that Python makes.
    private func failure(python source: String) async throws -> String? {
        let script = """
            import pickle, sys
            from email.header import Header
            from email.mime.multipart import MIMEMultipart
            from email.mime.text import MIMEText
            subject = 'S'
            \(source)
            config = {'server': 'mail.example.com', 'port': 25, 'sender': 's@example.com'}
            sys.stdout.buffer.write(pickle.dumps((config, 'a@example.org', subject, body), 4))
            """
        let python = ChildProcess(path: "/usr/bin/env", arguments: ["python3", "-c", script])
        let result = try await python.run(for: .seconds(60))
        #expect(result.ending == .exited(0))
        let root = try PickleDocument(result.output, limits: .unlimited).root
        do throws(MailFailure) {
            _ = try MailJob(args: root).message(at: .system)
            return nil
        } catch {
            #expect(error.kind == .permanent)
            return error.reason
        }
    }

    @Test func aTextCountsAsItIsSent() throws {
        #expect(try failure(.string(String(repeating: "x", count: 1 << 20))) == nil)
        let size = try failure(.string(String(repeating: "x", count: 26 << 20)))
        #expect(size?.contains("larger than 32 MiB") == true)
    }

    @Test func recipientsAndHeadersAreCounted() throws {
        let many = PickleValue.list((0..<1001).map { .string("a\($0)@example.org") })
        #expect(try failure("x", recipient: many)?.contains("more than 1000 recipients") == true)
        let long = PickleValue.string(String(repeating: "x", count: 1_000_001))
        #expect(try failure("x", recipient: long)?.contains("too long") == true)
        #expect(try failure("x", subject: long)?.contains("too long") == true)
        #expect(try failure("x", recipient: .list([long]))?.contains("too long") == true)
    }

    @Test func sharedPartsAreCountedEachTime() async throws {
        // Less than the limit as Python writes it, more as it is sent: each line ends with CRLF then.
        let shared = """
            part = MIMEText(('x' * 30 + '\\n') * 1_520)
            body = MIMEMultipart()
            for _ in range(700): body.attach(part)
            """
        #expect(try await failure(python: shared)?.contains("larger than 32 MiB") == true)
        let doubled = """
            part = MIMEText('x')
            for _ in range(12):
                whole = MIMEMultipart()
                whole.attach(part)
                whole.attach(part)
                part = whole
            body = part
            """
        #expect(try await failure(python: doubled)?.contains("more than 1000 parts") == true)
        let headers = "body = MIMEText('x')\nfor _ in range(1001): body['X'] = 'y'"
        #expect(try await failure(python: headers)?.contains("more than 1000 headers") == true)
        #expect(try await failure(python: "body = MIMEText('x')\nfor _ in range(900): body['X'] = 'y' * 9000") != nil)
    }

    @Test func theLengthOfAHeaderIsNobodysNumber() async throws {
        for number in ["2**63 - 1", "-2**63", "2**200"] {
            let source = "body = 'x'\nsubject = Header('S')\nsubject._headerlen = \(number)"
            _ = try await failure(python: source)
        }
    }

    @Test func whatTheLedgerHoldsIsNoTrap() {
        for number in [Int.min, -1, 0, 1, Int.max] {
            let attempts = MailAttempts(count: number, firstSeen: number)
            #expect((0...1_000_000).contains(attempts.count))
            #expect((0...253_402_300_799_999_999).contains(attempts.firstSeen))
        }
        #expect(Int.max.doubled == .max)
        #expect(21.doubled == 42)
    }

    @Test func aCraftedLedgerEntryStillEndsInAnAttempt() async throws {
        for number in [Int.min, Int.max] {
            let worker = MailTaskTests.Worker([.failure(MailFailure(.transient, "busy"))])
            try await worker.enqueue()
            try await worker.work()
            let data = try #require(try await worker.storage.scheduledItems(limit: nil).first)
            let id = try worker.huey.deserialize(data).id
            try await worker.ledger.remember(MailAttempts(count: number, firstSeen: number), of: id, seconds: 1)
            worker.time.advance(seconds: 10)
            try await worker.work()
        }
    }

    @Test func aFailureNamesAFewRecipientsOnly() {
        let refused = (0..<1000).map {
            RefusedRecipient(
                recipient: String(repeating: "x\n", count: 5000) + "\($0)",
                code: 550,
                reply: String(repeating: "y", count: 500)
            )
        }
        let failure = MailFailure(.permanent, "refused", refused: refused)
        #expect(failure.deadLetterDetail.utf8.count < 8000)
        #expect(failure.deadLetterDetail.contains("and 990 others"))
        #expect(!failure.deadLetterDetail.contains("\n"))
    }
}
