#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// This process, what it runs on, and how it starts anew.
enum ProcessIdentity {
    static var pid: Int { Int(getpid()) }
    /// How many processors there are.
    static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// The path under which the program was started. Found when it is first asked for: later another file may stand there.
    static let executable = findExecutable()

    /// Replaces the process by what is installed under its path now, with the same arguments; returns only when that fails. Where nothing
    /// is installed any more, the program that runs starts anew. Mirrors huey's `os.execl(python, python, *sys.argv)`.
    static func restart() {
        var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        if let executable { execv(executable, &arguments) }
        #if os(Linux)
            execv(running, &arguments)
        #endif
        for argument in arguments { free(argument) }
    }

    #if os(Linux)
        private static let running = "/proc/self/exe"
    #endif

    private static func findExecutable() -> String? {
        let name = CommandLine.arguments.first ?? ""
        let folders = getenv("PATH").map { String(cString: $0).split(separator: ":").map(String.init) } ?? []
        // As the shell found it; a symbolic link stays one, because an upgrade may change where it leads.
        let candidates = name.contains("/") ? [name] : folders.map { "\($0)/\(name)" }
        #if os(Linux)
            let path = candidates.first { isSameFile($0, running) } ?? linkTarget(running)
        #else
            let path = candidates.first { access($0, X_OK) == 0 }
        #endif
        return path.map(absolute)
    }

    private static func isSameFile(_ first: String, _ second: String) -> Bool {
        var (one, other) = (stat(), stat())
        guard stat(first, &one) == 0, stat(second, &other) == 0 else { return false }
        return one.st_dev == other.st_dev && one.st_ino == other.st_ino
    }

    private static func linkTarget(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0, count < buffer.count else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The same, whatever the working directory will be.
    private static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let directory = getcwd(nil, 0) else { return path }
        defer { free(directory) }
        return "\(String(cString: directory))/\(path)"
    }
}
