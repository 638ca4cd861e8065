/// Makes messages of eduMFA's mail job with hostile arguments.
enum MailMaker {
    static func message(_ random: FuzzRandom, id: String) -> [UInt8] {
        var values = ValueMaker(random)
        values.out.global("huey.registry", "Message")
        values.out.mark()
        values.out.text(id)
        values.out.text("fuzz.mail")
        // A mail with a time has failed before: the ledger is asked for it.
        if values.random.oneIn(2) { values.moment() } else { values.out.none() }
        for _ in 0..<3 { values.out.none() }
        arguments(&values)
        values.out.opcode(0x7D)
        for _ in 0..<4 { values.out.none() }
        values.out.tuple()
        values.out.newObject()
        values.out.stop()
        return values.out.bytes
    }

    private static func arguments(_ values: inout ValueMaker) {
        values.out.mark()
        configuration(&values)
        hostile(&values, 8) { $0.out.text("to@example.org") }
        hostile(&values, 4) { text(&$0, "Subject") }
        hostile(&values, 3) { body(&$0) }
        hostile(&values, 8) { $0.out.text("from@example.org") }
        hostile(&values, 4) { text(&$0, "Reply <r@example.org>") }
        hostile(&values, 8) { $0.out.text("plain") }
        values.out.tuple()
    }

    private static func hostile(_ values: inout ValueMaker, _ rate: Int, _ regular: (inout ValueMaker) -> Void) {
        if values.random.oneIn(rate) { values.value() } else { regular(&values) }
    }

    private static func configuration(_ values: inout ValueMaker) {
        values.out.beginDict()
        for (key, regular) in [
            ("server", "mail.example.org"), ("username", ""), ("password", ""), ("sender", "from@example.org"),
        ] {
            values.out.text(key)
            hostile(&values, 10) { $0.out.text(regular) }
        }
        for key in ["port", "timeout"] {
            values.out.text(key)
            hostile(&values, 6) { $0.out.int($0.random.pick([25, 0, 65_535, 65_536, -1, .max])) }
        }
        values.out.endDict()
    }

    private static func text(_ values: inout ValueMaker, _ regular: String) {
        let filler = values.random.pick([
            "a", " ", "é", "\"", "(", ";x*0*=y", "<", ",", "=?utf-8?q?x?=", "\r\n", "\\", "@", ":;", "\u{202E}",
        ])
        let count = values.random.pick([0, 1, 70, 1000, values.random.oneIn(20) ? 100_000 : 5000])
        values.out.text(regular + String(repeating: filler, count: count))
    }

    /// A body, or a part with headers that somebody made.
    private static func body(_ values: inout ValueMaker) {
        guard values.random.oneIn(2) else { return text(&values, "Body\n") }
        values.out.global("email.mime.text", "MIMEText")
        values.out.emptyTuple()
        values.out.newObject()
        values.out.beginDict()
        values.out.text("_headers")
        values.out.beginList()
        for name in ["Content-Type", "MIME-Version", "Content-Transfer-Encoding", "Content-Disposition", "X-Other"] {
            values.out.mark()
            values.out.text(name)
            let value = ["text/plain; charset=\"utf-8\"", "multipart/mixed", "1.0", "base64", "attachment"]
            text(&values, values.random.pick(value))
            values.out.tuple()
        }
        values.out.endList()
        values.out.text("_payload")
        if values.random.oneIn(3) { values.value() } else { text(&values, "x") }
        for key in ["_charset", "_unixfrom", "preamble", "epilogue", "_default_type"] {
            values.out.text(key)
            hostile(&values, 10) { key == "_default_type" ? $0.out.text("text/plain") : $0.out.none() }
        }
        values.out.endDict()
        values.out.build()
    }
}
