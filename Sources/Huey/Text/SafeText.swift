/// Text from outside, made fit for a log or a terminal.
///
/// A name, an id, an error or a reply may hold line ends, a terminal's escape sequences, and characters that hide or reorder
/// others. Both log handlers and both command-line tools write everything through this type, so that no call site has to
/// remember it.
///
/// What is not safe to show becomes Python's escape for it: `\n`, `\x1b`, `\u202e`, `\U000e0001`. A backslash stays as it is, so
/// that ordinary lines read as huey's do and escaping twice changes nothing. The result is for reading: it cannot be turned back
/// into the original, because `\n` may also have been a backslash and an `n`.
package enum SafeText {
    /// The most bytes of one line of a log.
    package static let lineLimit = 16 * 1024

    /// Escapes text for one line. Printable ASCII costs one scan and no allocation.
    ///
    /// - Parameters:
    ///   - text: anything.
    ///   - limit: the most bytes of the escaped text. What is beyond is not looked at.
    /// - Returns: the text on one line, with `… (N bytes more)` at its end if it was cut; `N` counts bytes of `text`.
    package static func escaped(_ text: String, limit: Int = .max) -> String {
        if text.utf8.count <= limit, isPrintableASCII(text) { return text }
        var result: [UInt8] = []
        result.reserveCapacity(min(text.utf8.count, limit) + 32)
        var done = 0
        for scalar in text.unicodeScalars {
            let size = result.count
            if isSafe(scalar) {
                result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            } else {
                appendEscape(of: scalar, to: &result)
            }
            if result.count > limit {
                result.removeLast(result.count - size)
                return String(decoding: result, as: UTF8.self) + "… (\(text.utf8.count - done) bytes more)"
            }
            done += UTF8.width(scalar)
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Escapes text that we made of several lines: its line ends stay, and each line is escaped.
    ///
    /// Only for text in which everything from outside is escaped already or cannot hold a line end.
    ///
    /// - Returns: the escaped lines, separated as they were.
    package static func escapedLines(_ text: String) -> String {
        text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { escaped(String(Substring($0))) }
            .joined(separator: "\n")
    }

    /// Escapes what ArgumentParser says about an error: a message, which may quote anything, and the usage below it.
    ///
    /// - Parameters:
    ///   - report: the whole text.
    ///   - message: the message within it.
    /// - Returns: the report with its message on one line.
    package static func escapedReport(_ report: String, message: String) -> String {
        guard !message.isEmpty, let place = report.utf8.firstRange(of: message.utf8) else {
            return escapedLines(report)
        }
        return escapedLines(String(Substring(report.utf8[..<place.lowerBound]))) + escaped(message, limit: lineLimit)
            + escapedLines(String(Substring(report.utf8[place.upperBound...])))
    }

    /// Whether a terminal or a log shows the character as itself and nothing else happens.
    ///
    /// Not so are control and format characters, line and paragraph separators, what Unicode has not assigned or leaves to
    /// private agreement, and what is shown as nothing. The two selectors of text and emoji style are safe.
    package static func isSafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E: return true
        case 0..<0xA0: return false
        case 0xFE0E, 0xFE0F: return true
        default: break
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return false
        default: return !scalar.properties.isDefaultIgnorableCodePoint
        }
    }

    private static func isPrintableASCII(_ text: String) -> Bool {
        text.utf8.withContiguousStorageIfAvailable { bytes in
            // Without an early exit, so that the compiler can look at many bytes at once.
            var others: UInt8 = 0
            for byte in bytes { others |= byte &- 0x20 > 0x5E ? 1 : 0 }
            return others == 0
        } ?? false
    }

    private static func appendEscape(of scalar: Unicode.Scalar, to result: inout [UInt8]) {
        let (letter, digits): (Unicode.Scalar, Int)
        switch scalar.value {
        case 0x09: (letter, digits) = ("t", 0)
        case 0x0A: (letter, digits) = ("n", 0)
        case 0x0D: (letter, digits) = ("r", 0)
        case 0..<0x100: (letter, digits) = ("x", 2)
        case 0x100..<0x1_0000: (letter, digits) = ("u", 4)
        default: (letter, digits) = ("U", 8)
        }
        result.append(UInt8(ascii: "\\"))
        result.append(UInt8(ascii: letter))
        for place in (0..<digits).reversed() {
            let digit = UInt8(truncatingIfNeeded: scalar.value >> (4 * UInt32(place)) & 15)
            result.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
