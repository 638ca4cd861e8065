import Foundation

/// A private redis-server on a unix socket, in a directory of its own. It ends with this process, however that ends.
public final class PrivateRedis: Sendable {
    /// It is removed with the server; tests may put files there.
    public let directory: String
    private let shell: ServerShell

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
        shell = try ServerShell("redis-server", script, argument: directory, until: "eady to accept connections")
    }

    /// The server's address in redis-py's form.
    public func url(database: Int = 0) -> String { "unix://\(directory)/redis.sock?db=\(database)" }
}
