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
        return messages(in: reply)
    }

    public func scheduleSize() async throws -> Int {
        try await client.command("ZCARD", .init(keys.schedule)).integer ?? 0
    }

    public func scheduledItems(limit: Int?) async throws -> [[UInt8]] {
        let stop = limit.flatMap { $0 > 0 ? $0 - 1 : nil } ?? -1
        return messages(in: try await client.command("ZRANGE", .init(keys.schedule), 0, .init(stop)))
    }

    private func messages(in reply: RedisReply) -> [[UInt8]] {
        reply.elements?.compactMap { $0.bytes.map { ScheduleMember.message(of: $0, options.kind) } } ?? []
    }

    public func flushSchedule() async throws { try await client.command("DEL", .init(keys.schedule)) }

    /// Looks at what is due, then moves it in one script: a crash in between leaves everything where it was.
    public func promoteSchedule(
        dueAt moment: PickleDateTime,
        limit: Int,
        transform: @Sendable ([UInt8]) async throws -> [StorageEffect]
    ) async throws -> Int {
        try await promoteSchedule(dueAt: moment, limit: limit, deathLimit: nil, transform: transform)
    }

    /// Moves members out of the schedule together with what becomes of their messages.
    func move(
        _ due: [[UInt8]],
        dueAt score: RedisArgument,
        _ transform: @Sendable ([UInt8]) async throws -> [StorageEffect]
    ) async throws {
        if try await isSpread() { return try await moveSpread(due, dueAt: score, transform) }
        var moves: [ScheduleMove] = []
        var others: [(data: [UInt8], effects: [StorageEffect])] = []
        for data in due {
            let effects = try await transform(ScheduleMember.message(of: data, options.kind))
            if case .enqueue(let message, let priority) = effects.first, effects.count == 1 {
                moves.append(ScheduleMove(old: data, new: (message, priority)))
            } else if effects.isEmpty {
                moves.append(ScheduleMove(old: data))
            } else {
                others.append((data, effects))
            }
        }
        var refusal: (any Error)?
        for (data, effects) in others {
            // One that the server refuses stays; the others go on.
            do { try await replace(data, by: effects, dueAt: score) } catch { refusal = error }
        }
        if !moves.isEmpty {
            try await client.eval(
                queue.promotion,
                keys: [.init(keys.schedule), .init(keys.queue)],
                arguments: [score] + (try queue.promotionArguments(moves))
            )
        }
        if let refusal { throw refusal }
    }

    /// Takes one message out of the schedule together with whatever else becomes of it. KEYS: schedule. ARGV: the moment, the message, and
    /// commands.
    private static let replacement = RedisScript(
        DeliveryScripts.run + """
            local score = redis.call('ZSCORE', KEYS[1], ARGV[2])
            if not score or tonumber(score) > tonumber(ARGV[1]) then return 0 end
            redis.call('ZREMRANGEBYRANK', KEYS[1], 1, 0)
            local n = 3
            while n <= #ARGV do n = run(n) end
            return redis.call('ZREM', KEYS[1], ARGV[2])
            """
    )

    private func replace(_ data: [UInt8], by effects: [StorageEffect], dueAt score: RedisArgument) async throws {
        var merged = MergedEffects()
        for effect in effects { try merged.add(effect) }
        var commands = RedisBatch.forScript()
        try merged.write(to: &commands, for: self)
        try await client.evaluate(
            Self.replacement,
            keys: [.init(keys.schedule)],
            arguments: [score, .init(data)],
            commands: commands
        )
    }
}
