import Logging
import Redis

/// The plain `interop:…` keys that tasks leave their traces in.
struct PlainKeys: Sendable {
    private let client: RedisClient

    init(url: String) throws {
        client = RedisClient(try RedisConfiguration(url: url))
    }

    /// RPUSH: a line at the end of a list.
    func push(_ key: String, _ line: String) async throws {
        _ = try await client.command("RPUSH", .init(key), .init(line))
    }

    /// INCR: the counter's new value.
    func increment(_ key: String) async throws -> Int {
        try await client.command("INCR", .init(key)).integer ?? 0
    }
}
