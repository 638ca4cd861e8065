import Foundation

/// A private redis-server on a unix socket, in a directory of its own. It ends with this process, however that ends.
public final class PrivateRedis: Sendable {
    struct Failure: Error {
        var message: String
    }

    /// It is removed with the server; tests may put files there.
    public let directory: String
    /// The server lives as long as this end of a pipe is open.
    private let lifeline: Pipe

    /// Starts a server; returns when it accepts connections.
    public init() throws {
        // Short, because the path of a unix socket may have only 107 bytes.
        directory = NSTemporaryDirectory() + "/huey-test-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let script = """
            redis-server --port 0 --unixsocket "$1/redis.sock" --save '' --appendonly no --dir "$1" &
            server=$!
            cat > /dev/null
            kill -9 $server
            rm -rf "$1"
            """
        lifeline = Pipe()
        // What other tests start must not keep it open.
        _ = fcntl(lifeline.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", script, "redis", directory]
        shell.standardInput = lifeline
        let output = Pipe()
        shell.standardOutput = output
        shell.standardError = output
        try shell.run()
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

    deinit { try? lifeline.fileHandleForWriting.close() }

    /// The server's address in redis-py's form.
    public func url(database: Int = 0) -> String { "unix://\(directory)/redis.sock?db=\(database)" }
}
