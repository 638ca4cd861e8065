import NIOCore
import TestSupport
import Testing

@testable import SMTP

@Suite("The parts of a dialogue")
struct PartsTests {
    private func read(_ parts: [String]) throws -> [SMTPReply] {
        var reader = ReplyReader()
        var replies: [SMTPReply] = []
        for part in parts {
            var bytes = Array(part.utf8)[...]
            while !bytes.isEmpty { if let reply = try reader.read(&bytes) { replies.append(reply) } }
        }
        return replies
    }

    @Test func aReplyIsReadHoweverItArrives() throws {
        let text = "250-first\r\n250-\r\n250 last one \r\n"
        let expected = [SMTPReply(code: 250, lines: ["first", "", "last one"])]
        #expect(try read([text]) == expected)
        #expect(try read(text.map(String.init)) == expected)
        #expect(try read(text.utf8.map { String(decoding: [$0], as: UTF8.self) }) == expected)
    }

    @Test func severalRepliesInOneReadAreSeveral() throws {
        #expect(try read(["220 a\r\n250 b\n354\r\n"]).map(\.code) == [220, 250, 354])
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\n", "\r\n", "25\r\n", "-25 x\r\n", "٢٥٠ x\r\n", "+22 x\r\n"])
    func nonsenseIsNoReply(text: String) { #expect(throws: SMTPError.self) { try read([text]) } }

    @Test func endlessLinesAndEndlessRepliesEnd() {
        #expect(throws: SMTPError.self) { try read([String(repeating: "x", count: 9000)]) }
        #expect(throws: SMTPError.self) { try read(Array(repeating: "250-and more\r\n", count: 10_000)) }
    }

    @Test func aReplyIsFitForALog() {
        let reply = SMTPReply(code: 550, lines: ["a\u{1B}[31m\nb", String(repeating: "y", count: 1000)])
        #expect(reply.text.hasPrefix("a?[31m?b yyy"))
        #expect(reply.text.count < 520)
    }

    @Test func aSecretThatTheServerRepeatsIsHidden() {
        let reply = SMTPReply(code: 535, lines: ["bad password hunter2, yes hunter2"])
        #expect(reply.hiding(["hunter2", ""]).text == "bad password ***, yes ***")
    }

    @Test func credentialsPrintWithoutThePassword() {
        let credentials = SMTPCredentials(username: "user", password: "hunter2")
        var dumped = ""
        dump(credentials, to: &dumped)
        for text in ["\(credentials)", String(reflecting: credentials), String(describing: [credentials]), dumped] {
            #expect(!text.contains("hunter2"))
        }
    }

    @Test(arguments: [
        ("", ""), ("a", "a"), ("a\n", "a\r\n"), ("a\rb\nc\r\nd", "a\r\nb\r\nc\r\nd"),
        ("\r\r\n\n\r", "\r\n\r\n\r\n\r\n"),
    ])
    func lineEndingsAreNormalised(text: String, expected: String) {
        #expect(LineEndings.normalised(Array(text.utf8)) == Array(expected.utf8))
    }

    @Test(arguments: [
        ("", "\r\n.\r\n"), ("a\r\n", "a\r\n.\r\n"), ("a", "a\r\n.\r\n"), (".", "..\r\n.\r\n"),
        ("..\r\n.a\r\nb.\r\n", "...\r\n..a\r\nb.\r\n.\r\n"), ("\r\n.\r\n", "\r\n..\r\n.\r\n"),
    ])
    func dotsAreStuffed(text: String, expected: String) {
        for size in [1, 2, 3, 1000] {
            var pieces = ContentPieces(Array(text.utf8), pieceSize: size)
            var sent: [UInt8] = []
            var ends = 0
            while let (piece, isLast) = pieces.next(ByteBufferAllocator()) {
                sent += piece.readableBytesView
                ends += isLast ? 1 : 0
            }
            #expect(String(decoding: sent, as: UTF8.self) == expected, "in pieces of \(size)")
            #expect(ends == 1)
        }
    }

    @Test func base64IsThatOfTheRFC() {
        let vectors = [
            "": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=",
            "foobar": "Zm9vYmFy",
        ]
        for (plain, encoded) in vectors {
            #expect(Base64.encode(Array(plain.utf8)) == Array(encoded.utf8))
            #expect(Base64.decode(encoded) == Array(plain.utf8))
        }
    }

    @Test func featuresAreReadAsPythonReadsThem() {
        let lines = ["hello", "SIZE 35882577", "auth=LOGIN", "AUTH PLAIN CRAM-MD5", "8BITMIME", "-odd", "STARTTLS"]
        let features = SMTPConnection.features(SMTPReply(code: 250, lines: lines))
        #expect(features == ["size": "35882577", "auth": " LOGIN PLAIN CRAM-MD5", "8bitmime": "", "starttls": ""])
    }

    private struct Addresses: Decodable {
        struct Entry: Decodable {
            var text: String
            var address: String
        }
        var addresses: [Entry]
    }

    @Test func addressesAreWhatPythonMakesOfThem() throws {
        for entry in try Fixture.load("edumfa-mail.json", as: Addresses.self).addresses {
            #expect(AddressParser.address(in: entry.text) == entry.address, "in \(entry.text.debugDescription)")
        }
    }

    @Test func manyNestedParenthesesEnd() {
        let text = String(repeating: "(", count: 100_000) + String(repeating: ")", count: 100_000) + "a@b"
        #expect(AddressParser.address(in: text).isEmpty)
    }

    @Test func whoIsCancelledHearsOfThatWhateverEndsFirst() async {
        let abandoned = Recorder<Void>()
        let task = Task {
            try await bounded(by: .seconds(3600), on: LateClock(), abandon: { abandoned.append(()) }) {
                await abandoned.wait(for: 1)
                throw SMTPError(.closed, at: .connect, "abandoned")
            }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

}

/// A clock whose sleepers wake a while after they are cancelled.
private struct LateClock: Clock {
    var now: ContinuousClock.Instant { .now }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try? await Task.sleep(until: deadline, clock: .continuous)
        // Not cut short: a task of its own.
        await Task { try? await Task.sleep(for: .milliseconds(50)) }.value
        try Task.checkCancellation()
    }
}
