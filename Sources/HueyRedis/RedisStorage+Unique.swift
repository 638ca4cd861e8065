public import Huey
import Redis

extension RedisStorage: UniqueStorage {
    /// The key is a hash of one field, the job's id: taking the field away frees it, and frees nothing that another job has taken. It is
    /// written last, because Redis does not roll back. KEYS: unique, queue. ARGV: id, milliseconds, and the command that adds the message.
    private static let unique = script(adding: "redis.call(unpack(ARGV, 4))")
    /// The same without the queue: only takes the key.
    private static let claim = script(adding: "")

    private static func script(adding add: String) -> RedisScript {
        RedisScript(
            """
            local ids = redis.call('HKEYS', KEYS[1])
            if ids[1] then return ids[1] end
            redis.call('HDEL', KEYS[1], '')
            \(add)
            redis.call('HSET', KEYS[1], ARGV[1], 1)
            redis.call('PEXPIRE', KEYS[1], ARGV[2])
            return ARGV[1]
            """
        )
    }

    public func enqueueUnique(
        _ data: [UInt8],
        priority: Double?,
        id: String,
        digest: String,
        ttl: Duration
    ) async throws -> String {
        let arguments: [RedisArgument] = [.init(id), .init(max(1, Int(ttl.inSeconds * 1000)))]
        if try await isSpread() {
            let holder = try await client.eval(Self.claim, keys: [.init(keys.unique(digest))], arguments: arguments)
            guard holder.string == id else { return holder.string ?? id }
            do {
                try await enqueue(data, priority: priority)
            } catch let error as any StorageFailure where !error.mayHaveHappened {
                try await releaseUnique(digest, id: id)
                throw error
            }
            return id
        }
        var commands = RedisBatch.forScript(reservingCapacity: data.count + 64)
        try queue.append([(data, priority)], to: &commands)
        let reply = try await client.evaluate(
            Self.unique,
            keys: [.init(keys.unique(digest)), .init(keys.queue)],
            arguments: arguments,
            commands: commands
        )
        return reply.string ?? id
    }

    public func releaseUnique(_ digest: String, id: String) async throws {
        try await commit([.releaseUnique(digest, id: id)])
    }
}
