package import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A log file that is turned over at 10 MB, five old ones kept as `.1` to `.5`; or a standard stream. Mirrors Python's
/// `RotatingFileHandler` as eduMFA sets it up.
///
/// The size is the file's own, so that it counts anew when somebody else has emptied it; a file that was moved away is opened anew.
package final class LogFile: Sendable {
    package enum Stream: Sendable {
        case output
        case error
    }

    private let path: String?
    private let limit: Int
    private let backups = 5
    /// Whether each line begins with its priority, for journald.
    private let hasPriorities: Bool
    private let descriptor: Mutex<Int32>

    /// - Parameters:
    ///   - stream: standard output or standard error.
    ///   - hasPriorities: whether each line begins with its priority; by default when journald has the other end.
    package init(stream: Stream, hasPriorities: Bool? = nil) {
        let stream = stream == .output ? STDOUT_FILENO : STDERR_FILENO
        path = nil
        limit = .max
        self.hasPriorities = hasPriorities ?? Self.isJournal(stream)
        descriptor = Mutex(stream)
    }

    /// A file that is appended to.
    ///
    /// - Throws: ``LogFileError`` when it cannot be opened.
    package init(path: String, limit: Int = 10_000_000) throws {
        let opened = systemOpen(path)
        guard opened >= 0 else { throw LogFileError(path: path, number: errno) }
        self.path = path
        self.limit = limit
        hasPriorities = false
        descriptor = Mutex(opened)
    }

    /// Whether a stream leads to journald, which says so by the file's numbers.
    private static func isJournal(_ stream: Int32) -> Bool {
        var status = stat()
        guard let variable = getenv("JOURNAL_STREAM"), fstat(stream, &status) == 0 else { return false }
        return String(cString: variable) == "\(status.st_dev):\(status.st_ino)"
    }

    /// Writes one or more whole lines.
    package func write(_ text: String, _ level: Logger.Level) {
        let bytes = Array((hasPriorities ? Self.marked(text, level) : text).utf8)
        descriptor.withLock { descriptor in
            makeReady(&descriptor, for: bytes.count)
            bytes.withUnsafeBytes { buffer in
                var rest = buffer
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

    /// With a priority of syslog's before each line, as `sd-daemon(3)` has it.
    private static func marked(_ text: String, _ level: Logger.Level) -> String {
        let priority =
            switch level {
            case .trace, .debug: 7
            case .info: 6
            case .notice: 5
            case .warning: 4
            case .error: 3
            case .critical: 2
            }
        return text.split(separator: "\n").map { "<\(priority)>\($0)\n" }.joined()
    }

    /// Opens the file anew where another one stands in its place, and turns it over where it gets too large.
    private func makeReady(_ descriptor: inout Int32, for count: Int) {
        guard let path else { return }
        var (ours, there) = (stat(), stat())
        guard fstat(descriptor, &ours) == 0 else { return }
        if stat(path, &there) != 0 {
            reopen(path, &descriptor, like: ours)
        } else if there.st_dev != ours.st_dev || there.st_ino != ours.st_ino {
            reopen(path, &descriptor, like: nil)
            guard fstat(descriptor, &ours) == 0 else { return }
        }
        if ours.st_size > 0, Int(ours.st_size) + count >= limit { turnOver(path, &descriptor, ours) }
    }

    private func turnOver(_ path: String, _ descriptor: inout Int32, _ status: stat) {
        for number in stride(from: backups - 1, through: 1, by: -1) {
            rename("\(path).\(number)", "\(path).\(number + 1)")
        }
        rename(path, "\(path).1")
        reopen(path, &descriptor, like: status)
    }

    /// Where the new file cannot be made, the old one goes on.
    ///
    /// - Parameter status: whose owner and mode a new file has; nil for one that somebody else has made.
    private func reopen(_ path: String, _ descriptor: inout Int32, like status: stat?) {
        let opened = systemOpen(path)
        guard opened >= 0 else { return }
        if let status {
            // Root keeps the owner; for anybody else it is the same already, but for the group.
            if fchown(opened, status.st_uid, status.st_gid) != 0 { _ = fchown(opened, uid_t.max, status.st_gid) }
            _ = fchmod(opened, status.st_mode & 0o7777)
        }
        close(descriptor)
        descriptor = opened
    }
}

/// A log file that cannot be opened.
package struct LogFileError: Error, CustomStringConvertible {
    let path: String
    let number: Int32

    package var description: String {
        "the log file \(path) cannot be opened: \(String(cString: strerror(number))) (errno \(number))"
    }
}

private func systemOpen(_ path: String) -> Int32 {
    open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
}

private func systemWrite(_ descriptor: Int32, _ base: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, base, count)
}
