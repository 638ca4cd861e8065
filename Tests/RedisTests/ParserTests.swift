import Testing

@testable import Redis

@Suite struct ParserTests {
    private func feed(_ text: String, to parser: ReplyParser) {
        Array(text.utf8).withUnsafeBytes { parser.feed($0) }
    }

    private func parse(_ text: String, count: Int = 1, limits: ReplyLimits = ReplyLimits()) -> ReplyParser.Outcome {
        let parser = ReplyParser(limits: limits)
        feed(text, to: parser)
        return parser.next(count: count)
    }

    private func shape(_ reply: RedisReply) -> String {
        if reply.isNull { return "nil" }
        if let error = reply.error { return "error(\(error.message))" }
        if let integer = reply.integer { return "\(integer)" }
        if let elements = reply.elements { return "[" + elements.map(shape).joined(separator: ",") + "]" }
        return "'\(reply.string ?? "?")'"
    }

    private static let sample =
        "+OK\r\n:-9223372036854775808\r\n$-1\r\n*-1\r\n$0\r\n\r\n$12\r\nab\r\ncd\r\n$5\r\n\r\n-ERR no\r\n"
        + "*0\r\n*3\r\n:1\r\n*2\r\n$1\r\nx\r\n*1\r\n*0\r\n$-1\r\n$3\r\n\u{e9}!\r\n"
    private static let meaning = [
        "'OK'", "-9223372036854775808", "nil", "nil", "''", "'ab\r\ncd\r\n$5\r\n'", "error(ERR no)", "[]",
        "[1,['x',[[]]],nil]", "'\u{e9}!'",
    ]

    @Test func `replies are the same however their bytes are split`() throws {
        let bytes = Array(Self.sample.utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let parser = ReplyParser()
                var outcome = ReplyParser.Outcome.incomplete
                for part in [bytes[..<first], bytes[first..<second], bytes[second...]] {
                    part.withUnsafeBytes { parser.feed($0) }
                    if case .incomplete = outcome { outcome = parser.next(count: Self.meaning.count) }
                }
                guard case .complete(let replies) = outcome else {
                    Issue.record("split at \(first) and \(second): \(outcome)")
                    return
                }
                #expect(replies.map(shape) == Self.meaning)
                #expect(parser.isIdle)
            }
        }
    }

    @Test func `each batch has replies of its own`() throws {
        let parser = ReplyParser()
        feed(":1\r\n:2\r\n:3\r\n*1\r\n:4\r\n", to: parser)
        guard case .complete(let first) = parser.next(count: 2), case .complete(let second) = parser.next(count: 2)
        else {
            Issue.record("not complete")
            return
        }
        #expect(first.map(shape) == ["1", "2"])
        #expect(second.map(shape) == ["3", "[4]"])
        guard case .incomplete = parser.next(count: 1) else {
            Issue.record("a reply out of nothing")
            return
        }
    }

    @Test(arguments: [
        "hello\r\n", "*1000000000\r\n", "*2147483648\r\n", "*-2\r\n", "*x\r\n", "$x\r\n", "$-2\r\n", ":x\r\n", ":\r\n",
        "$99999999999999999999\r\n", "*99999999999999999999\r\n", "*2\r\n*16777216\r\n", "\u{0}", "_\r\n", "#t\r\n",
        ",1.5\r\n", "%1\r\n:1\r\n:2\r\n", ">1\r\n:1\r\n", "~0\r\n", "(1\r\n", "=5\r\ntxt:x\r\n",
        String(repeating: "*1\r\n", count: 8) + ":1\r\n", String(repeating: "*1\r\n", count: 100_000),
    ])
    func `what no RESP2 server sends is refused`(text: String) throws {
        guard case .failed(let error) = parse(text) else {
            Issue.record("not refused")
            return
        }
        #expect(error.code == .protocolError)
    }

    @Test func `an announced length costs nothing until its bytes are there`() throws {
        guard case .incomplete = parse("$1000000000\r\nabc") else {
            Issue.record("not incomplete")
            return
        }
        guard case .incomplete = parse("$9223372036854775807\r\nabc") else {
            Issue.record("not incomplete")
            return
        }
        let small = ReplyLimits(elements: 10, bytes: 100)
        for text in ["$200\r\n" + String(repeating: "x", count: 150), "*3\r\n*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n*4\r\n"] {
            guard case .failed(let error) = parse(text, limits: small) else {
                Issue.record("not refused")
                return
            }
            #expect(error.code == .protocolError)
        }
    }

    @Test func `random bytes end in an error or a wait, never in a crash`() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("+-:$*0123456789\r\n\r\n\r\nabc,#_%>~(=".utf8)
        for _ in 0..<20_000 {
            let parser = ReplyParser(limits: ReplyLimits(elements: 1000, bytes: 10_000))
            let bytes = (0..<Int.random(in: 1...60)).map { _ in
                alphabet[Int(generator.next() % UInt64(alphabet.count))]
            }
            bytes.withUnsafeBytes { parser.feed($0) }
            if case .complete(let replies) = parser.next(count: 2) { _ = replies.map(shape) }
        }
    }

    @Test func `replies outlive the parser and their batch`() throws {
        var kept: RedisReply?
        do {
            guard case .complete(let replies) = parse("*1\r\n$5\r\nhello\r\n") else { return }
            kept = replies[0].elements?.first
        }
        #expect(kept?.string == "hello")
        #expect(kept?.withBytes { $0.count } == 5)
    }
}
