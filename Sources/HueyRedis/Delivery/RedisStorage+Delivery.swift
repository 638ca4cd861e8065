public import Huey
import Redis
import Synchronization

extension RedisStorage: AcknowledgingStorage {
    /// A channel that keeps what it hands out on the server until it is settled.
    ///
    /// - Throws: ``HueyError`` `.notSupported` for a server before Redis 6.2, the connection's error.
    public func acknowledgingChannel(_ options: DeliveryOptions) async throws -> any DeliveryChannel {
        var question = RedisBatch()
        question.append("COMMAND", "INFO", "BLMOVE")
        let reply = try await client.execute(question)[0]
        // Who may not ask finds out.
        guard try reply.error?.isRefusal == true || reply.get().elements?.first?.elements?.isEmpty == false else {
            throw HueyError(
                .notSupported,
                "delivery at least once needs Redis 6.2 or Valkey; on this server choose at most once"
            )
        }
        return AcknowledgingChannel(storage: self, options: options, logger: logger)
    }
}

extension RedisStorage: LockingStorage {
    /// Takes a lock, and puts it on record where a consumer of this process could die with it. One with a time to live opens by itself.
    public func acquireLock(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool {
        guard ttl == nil, let life = lifeOfConsumer.withLock({ $0 }) else {
            return try await putIfEmpty(value, forKey: key, ttl: ttl)
        }
        var commands = RedisBatch.forScript()
        values.putIfEmpty(value, forKey: key, &commands)
        let reply = try await client.evaluate(
            DeliveryScripts.lock,
            keys: [.init(keys.beats), .init(keys.locks(life))],
            arguments: [.init(life), .init(values.place(of: key))],
            commands: commands
        )
        return reply.integer == 1
    }

    public func releaseLock(_ key: String) async throws -> Bool {
        guard let life = lifeOfConsumer.withLock({ $0 }) else { return try await deleteData(key) }
        let replies = try await client.run { batch in
            batch.transaction { batch in
                values.delete(key, &batch)
                batch.append("SREM", .init(keys.locks(life)), .init(values.place(of: key)))
            }
        }
        return replies.last?.elements?.first?.integer != 0
    }
}
