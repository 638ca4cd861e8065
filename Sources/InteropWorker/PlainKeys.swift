import Logging
import Redis

/// The plain `interop:…` keys that tasks leave their traces in.
struct PlainKeys: Sendable {
    private let client: RedisClient
    /// Whether a trace is left again when nobody knows whether it was: once more is better than not at all.
    private let isPatient: Bool

    init(url: String, isPatient: Bool) throws {
        client = RedisClient(try RedisConfiguration(url: url))
        self.isPatient = isPatient
    }

    /// RPUSH: a line at the end of a list.
    func push(_ key: String, _ line: String) async throws {
        _ = try await patiently { try await client.command("RPUSH", .init(key), .init(line)) }
    }

    /// INCR: the counter's new value.
    func increment(_ key: String) async throws -> Int {
        try await patiently { try await client.command("INCR", .init(key)) }.integer ?? 0
    }

    private func patiently(_ operation: () async throws -> RedisReply) async throws -> RedisReply {
        while true {
            do {
                return try await operation()
            } catch let error as RedisError where isPatient && error.isTransient {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
