import Huey
import Redis

/// How results, revocations, locks and counters lie on Redis.
protocol RedisValues: Sendable {
    /// Forgets values and stores others, in that order, in as few commands as there can be.
    ///
    /// - Parameter completions: tasks whose own revocations are forgotten, too, and whose values come before the others.
    func write(deletions: [String], completions: [Completions], values: [StoredValue], to batch: inout RedisBatch)
    /// Asks for the values of keys.
    func peek(_ keys: [String], _ batch: inout RedisBatch)
    /// Asks for the revocations of tasks by their ids, and of all tasks of a name.
    func peekRevocations(ofTasks ids: TaskIDs, named names: [String], _ batch: inout RedisBatch)
    /// Asks for a value and takes it away, where values do not expire. The value is the last reply, or the first in it.
    func pop(_ key: String, _ batch: inout RedisBatch)
    /// What ``pop(_:_:)`` brought.
    func popped(in replies: RedisReplies) -> [UInt8]?
    /// Answers how many values went away.
    func delete(_ key: String, _ batch: inout RedisBatch)
    /// Answers 1 where there is a value.
    func exists(_ key: String, _ batch: inout RedisBatch)
    /// Stores a value where there is none: answers nil or 0 where there was one.
    func putIfEmpty(_ value: [UInt8], forKey key: String, _ batch: inout RedisBatch)
    /// Where a value lies: the field of the hash, or the key.
    func place(of key: String) -> String
    /// Answers a counter's value.
    func counter(_ key: String, _ batch: inout RedisBatch)
    /// Adds one to a counter.
    func count(_ key: String, _ batch: inout RedisBatch)
    /// Stores a value where there is none.
    ///
    /// - Throws: ``HueyError`` `.notSupported`, or the connection's error.
    func putIfEmpty(_ value: [UInt8], forKey key: String, ttl: Int?, on client: RedisClient) async throws -> Bool
    /// Adds to a counter; the first reply, or the first in the last one, is its value.
    func increment(_ key: String, by amount: Int, on client: RedisClient) async throws -> Int
    func deleteCounter(_ key: String, _ batch: inout RedisBatch)
    func count(on client: RedisClient) async throws -> Int
    func items(on client: RedisClient) async throws -> [String: [UInt8]]
    func flush(_ what: RedisValueKind, on client: RedisClient) async throws
}

/// A value on its way to Redis.
struct StoredValue: Sendable {
    var key: String
    var value: [UInt8]
    var isResult: Bool
}

enum RedisValueKind: Sendable {
    case results
    case counters
}

extension RedisClient {
    /// Carries out a batch whose every command must succeed.
    ///
    /// - Throws: the first error reply, or the connection's error.
    @discardableResult
    func run(_ batch: RedisBatch) async throws -> RedisReplies {
        let replies = try await execute(batch)
        if let error = replies.firstError { throw error }
        return replies
    }

    /// The same for a batch that `build` makes.
    @discardableResult
    func run(_ build: (inout RedisBatch) throws -> Void) async throws -> RedisReplies {
        var batch = RedisBatch()
        try build(&batch)
        return try await run(batch)
    }
}
