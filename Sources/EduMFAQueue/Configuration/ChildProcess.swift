internal import NIOPosix

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A child process in a process group of its own, whose standard output is read while it runs.
///
/// The wait ends with the child, or with its time: not with the pipe, which a grandchild may hold. Whatever is left of the group then is
/// killed. Standard error goes nowhere.
struct ChildProcess: Sendable {
    /// How it ended.
    enum Ending: Sendable, Equatable, CustomStringConvertible {
        case exited(Int32)
        case killed(signal: Int32)
        case timeout
        /// It wrote more than ``mostOutput``.
        case tooMuch

        var description: String {
            switch self {
            case .exited(let status): "it ended with status \(status)"
            case .killed(let signal): "it was ended by signal \(signal)"
            case .timeout: "it took too long"
            case .tooMuch: "it wrote too much"
            }
        }
    }

    /// Bytes of output.
    static let mostOutput = 8 << 20
    /// How often the child is looked at while it writes nothing.
    private static let pollInterval: Int32 = 10

    let path: String
    let arguments: [String]

    /// Runs it to its end, away from the threads of Swift's tasks.
    ///
    /// - Throws: ``ConfigurationError`` when it cannot be started.
    func run(for limit: Duration) async throws -> (ending: Ending, output: [UInt8]) {
        try await NIOThreadPool.singleton.runIfActive { try runHere(limit) }
    }

    private func runHere(_ limit: Duration) throws -> (ending: Ending, output: [UInt8]) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw ConfigurationError("\(path) could not be started: no pipe") }
        let (reader, writer) = (ends[0], ends[1])
        defer { close(reader) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(reader, F_SETFL, O_NONBLOCK)
        let child = start(writer)
        close(writer)
        guard let child else { throw ConfigurationError("\(path) could not be started") }
        let deadline = ContinuousClock.now + limit
        var output: [UInt8] = []
        var isOpen = true
        while true {
            let hasEnded = Self.hasEnded(child)
            // Read once more after the end: what it wrote is all there then.
            while isOpen, output.count <= Self.mostOutput, let count = Self.read(reader, &output) { isOpen = count > 0 }
            let isTooMuch = output.count > Self.mostOutput
            if hasEnded || isTooMuch || ContinuousClock.now >= deadline {
                let status = Self.end(child)
                if isTooMuch { return (.tooMuch, []) }
                return (hasEnded ? Self.ending(status) : .timeout, output)
            }
            var events = pollfd(fd: isOpen ? reader : -1, events: Int16(POLLIN), revents: 0)
            _ = poll(&events, 1, Self.pollInterval)
        }
    }

    /// Returns the number of bytes, 0 at the end of the pipe, nil when nothing is there now.
    private static func read(_ reader: Int32, _ output: inout [UInt8]) -> Int? {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64 << 10) { buffer in
            let count = systemRead(reader, buffer.baseAddress, buffer.count)
            guard count >= 0 else { return nil }
            output += buffer[..<count]
            return count
        }
    }

    private func start(_ writer: Int32) -> pid_t? {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, writer, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child = pid_t()
        let result = posix_spawn(&child, path, &actions, &attributes, &words, environ)
        return result == 0 ? child : nil
    }

    /// Whether it has ended; its number stays taken, so that nobody else's process is killed.
    private static func hasEnded(_ child: pid_t) -> Bool {
        var information = siginfo_t()
        let result = waitid(P_PID, id_t(child), &information, WEXITED | WNOHANG | WNOWAIT)
        return result != 0 || information.si_signo != 0
    }

    /// Kills what is left of its group, and returns the child's status.
    private static func end(_ child: pid_t) -> Int32 {
        kill(-child, SIGKILL)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return status
    }

    private static func ending(_ status: Int32) -> Ending {
        let signal = status & 0x7F
        return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
    }
}

private func systemRead(_ descriptor: Int32, _ base: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, base, count)
}
