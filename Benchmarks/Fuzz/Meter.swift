#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What one input cost.
struct Cost: Sendable {
    /// From the write that brings the input until everything before the next one is done.
    var wall: Duration
    /// CPU time of the connection's thread: nothing on it can have taken longer.
    var loop: Duration
    /// By how many bytes the process grew at its largest.
    var memory: Int
}

/// Measures inputs: time, CPU time of one thread, and the process's peak memory. Linux tells the latter two; elsewhere they are zero.
struct Meter {
    private let thread: Int
    private var start = ContinuousClock.now
    private var loopStart: UInt64 = 0
    private var residentStart = 0

    /// - Parameter thread: the connection's thread as the kernel numbers it.
    init(thread: Int) { self.thread = thread }

    /// The kernel's number of the thread that calls this.
    static var currentThread: Int {
        #if os(Linux)
            // "PID/task/TID".
            var buffer = [CChar](repeating: 0, count: 64)
            let count = readlink("/proc/thread-self", &buffer, buffer.count)
            let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return path.split(separator: "/").last.flatMap { Int($0) } ?? 0
        #else
            return 0
        #endif
    }

    mutating func begin() {
        Self.write("5", to: "/proc/self/clear_refs")
        residentStart = Self.kilobytes("VmRSS:")
        loopStart = nanoseconds()
        start = .now
    }

    func end() -> Cost {
        let wall = start.duration(to: .now)
        let loop = nanoseconds() &- loopStart
        return Cost(
            wall: wall,
            loop: .nanoseconds(Int64(clamping: loop)),
            memory: max(0, Self.kilobytes("VmHWM:") - residentStart) * 1024
        )
    }

    private func nanoseconds() -> UInt64 {
        let text = Self.read("/proc/self/task/\(thread)/schedstat")
        return text.split(separator: " ").first.flatMap { UInt64($0) } ?? 0
    }

    static func kilobytes(_ field: String) -> Int {
        let line = read("/proc/self/status").split(separator: "\n").first { $0.hasPrefix(field) }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
    }

    private static func read(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    private static func write(_ text: String, to path: String) {
        guard let file = fopen(path, "w") else { return }
        fputs(text, file)
        fclose(file)
    }
}
