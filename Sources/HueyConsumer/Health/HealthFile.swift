import Huey

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file whose time of change says that a consumer moves.
struct HealthFile: Sendable {
    let path: String

    /// Makes the file. It must be empty where it is there already, because it is removed at the end.
    ///
    /// - Throws: ``HueyError`` `.invalidConfiguration`.
    init(path: String) throws {
        self.path = path
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG || status.st_size > 0 {
            throw HueyError(.invalidConfiguration, "the health file \(path) is there and is not an empty file")
        }
        if let reason = touch() {
            throw HueyError(.invalidConfiguration, "the health file \(path) cannot be written: \(reason)")
        }
    }

    /// Sets the time of change to now, and makes the file again where somebody has removed it.
    ///
    /// - Returns: why that failed; nil when it did not.
    func touch() -> String? {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o644)
        guard file >= 0 else { return Self.reason }
        defer { close(file) }
        return futimens(file, nil) == 0 ? nil : Self.reason
    }

    func remove() { unlink(path) }

    private static var reason: String { String(cString: strerror(errno)) }
}
