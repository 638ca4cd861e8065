public import Huey
public import Pickle
import Redis

extension RedisStorage {
    /// huey's own script: the due messages, popped only when all of them could be.
    private static let schedulePop = RedisScript(
        """
        local unix_ts = tonumber(ARGV[1])
        local res = redis.call('zrangebyscore', KEYS[1], '-inf', unix_ts)
        if #res and redis.call('zremrangebyscore', KEYS[1], '-inf', unix_ts) == #res then
            return res
        end
        """)

    /// Takes messages out of the schedule and pushes what becomes of them, in one step. Removing is the claim: a message that
    /// another scheduler has taken is not pushed. ARGV: old, new, old, new …; an empty new one is only removed.
    private static let schedulePromote = RedisScript(
        """
        local moved = 0
        for i = 1, #ARGV, 2 do
            if redis.call('ZREM', KEYS[1], ARGV[i]) == 1 then
                moved = moved + 1
                if #ARGV[i + 1] > 0 then redis.call('LPUSH', KEYS[2], ARGV[i + 1]) end
            end
        end
        return moved
        """)

    public func addToSchedule(_ data: [UInt8], at moment: PickleDateTime) async throws {
        try await commit([.schedule(data, at: moment)])
    }

    public func readSchedule(dueAt moment: PickleDateTime) async throws -> [[UInt8]] {
        let reply = try await client.eval(
            Self.schedulePop, keys: [.init(keys.schedule)], arguments: [.init(try moment.redisScore())])
        return reply.elements?.compactMap(\.bytes) ?? []
    }

    public func scheduleSize() async throws -> Int { try await integer("ZCARD", .init(keys.schedule)) }

    public func scheduledItems(limit: Int?) async throws -> [[UInt8]] {
        let stop = limit.flatMap { $0 > 0 ? $0 - 1 : nil } ?? -1
        return try await list("ZRANGE", .init(keys.schedule), 0, .init(stop))
    }

    public func flushSchedule() async throws { _ = try await client.command("DEL", .init(keys.schedule)) }

    /// Looks at what is due, then moves it in one script: a crash in between leaves everything where it was.
    public func promoteSchedule(
        dueAt moment: PickleDateTime,
        limit: Int,
        transform: @Sendable ([UInt8]) async throws -> [StorageEffect]
    ) async throws -> Int {
        let due = try await list(
            "ZRANGEBYSCORE", .init(keys.schedule), "-inf", .init(try moment.redisScore()), "LIMIT", 0, .init(limit))
        guard !due.isEmpty else { return 0 }
        var pairs: [RedisArgument] = []
        var others: [StorageEffect] = []
        for data in due {
            var moved: [UInt8] = []
            for effect in try await transform(data) {
                if case .enqueue(let message, let priority) = effect, moved.isEmpty {
                    try Self.refuse(priority)
                    moved = message
                } else {
                    others.append(effect)
                }
            }
            pairs += [.init(data), .init(moved)]
        }
        if !others.isEmpty { try await commit(others) }
        _ = try await client.eval(
            Self.schedulePromote, keys: [.init(keys.schedule), .init(keys.queue)], arguments: pairs)
        return due.count
    }
}
