import EduMFAQueue
import Huey
import Logging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Log lines as eduMFA writes them: `[2026-01-31 12:00:00,123][pid][thread][LEVEL][logger:line] message`.
///
/// A line is one line of bounded length; see ``LogText``.
struct EduMFALogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    let label: String
    let output: LogFile
    /// Whether a line has only time and message: huey's `-S`.
    let simple: Bool
    private let isEngine: Bool

    init(label: String, logLevel: Logger.Level, output: LogFile, simple: Bool = false) {
        self.label = SafeText.escaped(label)
        self.logLevel = logLevel
        self.output = output
        self.simple = simple
        isEngine = label == "huey" || label.hasPrefix("huey.")
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let level = isEngine ? Self.engineLevel(event.level, event.message.description) : event.level
        guard level >= logLevel else { return }
        let text = LogText(event.message, event.metadata.map { metadata.merging($0) { $1 } } ?? metadata)
        let place = simple ? "" : "[\(getpid())][\(Self.thread)][\(Self.name(level))][\(label):\(event.line)]"
        let head = simple ? Self.time() : "[\(Self.time())]\(place)"
        output.write(Self.secured("\(head) \(text.lines)", isMarked: text.wasEscaped) + "\n", level)
    }

    /// The level of a line of the task queue itself. ERROR is for mail that somebody did not get: of its errors, those about messages that
    /// were given up. All others are outages, after which it goes on where it was.
    static func engineLevel(_ level: Logger.Level, _ message: String) -> Logger.Level {
        guard level == .error else { return level }
        let isLoss =
            message.contains("put aside") || message.hasPrefix("Unhandled")
            || message.hasPrefix("Unable to deserialize")
            || message.contains("cannot be written")
        return isLoss ? .error : .warning
    }

    /// What Python calls the thread's identifier.
    private static var thread: UInt {
        #if canImport(Darwin)
            UInt(bitPattern: pthread_self())
        #else
            UInt(pthread_self())
        #endif
    }

    /// Mirrors eduMFA's `SecureFormatter`: what is not printable ASCII becomes a dot, and the line says so.
    ///
    /// - Parameters:
    ///   - line: a line in which ``LogText`` has escaped what is not safe to show.
    ///   - isMarked: says so in any case.
    static func secured(_ line: String, isMarked: Bool) -> String {
        func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
            (0x20...0x7E).contains(scalar.value) || scalar == "\n"
        }
        let isPlain = line.unicodeScalars.allSatisfy(isPrintable)
        guard isMarked || !isPlain else { return line }
        var result = String.UnicodeScalarView()
        for scalar in line.unicodeScalars { result.append(isPrintable(scalar) ? scalar : ".") }
        return "!!!Log Entry Secured by SecureFormatter!!! " + String(result)
    }

    private static func name(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "DEBUG"
        case .info, .notice: "INFO"
        case .warning: "WARNING"
        case .error: "ERROR"
        case .critical: "CRITICAL"
        }
    }

    private static func time() -> String {
        var moment = timespec()
        clock_gettime(CLOCK_REALTIME, &moment)
        var fields = tm()
        localtime_r(&moment.tv_sec, &fields)
        func padded(_ value: some BinaryInteger, _ width: Int = 2) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = "\(padded(Int(fields.tm_year) + 1900, 4))-\(padded(fields.tm_mon + 1))-\(padded(fields.tm_mday))"
        let time = "\(padded(fields.tm_hour)):\(padded(fields.tm_min)):\(padded(fields.tm_sec))"
        return "\(date) \(time),\(padded(moment.tv_nsec / 1_000_000, 3))"
    }
}
