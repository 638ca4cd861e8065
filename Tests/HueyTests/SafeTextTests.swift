import Logging
import TestSupport
import Testing

@testable import Huey

@Suite("Text for a log or a terminal")
struct SafeTextTests {
    @Test("printable text stays as it is", arguments: ["", "a", #"C:\new\table "x" 'y' ~"#, "Grüße, 東京, Ωμέγα, ❤️, é"])
    func printable(text: String) {
        #expect(SafeText.escaped(text) == text)
        #expect(SafeText.escaped(text).unicodeScalars.elementsEqual(text.unicodeScalars))
    }

    @Test(
        "whatever else is written as Python's escape",
        arguments: [
            ("\n", #"\n"#), ("\r\n", #"\r\n"#), ("\t", #"\t"#), ("\0", #"\x00"#), ("\u{1B}[2J", #"\x1b[2J"#),
            ("\u{7F}", #"\x7f"#), ("\u{85}", #"\x85"#), ("\u{9B}31m", #"\x9b31m"#), ("\u{AD}", #"\xad"#),
            ("\u{61C}", #"\u061c"#), ("\u{180E}", #"\u180e"#),
            ("\u{200B}\u{200D}\u{200E}\u{200F}", #"\u200b\u200d\u200e\u200f"#),
            ("\u{2028}\u{2029}", #"\u2028\u2029"#), ("\u{202A}\u{202E}", #"\u202a\u202e"#),
            ("\u{2060}\u{2066}\u{2069}", #"\u2060\u2066\u2069"#), ("\u{FEFF}", #"\ufeff"#), ("\u{FFF9}", #"\ufff9"#),
            ("\u{E0001}\u{E0041}", #"\U000e0001\U000e0041"#), ("\u{E000}\u{F0000}", #"\ue000\U000f0000"#),
            ("\u{378}", #"\u0378"#),
            ("\u{3164}\u{115F}\u{34F}", #"\u3164\u115f\u034f"#),
            ("\u{E0100}", #"\U000e0100"#), ("a\nb\\n", #"a\nb\n"#),
        ]
    )
    func escapes(text: String, expected: String) {
        #expect(SafeText.escaped(text) == expected)
        #expect(SafeText.escaped(expected) == expected, "twice is once")
        #expect(SafeText.escapedLines(text) == (text.utf8.contains(0x0A) ? SafeText.escapedLines(text) : expected))
    }

    @Test("every control, format and separator character is escaped")
    func everyScalar() {
        for value in 0...0x10_FFFF as ClosedRange<UInt32> {
            guard let scalar = Unicode.Scalar(value) else { continue }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: #expect(!SafeText.isSafe(scalar), "\(value)")
            case .uppercaseLetter, .lowercaseLetter, .decimalNumber, .dashPunctuation:
                #expect(SafeText.isSafe(scalar), "\(value)")
            default: break
            }
        }
        for value in [0xFDD0, 0xFFFE, 0xFFFF, 0x10_FFFF] as [UInt32] {
            #expect(Unicode.Scalar(value).map(SafeText.isSafe) == false)
        }
    }

    @Test("a text is cut at its limit, which counts what is written")
    func limit() {
        #expect(SafeText.escaped("abcdef", limit: 6) == "abcdef")
        #expect(SafeText.escaped("abcdefg", limit: 6) == "abcdef… (1 bytes more)")
        #expect(SafeText.escaped("\n\n\n", limit: 5) == #"\n\n… (1 bytes more)"#)
        #expect(SafeText.escaped("äöü", limit: 5) == "äö… (2 bytes more)", "never within a character")
        #expect(SafeText.escaped("äöü", limit: 0) == "… (6 bytes more)")
        #expect(SafeText.escaped("x", limit: -1) == "… (1 bytes more)")
        #expect(SafeText.escaped(String(repeating: "\u{1B}", count: 1000), limit: 100).utf8.count < 130)
    }

    @Test("the lines of a text keep their ends, but no other line is made")
    func lines() {
        #expect(SafeText.escapedLines("a\u{1B}\nb\r\n\nc\u{2028}") == "a\\x1b\nb\\r\n\nc\\u2028")
        let report = "Error: no letter x\nFORGED\u{1B}\nUsage: huey\n  See"
        #expect(
            SafeText.escapedReport(report, message: "no letter x\nFORGED\u{1B}")
                == "Error: no letter x\\nFORGED\\x1b\nUsage: huey\n  See"
        )
        #expect(SafeText.escapedReport("help\n text", message: "") == "help\n text")
    }

    @Test("a log line is one line of bounded length, whatever is in it")
    func logLine() {
        let huge = String(repeating: HostileText.text, count: 100_000)
        var metadata: Logger.Metadata = ["worker": "\(huge)", "reason": "\(huge)"]
        for index in 0..<1000 { metadata["key\(index)\(HostileText.text)"] = ["nested": ["\(HostileText.text)"]] }
        let text = LogText("\(huge)", metadata)
        #expect(HostileText.isSafe(text.lines))
        #expect(text.wasEscaped)
        #expect(text.lines.utf8.count < SafeText.lineLimit + 200)
        #expect(text.line.contains(" more))"))
        #expect(HostileText.isSafe(text.worker ?? "\n"))
        #expect((text.worker ?? "").utf8.count < 200)
    }

    @Test("an ordinary log line stays as it is")
    func ordinary() {
        let text = LogText("Executing tasks.add: 1", ["b": "2", "a": #"C:\x"#, "worker": "Worker-1"])
        #expect(text.lines == #"Executing tasks.add: 1 (a=C:\x, b=2)"#)
        #expect(text.worker == "Worker-1")
        #expect(!text.wasEscaped)
        #expect(LogText("plain", [:]).lines == "plain")
    }

    @Test("only lines that are given as such become lines")
    func following() {
        let lines = LogLines(["+ tasks.one", "+ tasks.\(HostileText.text)"])
        let text = LogText("Commands:\n+ forged", ["lines": .stringConvertible(lines)])
        let written = text.lines.split(separator: "\n")
        #expect(written.prefix(2) == [#"Commands:\n+ forged"#, "+ tasks.one"])
        #expect(written.count == 3)
        #expect(written.allSatisfy { HostileText.isSafe(String($0)) })
        #expect(!LogText("a", ["lines": "b\nc"]).lines.contains("\n"))
    }
}
