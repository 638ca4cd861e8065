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

    /// Replaces the process by a fresh one with the same arguments; returns only when that fails. Mirrors huey's
    /// `os.execl(python, python, *sys.argv)`.
    static func restart() {
        #if os(Linux)
            let path = "/proc/self/exe"
        #else
            let path = CommandLine.arguments.first ?? ""
        #endif
        var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        execv(path, &arguments)
        for argument in arguments { free(argument) }
    }
}
