/// What a server says: a code of three digits, and text.
package struct SMTPReply: Sendable, Hashable, CustomStringConvertible {
    package var code: Int
    /// The text of each line; not yet fit for a log.
    package var lines: [String]

    package init(code: Int, lines: [String]) {
        self.code = code
        self.lines = lines
    }

    /// Its text as one printable line of bounded length: what may be logged.
    package var text: String { Self.printable(lines.joined(separator: " ")) }

    /// `550 5.1.1 no such user`.
    package var description: String { text.isEmpty ? "\(code)" : "\(code) \(text)" }

    /// Whether it may be otherwise later.
    package var isTransient: Bool { (400...499).contains(code) }

    private static let longest = 500

    private static func printable(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard result.count < longest else {
                result.append("…")
                break
            }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                result.append("?")
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// The same without these secrets, should a server repeat them.
    func hiding(_ secrets: [String]) -> SMTPReply {
        var reply = self
        for secret in secrets where !secret.isEmpty {
            reply.lines = reply.lines.map { $0.split(separator: secret, omittingEmptySubsequences: false) }
                .map { $0.joined(separator: "***") }
        }
        return reply
    }
}

/// Cuts a stream of bytes into replies as `smtplib.SMTP.getreply` does: lines of at most 8192 bytes that end with LF, the code
/// of the last line counts.
struct ReplyReader {
    static let longestLine = 8192
    /// Python has no such limit; an endless reply would take all memory.
    static let longestReply = 64 * 1024

    private var line: [UInt8] = []
    private var lines: [String] = []
    private var size = 0

    /// Whether the server is in the middle of a reply.
    var isIdle: Bool { line.isEmpty && lines.isEmpty }

    /// Takes bytes up to the end of one reply.
    ///
    /// - Returns: the reply, when it is complete; the rest of `bytes` is left in it.
    mutating func read(_ bytes: inout ArraySlice<UInt8>) throws(SMTPError) -> SMTPReply? {
        while let end = bytes.firstIndex(of: 0x0A) {
            line += bytes[..<end]
            size += end - bytes.startIndex
            bytes = bytes[(end + 1)...]
            if let reply = try finishLine() { return reply }
        }
        line += bytes
        size += bytes.count
        bytes = []
        try check()
        return nil
    }

    private mutating func finishLine() throws(SMTPError) -> SMTPReply? {
        try check()
        defer { line.removeAll(keepingCapacity: true) }
        guard line.count >= 3, line[..<3].allSatisfy({ (48...57).contains($0) }), let code = Int(text(line[..<3]))
        else {
            throw invalid("the server's answer is not SMTP")
        }
        lines.append(text(line.dropFirst(4)))
        guard line.count < 4 || line[3] != UInt8(ascii: "-") else { return nil }
        defer {
            lines = []
            size = 0
        }
        return SMTPReply(code: code, lines: lines)
    }

    private func check() throws(SMTPError) {
        if line.count > Self.longestLine { throw invalid("the server's answer has a line that is too long") }
        if size > Self.longestReply { throw invalid("the server's answer does not end") }
    }

    private func invalid(_ reason: String) -> SMTPError { SMTPError(.invalidReply, at: .greeting, reason) }

    private func text(_ bytes: some Collection<UInt8>) -> String {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
        let rest = bytes.drop(while: isBlank)
        let length = rest.reversed().drop(while: isBlank).count
        return String(decoding: rest.prefix(length), as: UTF8.self)
    }
}
