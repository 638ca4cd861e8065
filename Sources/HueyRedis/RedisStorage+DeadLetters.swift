public import Huey
import Pickle
import Redis

extension RedisStorage {
    /// How many messages were put aside.
    public func deadLetterCount() async throws -> Int {
        try await client.command("LLEN", .init(keys.dead)).integer ?? 0
    }

    /// The messages that were put aside, newest first.
    ///
    /// - Throws: ``PickleError`` when a letter is none of ours, or the connection's error.
    public func deadLetters(limit: Int = 100) async throws -> [DeadLetter] {
        let reply = try await client.command("LRANGE", .init(keys.dead), 0, .init(max(1, limit) - 1))
        return try reply.elements?.compactMap(\.bytes).map { data in
            try DeadLetter(pickle: try PickleDocument(data).root)
        } ?? []
    }
}
