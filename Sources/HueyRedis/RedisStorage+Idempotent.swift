public import Huey
import Redis

extension RedisStorage: IdempotentStorage {
    /// The mark is set last, because Redis does not roll back: a message that the queue refuses leaves none. KEYS: mark, queue.
    /// ARGV: milliseconds, and the command that adds the message, its number of words first.
    private static let once = RedisScript(
        """
        if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
        redis.call(unpack(ARGV, 3))
        redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])
        return 1
        """
    )

    @discardableResult
    public func enqueue(
        _ data: [UInt8],
        priority: Double?,
        onceFor id: String,
        memory: Duration
    ) async throws -> Bool {
        var commands = RedisBatch.forScript(reservingCapacity: data.count + 64)
        try queue.append([(data, priority)], to: &commands)
        let milliseconds = max(1, Int(memory.inSeconds * 1000))
        if try await isSpread() {
            let mark = RedisArgument(keys.sent(id))
            guard try await client.command("EXISTS", mark).integer == 0 else { return false }
            try await client.run { batch in
                try queue.append([(data, priority)], to: &batch)
                batch.append("SET", mark, 1, "PX", .init(milliseconds))
            }
            return true
        }
        func batch(bySource: Bool) -> RedisBatch {
            var batch = RedisBatch()
            batch.evaluate(
                Self.once,
                bySource: bySource,
                keys: [.init(keys.sent(id)), .init(keys.queue)],
                arguments: [.init(milliseconds)],
                commands: commands
            )
            return batch
        }
        var replies = try await client.execute(batch(bySource: false))
        if replies.first?.error?.prefix == "NOSCRIPT" { replies = try await client.execute(batch(bySource: true)) }
        return try replies.first?.get().integer == 1
    }
}
