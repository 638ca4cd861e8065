import Huey
public import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Log lines as huey_consumer writes them: `[2026-01-31 12:00:00,123] INFO:huey.consumer:MainThread:message`, or with
/// `simple` set `12:00:00 message`.
///
/// A line is one line, of at most 16 kB and its head. Names, ids and errors come from whoever can write to the queue, so whatever is
/// not safe to show is written as Python's escape for it (`\n`, `\x1b`, `\u202e`), in messages and in metadata. The library hands such
/// text to any other backend of swift-log as it came: one that writes lines of text should escape them, too.
public struct HueyLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var logLevel: Logger.Level
    private let label: String
    private let simple: Bool
    private let output: LogOutput

    /// - Parameters:
    ///   - label: the logger's name in the line.
    ///   - logLevel: the least level that is written.
    ///   - simple: huey's `-S`.
    ///   - output: standard error or a file.
    public init(label: String, logLevel: Logger.Level = .info, simple: Bool = false, output: LogOutput = .standardError)
    {
        self.label = SafeText.escaped(label)
        self.logLevel = logLevel
        self.simple = simple
        self.output = output
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let text = LogText(event.message, event.metadata.map { metadata.merging($0) { $1 } } ?? metadata)
        let now = Self.now()
        if simple {
            output.write("\(now.time) \(text.lines)\n")
        } else {
            let head = "[\(now.date) \(now.time),\(now.milliseconds)] \(Self.name(event.level)):\(label):"
            output.write("\(head)\(text.worker ?? "MainThread"):\(text.lines)\n")
        }
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

    private static func now() -> (date: String, time: String, milliseconds: String) {
        var moment = timespec()
        clock_gettime(CLOCK_REALTIME, &moment)
        var fields = tm()
        localtime_r(&moment.tv_sec, &fields)
        func padded(_ value: some BinaryInteger, _ width: Int = 2) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return (
            "\(padded(Int(fields.tm_year) + 1900, 4))-\(padded(fields.tm_mon + 1))-\(padded(fields.tm_mday))",
            "\(padded(fields.tm_hour)):\(padded(fields.tm_min)):\(padded(fields.tm_sec))",
            padded(moment.tv_nsec / 1_000_000, 3)
        )
    }
}

/// Where log lines go, each in one write.
public final class LogOutput: Sendable {
    /// Standard error.
    public static let standardError = LogOutput(descriptor: STDERR_FILENO)

    private let descriptor: Mutex<Int32>

    private init(descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    /// A file that is appended to; nil when it cannot be opened.
    public convenience init?(path: String) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return nil }
        self.init(descriptor: descriptor)
    }

    func write(_ line: String) {
        var bytes = Array(line.utf8)
        descriptor.withLock { descriptor in
            bytes.withUnsafeMutableBytes { buffer in
                var rest = UnsafeRawBufferPointer(buffer)
                while !rest.isEmpty {
                    let written = systemWrite(descriptor, rest.baseAddress, rest.count)
                    if written < 0 {
                        if errno == EINTR { continue }
                        return
                    }
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
                }
            }
        }
    }
}

private func systemWrite(_ descriptor: Int32, _ base: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
        Glibc.write(descriptor, base, count)
    #elseif canImport(Musl)
        Musl.write(descriptor, base, count)
    #else
        Darwin.write(descriptor, base, count)
    #endif
}
