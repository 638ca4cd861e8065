import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A server on a unix socket that answers every command with the same error.
public final class HostileRedis: Sendable {
    private let directory: String
    private let listener: Int32

    /// - Parameter error: the text of the error; it must not hold a line end, which ends a reply.
    public init(error: String) throws {
        directory = NSTemporaryDirectory() + "/hostile-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        listener = try Self.listen(directory + "/redis.sock")
        let reply = Array("-ERR \(error)\r\n".utf8)
        let listener = listener
        Thread.detachNewThread {
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                Thread.detachNewThread { Self.answer(connection, reply) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// The server's address in redis-py's form.
    public var url: String { "unix://\(directory)/redis.sock" }

    private static func listen(_ path: String) throws -> Int32 {
        #if canImport(Glibc)
            let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let listener = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8.prefix($0.count - 1))) }
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isBound, systemListen(listener) == 0 else { throw POSIXError(.EADDRNOTAVAIL) }
        return listener
    }

    /// Each command begins with `*`, which nothing in the tests' arguments does at the beginning of a line.
    private static func answer(_ connection: Int32, _ reply: [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { break }
            var last: UInt8 = 0x0A
            for byte in buffer.prefix(count) {
                if byte == UInt8(ascii: "*"), last == 0x0A { _ = send(connection, reply, reply.count, 0) }
                last = byte
            }
        }
        close(connection)
    }
}

private func systemListen(_ descriptor: Int32) -> Int32 { listen(descriptor, 16) }
