#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Why a file cannot be read.
package struct FileError: Error, Sendable, Hashable, CustomStringConvertible {
    package let path: String
    /// The system's error number; 0 where the system has no objection.
    package let number: Int32
    private let reason: String

    init(_ path: String, errno number: Int32) {
        self.path = path
        self.number = number
        let text = String(cString: strerror(number))
        reason = "\(text.prefix(1).lowercased())\(text.dropFirst()) (errno \(number))"
    }

    init(_ path: String, _ reason: String) {
        self.path = path
        number = 0
        self.reason = reason
    }

    /// Whether there is no such file.
    package var isMissing: Bool { number == ENOENT || number == ENOTDIR }

    /// Whether this process may not read it.
    package var isForbidden: Bool { number == EACCES || number == EPERM }

    package var description: String {
        if isMissing { return "\(path) does not exist: \(reason)" }
        return isForbidden ? "\(path) may not be read: \(reason)" : "\(path) cannot be read: \(reason)"
    }
}

/// Reads keys, certificates and configurations: regular files that are not large. Blocks the thread.
package enum SmallFile {
    /// What changes when a file does.
    package struct Version: Sendable, Hashable {
        private let device: UInt64
        private let inode: UInt64
        private let size: Int64
        private let seconds: Int
        private let nanoseconds: Int

        fileprivate init(_ status: stat) {
            device = UInt64(truncatingIfNeeded: status.st_dev)
            inode = UInt64(truncatingIfNeeded: status.st_ino)
            size = Int64(truncatingIfNeeded: status.st_size)
            #if canImport(Darwin)
                let changed = status.st_ctimespec
            #else
                let changed = status.st_ctim
            #endif
            seconds = Int(changed.tv_sec)
            nanoseconds = Int(changed.tv_nsec)
        }
    }

    /// What a file's state is now; `nil` when it cannot be looked at.
    package static func version(_ path: String) -> Version? {
        var status = stat()
        return stat(path, &status) == 0 ? Version(status) : nil
    }

    /// Reads a file.
    ///
    /// - Parameter limit: how many bytes it may have.
    /// - Returns: its bytes, and the state in which they were read.
    /// - Throws: ``FileError`` when it is missing, forbidden, no regular file, or larger.
    package static func read(
        _ path: String,
        limit: Int = 1 << 20
    ) throws(FileError) -> (content: [UInt8], version: Version) {
        // A path with a NUL would name another file.
        guard !path.utf8.contains(0) else { throw FileError(path, "its path holds a NUL") }
        // Without waiting for the writer of a FIFO.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path, errno: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError(path, errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileError(path, "it is no regular file") }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = systemRead(descriptor, &buffer)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError(path, errno: errno)
            }
            guard count > 0 else { return (content, Version(status)) }
            content += buffer[..<count]
            guard content.count <= limit else { throw FileError(path, "it has more than \(limit) bytes") }
        }
    }
}

private func systemRead(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Int {
    read(descriptor, &buffer, buffer.count)
}
