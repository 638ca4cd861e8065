public import Huey
import Redis
import Synchronization

extension RedisStorage: AcknowledgingStorage {
    /// A channel that keeps what it hands out on the server until it is settled.
    ///
    /// - Throws: ``HueyError`` `.notSupported` for a server before Redis 6.2, `.invalidConfiguration` for a name that spreads over the slots
    ///   of a cluster; the connection's error.
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
        try await requireOneSlot()
        return AcknowledgingChannel(storage: self, options: options, logger: logger)
    }
}

extension RedisStorage: LockingStorage {
    /// Takes a lock, and puts it on record where a consumer of this process could die with it. One with a time to live opens by itself.
    public func acquireLock(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool {
        guard let session = sessionOfConsumer.withLock({ $0 }) else {
            return try await putIfEmpty(value, forKey: key, ttl: ttl)
        }
        let isTaken =
            if ttl == nil { try await record(value, forKey: key, of: session) } else {
                try await putIfEmpty(value, forKey: key, ttl: ttl)
            }
        guard isTaken else { return false }
        holders.withLock { holders in
            if holders[key]?.last != session { holders[key, default: []].append(session) }
        }
        return true
    }

    private func record(_ value: [UInt8], forKey key: String, of session: String) async throws -> Bool {
        var commands = RedisBatch.forScript()
        values.putIfEmpty(value, forKey: key, &commands)
        let reply = try await client.evaluate(
            DeliveryScripts.lock,
            keys: [.init(keys.heartbeats), .init(keys.locks(session))],
            arguments: [.init(session), .init(values.place(of: key))],
            commands: commands
        )
        return reply.integer == 1
    }

    /// Opens a lock, whoever holds it; but one that this process took in a session that is over belongs to whoever has taken it since.
    public func releaseLock(_ key: String) async throws -> Bool {
        let holder = holders.withLock { holders -> String? in
            guard let session = holders[key]?.removeFirst() else { return nil }
            if holders[key]?.isEmpty == true { holders[key] = nil }
            return session
        }
        guard let session = holder ?? sessionOfConsumer.withLock({ $0 }) else { return try await deleteData(key) }
        var commands = RedisBatch.forScript()
        values.delete(key, &commands)
        let reply = try await client.evaluate(
            DeliveryScripts.unlock,
            keys: [.init(keys.heartbeats), .init(keys.locks(session))],
            arguments: [.init(session), .init(values.place(of: key)), holder == nil ? 0 : 1],
            commands: commands
        )
        return reply.integer != 0
    }
}
