#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which process this is, so that another one on the same machine can tell whether it is still alive: the boot, the PID namespace, the PID,
/// and when the process started.
struct ProcessInstance: Sendable, Hashable {
    let boot: String
    let namespace: String
    let pid: Int32
    let start: String

    static let current = ProcessInstance(
        boot: read("/proc/sys/kernel/random/boot_id").trimmed,
        namespace: link("/proc/self/ns/pid"),
        pid: getpid(),
        start: startTime(of: getpid()) ?? ""
    )

    /// Whether the process is known to have ended. False when it belongs to another machine or container, or cannot be asked about.
    var hasEnded: Bool {
        let current = Self.current
        guard !boot.isEmpty, !namespace.isEmpty, !start.isEmpty, boot == current.boot, namespace == current.namespace
        else { return false }
        guard kill(pid, 0) != 0, errno == ESRCH else {
            // The number may belong to somebody else by now.
            guard let running = Self.startTime(of: pid) else { return false }
            return running != start
        }
        return true
    }

    /// One word each, as they stand in a heartbeat.
    var words: [String] { [boot, namespace, String(pid), start].map { $0.isEmpty ? "-" : $0 } }

    /// - Parameter words: as ``words`` gives them; nil for anything else.
    init?(words: some Collection<Substring>) {
        let words = Array(words)
        guard words.count == 4, let pid = Int32(words[2]) else { return nil }
        func text(_ word: Substring) -> String { word == "-" ? "" : String(word) }
        self.init(boot: text(words[0]), namespace: text(words[1]), pid: pid, start: text(words[3]))
    }

    init(boot: String, namespace: String, pid: Int32, start: String) {
        self.boot = boot
        self.namespace = namespace
        self.pid = pid
        self.start = start
    }

    /// The 22nd field of `/proc/<pid>/stat`; the second may contain blanks and is in parentheses. Zombies have ended.
    static func startTime(of pid: Int32) -> String? {
        let stat = read("/proc/\(pid)/stat")
        guard let parenthesis = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: parenthesis)...].split(separator: " ")
        guard fields.count > 19 else { return nil }
        return fields[0] == "Z" ? "ended" : String(fields[19])
    }

    private static func read(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    private static func link(_ path: String) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0 else { return "" }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension String {
    fileprivate var trimmed: String { String(prefix { !$0.isWhitespace }) }
}
