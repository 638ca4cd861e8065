public import Huey
import Logging
import Redis
import Synchronization

extension RedisStorage: TickingStorage {
    /// KEYS: ticks, queue. ARGV: task, minute, and the command that adds the message. Answers whether it was added, whether a recorded minute
    /// was forgotten that lies ahead of the server's clock, and whether the consumer's clock does. The claim is written last, because Redis
    /// does not roll back; the first write takes something away, because a full server refuses a script that begins by adding.
    private static let tick = script(adding: "redis.call(unpack(ARGV, 4))")
    /// The same without the queue: only claims the minute.
    private static let claim = script(adding: "")

    private static func script(adding add: String) -> RedisScript {
        RedisScript(
            """
            if redis.replicate_commands then redis.replicate_commands() end
            local now = math.floor(tonumber(redis.call('TIME')[1]) / 60)
            local last, minute = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or ''), tonumber(ARGV[2])
            local forgotten, ahead = 0, 0
            if minute > now + 1 then minute, ahead = now, 1 end
            if last and last > now + 1 then last, forgotten = nil, 1 end
            if last and last >= minute then return {0, forgotten, ahead} end
            redis.call('HDEL', KEYS[1], '')
            \(add)
            redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', minute))
            redis.call('EXPIRE', KEYS[1], 2764800)
            return {1, forgotten, ahead}
            """
        )
    }

    public func enqueue(
        _ data: [UInt8],
        priority: Double?,
        onceFor task: String,
        at minute: Int
    ) async throws -> Bool {
        let arguments: [RedisArgument] = [.init(task), .init(minute)]
        let isSpread = try await isSpread()
        let reply: RedisReply
        if isSpread {
            reply = try await client.eval(Self.claim, keys: [.init(keys.ticks)], arguments: arguments)
        } else {
            var commands = RedisBatch.forScript(reservingCapacity: data.count + 64)
            try queue.append([(data, priority)], to: &commands)
            reply = try await client.evaluate(
                Self.tick,
                keys: [.init(keys.ticks), .init(keys.queue)],
                arguments: arguments,
                commands: commands
            )
        }
        let answers = reply.elements?.map { $0.integer == 1 } ?? []
        guard answers.count == 3 else { return false }
        if answers[1] {
            logger.warning(
                "A periodic task was recorded for a minute to come, by a clock that was ahead; that is forgotten."
            )
        }
        if answers[2], !isClockReported.exchange(true, ordering: .relaxed) {
            logger.warning(
                "This host's clock is more than a minute ahead of the server's: periodic tasks may run at wrong times."
            )
        }
        if isSpread, answers[0] { try await enqueueClaimed(data, priority, task) }
        return answers[0]
    }

    /// Enqueues a periodic task whose minute is claimed; gives the claim back where the queue does not take it.
    private func enqueueClaimed(_ data: [UInt8], _ priority: Double?, _ task: String) async throws {
        do {
            try await enqueue(data, priority: priority)
        } catch let error as any StorageFailure where !error.mayHaveHappened {
            try await client.command("HDEL", .init(keys.ticks), .init(task))
            throw error
        }
    }

    public func lastMinute(of task: String) async throws -> Int? {
        try await client.command("HGET", .init(keys.ticks), .init(task)).string.flatMap { Int($0) }
    }
}
