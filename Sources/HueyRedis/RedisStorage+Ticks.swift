public import Huey
import Redis

extension RedisStorage: TickingStorage {
    /// KEYS: ticks, queue. ARGV: task, minute, and the command that adds the message. The claim is written last, because Redis does not
    /// roll back; the first write takes something away, because a full server refuses a script that begins by adding.
    private static let tick = RedisScript(
        """
        local last, minute = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or ''), tonumber(ARGV[2])
        if last and last >= minute and last - minute < 60 then return 0 end
        redis.call('HDEL', KEYS[1], '')
        redis.call(unpack(ARGV, 4))
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
        redis.call('EXPIRE', KEYS[1], 2764800)
        return 1
        """
    )

    public func enqueue(
        _ data: [UInt8],
        priority: Double?,
        onceFor task: String,
        at minute: Int
    ) async throws -> Bool {
        var commands = RedisBatch.forScript(reservingCapacity: data.count + 64)
        try queue.append([(data, priority)], to: &commands)
        let reply = try await client.evaluate(
            Self.tick,
            keys: [.init(keys.ticks), .init(keys.queue)],
            arguments: [.init(task), .init(minute)],
            commands: commands
        )
        return reply.integer == 1
    }

    public func lastMinute(of task: String) async throws -> Int? {
        try await client.command("HGET", .init(keys.ticks), .init(task)).string.flatMap { Int($0) }
    }
}
