package import Logging

/// The text of a log event as it may be written: one line of bounded length, with everything from outside escaped.
///
/// A log handler makes its lines of this and of nothing else.
package struct LogText: Sendable {
    /// The message, and the metadata behind it in parentheses. At most ``SafeText/lineLimit`` bytes and a note of what was cut.
    package private(set) var line: String
    /// The lines that follow, if the event has ``LogLines``; each is escaped.
    package private(set) var following: [String] = []
    /// The name of the worker that the event is about, from its metadata.
    package private(set) var worker: String?
    /// Whether anything was escaped.
    package private(set) var wasEscaped = false

    private static let keyLimit = 128
    private static let valueLimit = 2048
    private static let metadataLimit = 8192
    private static let pairLimit = 32

    /// Makes the text of a message and the metadata of its event and its logger together.
    package init(_ message: Logger.Message, _ metadata: Logger.Metadata) {
        line = ""
        let behind = metadata.isEmpty ? "" : suffix(metadata)
        let text = message.description
        line = escape(text, SafeText.lineLimit - behind.utf8.count) + behind
    }

    /// The event's line and those that follow it.
    package var lines: String { following.isEmpty ? line : line + "\n" + following.joined(separator: "\n") }

    private mutating func escape(_ text: String, _ limit: Int) -> String {
        let escaped = SafeText.escaped(text, limit: limit)
        // What was cut is no sign of a forged line.
        if text.utf8.count <= limit, escaped != text { wasEscaped = true }
        return escaped
    }

    /// ` (key=value, …)`, sorted by key.
    private mutating func suffix(_ metadata: Logger.Metadata) -> String {
        var (text, count, left) = ("", 0, 0)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            if case .stringConvertible(let lines) = value, let lines = lines as? LogLines {
                following += lines.lines.map { escape($0, SafeText.lineLimit) }
            } else if key == "worker" {
                worker = escape("\(value)", Self.keyLimit)
            } else if count < Self.pairLimit, text.utf8.count < Self.metadataLimit {
                let pair = escape(key, Self.keyLimit) + "=" + escape("\(value)", Self.valueLimit)
                text += count == 0 ? pair : ", " + pair
                count += 1
            } else {
                left += 1
            }
        }
        guard count > 0 else { return "" }
        return left > 0 ? " (\(text), … (\(left) more))" : " (\(text))"
    }
}

/// Lines that belong below a log line: huey's list of its tasks is one message of several lines.
///
/// A logger takes them as metadata, `["lines": .stringConvertible(LogLines(…))]`. Our log handlers write each on a line of its own,
/// escaped; other backends show them as one value. A line end inside a message is never a new line.
package struct LogLines: CustomStringConvertible, Sendable {
    package let lines: [String]

    package init(_ lines: [String]) { self.lines = lines }

    package var description: String { lines.joined(separator: ", ") }
}
