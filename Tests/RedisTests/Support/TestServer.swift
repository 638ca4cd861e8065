import Foundation
import Redis
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A private redis-server in a directory of its own; the environment's REDIS_SERVER, where it names one.
final class TestServer: Sendable {
    struct Failure: Error {
        var message: String
    }

    /// What kind of server it is.
    enum Role {
        case server
        /// Watches a master; the file `sentinel.conf` in its directory says which.
        case sentinel
    }

    let port: Int
    let directory: String
    private let role: Role
    private let options: [String]
    private let process = Mutex<Process?>(nil)

    var socketPath: String { directory + "/redis.sock" }

    /// Starts a server, and returns when it accepts connections. `options` are its command-line options; `setUp` may
    /// put files into its directory first.
    init(_ options: [String] = [], as role: Role = .server, setUp: (String) throws -> Void = { _ in }) throws {
        self.role = role
        port = try Self.freePort()
        directory = try Self.makeDirectory()
        self.options = options
        try setUp(directory)
        try start()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// A client of this server; the closure may change its configuration.
    func client(_ change: (inout RedisConfiguration) -> Void = { _ in }) -> RedisClient {
        RedisClient(configuration(change))
    }

    func configuration(_ change: (inout RedisConfiguration) -> Void = { _ in }) -> RedisConfiguration {
        var configuration = RedisConfiguration(host: "127.0.0.1", port: port)
        change(&configuration)
        return configuration
    }

    /// Starts the server again on the same port.
    func start() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments + options.map { $0.replacing("{dir}", with: directory) }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        var text = ""
        let readiness = role == .server ? "Ready to accept connections" : "+monitor master"
        while !text.contains(readiness) {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw Failure(message: "redis-server did not start: \(text)") }
            text += String(decoding: data, as: UTF8.self)
        }
        output.fileHandleForReading.readabilityHandler = { handle in
            if handle.availableData.isEmpty { handle.readabilityHandler = nil }
        }
        self.process.withLock { $0 = process }
    }

    private var arguments: [String] {
        let place = ["--bind", "127.0.0.1", "--port", String(port), "--dir", directory]
        let program = ProcessInfo.processInfo.environment["REDIS_SERVER"] ?? "redis-server"
        return switch role {
        case .server:
            [program] + place + [
                "--unixsocket", socketPath, "--save", "", "--appendonly", "no",
            ]
        case .sentinel: [program, directory + "/sentinel.conf", "--sentinel"] + place
        }
    }

    /// Kills the server as `kill -9` does, and waits for its end.
    func stop() {
        let running = process.withLock { process in
            defer { process = nil }
            return process
        }
        guard let running else { return }
        kill(running.processIdentifier, SIGKILL)
        running.waitUntilExit()
    }

    /// Stops the server's process without ending it, so that it accepts and never answers.
    func freeze() { process.withLock { _ = $0.map { kill($0.processIdentifier, SIGSTOP) } } }

    func thaw() { process.withLock { _ = $0.map { kill($0.processIdentifier, SIGCONT) } } }

    static func makeDirectory() throws -> String {
        // Short, because the path of a unix socket may have only 107 bytes.
        let path = NSTemporaryDirectory() + "/redis-test-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    static func freePort() throws -> Int {
        #if canImport(Darwin)
            let type = SOCK_STREAM
        #else
            let type = Int32(SOCK_STREAM.rawValue)
        #endif
        let descriptor = socket(AF_INET, type, 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 ? getsockname(descriptor, generic, &length) : -1
            }
        }
        guard result == 0 else { throw Failure(message: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
