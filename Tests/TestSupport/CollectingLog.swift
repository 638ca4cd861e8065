import Huey
public import Logging

/// Collects log lines as `LEVEL message`.
public struct CollectingLog: LogHandler {
    public let lines: Recorder<String>
    public var metadata: Logger.Metadata = [:]
    public var logLevel: Logger.Level = .trace

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var text = "\(event.level) \(event.message)"
        for case .stringConvertible(let following as LogLines) in (event.metadata ?? [:]).values {
            text += following.lines.map { "\n" + $0 }.joined()
        }
        lines.append(text)
    }

    /// A logger, and where its lines go.
    public static func make() -> (logger: Logger, lines: Recorder<String>) {
        let lines = Recorder<String>()
        return (Logger(label: "test") { _ in CollectingLog(lines: lines) }, lines)
    }
}
