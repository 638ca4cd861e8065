import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A private redis-server on a unix socket, in a directory of its own; it ends with its last user.
public final class PrivateRedis: Sendable {
    struct Failure: Error {
        var message: String
    }

    private let directory: String
    private let process: Mutex<Process?>

    /// Starts a server; returns when it accepts connections.
    public init() throws {
        // Short, because the path of a unix socket may have only 107 bytes.
        directory = NSTemporaryDirectory() + "/huey-test-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        process = Mutex(nil)
        let server = Process()
        server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        server.arguments = [
            "redis-server", "--port", "0", "--unixsocket", directory + "/redis.sock", "--save", "", "--appendonly",
            "no", "--dir", directory,
        ]
        let output = Pipe()
        server.standardOutput = output
        server.standardError = output
        try server.run()
        process.withLock { $0 = server }
        var text = ""
        while !text.contains("eady to accept connections") {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw Failure(message: "redis-server did not start: \(text)") }
            text += String(decoding: data, as: UTF8.self)
        }
        output.fileHandleForReading.readabilityHandler = { handle in
            if handle.availableData.isEmpty { handle.readabilityHandler = nil }
        }
    }

    deinit {
        if let server = process.withLock({ $0 }) {
            kill(server.processIdentifier, SIGKILL)
            server.waitUntilExit()
        }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// The server's address in redis-py's form.
    public func url(database: Int = 0) -> String { "unix://\(directory)/redis.sock?db=\(database)" }
}
