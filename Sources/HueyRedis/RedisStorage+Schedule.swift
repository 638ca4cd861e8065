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
        """
    )

    public func addToSchedule(_ data: [UInt8], at moment: PickleDateTime) async throws {
        try await commit([.schedule(data, at: moment)])
    }

    public func readSchedule(dueAt moment: PickleDateTime) async throws -> [[UInt8]] {
        let reply = try await client.eval(
            Self.schedulePop,
            keys: [.init(keys.schedule)],
            arguments: [.init(try moment.redisScore())]
        )
        return reply.elements?.compactMap(\.bytes) ?? []
    }

    public func scheduleSize() async throws -> Int {
        try await client.command("ZCARD", .init(keys.schedule)).integer ?? 0
    }

    public func scheduledItems(limit: Int?) async throws -> [[UInt8]] {
        let stop = limit.flatMap { $0 > 0 ? $0 - 1 : nil } ?? -1
        return try await client.command("ZRANGE", .init(keys.schedule), 0, .init(stop)).elements?.compactMap(\.bytes)
            ?? []
    }

    public func flushSchedule() async throws { try await client.command("DEL", .init(keys.schedule)) }

    /// Looks at what is due, then moves it in one script: a crash in between leaves everything where it was.
    public func promoteSchedule(
        dueAt moment: PickleDateTime,
        limit: Int,
        transform: @Sendable ([UInt8]) async throws -> [StorageEffect]
    ) async throws -> Int {
        let reply = try await client.command(
            "ZRANGEBYSCORE",
            .init(keys.schedule),
            "-inf",
            .init(try moment.redisScore()),
            "LIMIT",
            0,
            .init(limit)
        )
        guard let due = reply.elements, !due.isEmpty else { return 0 }
        var moves: [ScheduleMove] = []
        var others: [StorageEffect] = []
        for data in due.compactMap(\.bytes) {
            var move = ScheduleMove(old: data)
            for effect in try await transform(data) {
                if case .enqueue(let message, let priority) = effect, move.new == nil {
                    move.new = (message, priority)
                } else {
                    others.append(effect)
                }
            }
            moves.append(move)
        }
        if !others.isEmpty { try await commit(others) }
        try await client.eval(
            queue.promotion,
            keys: [.init(keys.schedule), .init(keys.queue)],
            arguments: try queue.promotionArguments(moves)
        )
        return due.count
    }
}
