public import Huey
import Pickle
import Redis

extension RedisStorage {
    /// How many messages were put aside.
    public func deadLetterCount() async throws -> Int { try await integer("LLEN", .init(keys.dead)) }

    /// The messages that were put aside, newest first.
    ///
    /// - Throws: ``PickleError`` when a letter is none of ours, or the connection's error.
    public func deadLetters(limit: Int = 100) async throws -> [DeadLetter] {
        try await list("LRANGE", .init(keys.dead), 0, .init(max(1, limit) - 1)).map { data in
            try DeadLetter(pickle: try PickleDocument(data).root)
        }
    }
}
