import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A log file that is turned over at 10 MB, five old ones kept as `.1` to `.5`. Mirrors Python's `RotatingFileHandler` as eduMFA sets it up.
final class LogFile: Sendable {
    private struct State {
        var descriptor: Int32
        var size: Int
    }

    private let path: String?
    private let limit: Int
    private let backups = 5
    private let state: Mutex<State>

    static let standardError = LogFile(descriptor: STDERR_FILENO)

    private init(descriptor: Int32) {
        path = nil
        limit = .max
        state = Mutex(State(descriptor: descriptor, size: 0))
    }

    /// A file that is appended to; nil when it cannot be opened.
    init?(path: String, limit: Int = 10_000_000) {
        guard let (descriptor, size) = Self.open(path) else { return nil }
        self.path = path
        self.limit = limit
        state = Mutex(State(descriptor: descriptor, size: size))
    }

    private static func open(_ path: String) -> (descriptor: Int32, size: Int)? {
        let descriptor = systemOpen(path)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        return (descriptor, fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0)
    }

    func write(_ line: String) {
        let bytes = Array(line.utf8)
        state.withLock { state in
            if state.size > 0, state.size + bytes.count >= limit { turnOver(&state) }
            state.size += bytes.count
            bytes.withUnsafeBytes { buffer in
                var rest = buffer
                while !rest.isEmpty {
                    let written = systemWrite(state.descriptor, rest.baseAddress, rest.count)
                    if written < 0 {
                        if errno == EINTR { continue }
                        return
                    }
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
                }
            }
        }
    }

    private func turnOver(_ state: inout State) {
        guard let path else { return }
        for number in stride(from: backups - 1, through: 1, by: -1) {
            rename("\(path).\(number)", "\(path).\(number + 1)")
        }
        rename(path, "\(path).1")
        // Where the new file cannot be made, the old one goes on.
        guard let (descriptor, size) = Self.open(path) else { return }
        close(state.descriptor)
        state = State(descriptor: descriptor, size: size)
    }
}

private func systemOpen(_ path: String) -> Int32 {
    open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
}

private func systemWrite(_ descriptor: Int32, _ base: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, base, count)
}

/// Standard output, which may be a pipe that somebody reads line by line.
enum LogFlush {
    static func standardOutput() { fflush(nil) }
}
