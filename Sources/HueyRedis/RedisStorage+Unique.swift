public import Huey
import Redis

extension RedisStorage: UniqueStorage {
    /// The key is a hash of one field, the job's id: taking the field away frees it, and frees nothing that another job has taken. It is
    /// written last, because Redis does not roll back. KEYS: unique, queue. ARGV: id, milliseconds, and the command that adds the message.
    private static let unique = RedisScript(
        """
        local ids = redis.call('HKEYS', KEYS[1])
        if ids[1] then return ids[1] end
        redis.call('HDEL', KEYS[1], '')
        redis.call(unpack(ARGV, 4))
        redis.call('HSET', KEYS[1], ARGV[1], 1)
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        return ARGV[1]
        """
    )

    public func enqueueUnique(
        _ data: [UInt8],
        priority: Double?,
        id: String,
        digest: String,
        ttl: Duration
    ) async throws -> String {
        var commands = RedisBatch.forScript(reservingCapacity: data.count + 64)
        try queue.append([(data, priority)], to: &commands)
        let reply = try await client.evaluate(
            Self.unique,
            keys: [.init(keys.unique(digest)), .init(keys.queue)],
            arguments: [.init(id), .init(max(1, Int(ttl.inSeconds * 1000)))],
            commands: commands
        )
        return reply.string ?? id
    }

    public func releaseUnique(_ digest: String, id: String) async throws {
        try await commit([.releaseUnique(digest, id: id)])
    }
}
