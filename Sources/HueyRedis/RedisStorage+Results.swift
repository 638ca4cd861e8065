import Huey
import Redis

extension RedisStorage {
    public func putData(_ value: [UInt8], forKey key: String, isResult: Bool) async throws {
        try await commit([.put(value, key: key, isResult: isResult)])
    }

    public func peekData(_ key: String) async throws -> [UInt8]? {
        try await client.command("HGET", .init(keys.results), .init(key)).bytes
    }

    public func peekMany(_ keys: [String]) async throws -> [[UInt8]?] {
        guard !keys.isEmpty else { return [] }
        var batch = RedisBatch()
        batch.append("HMGET", [.init(self.keys.results)] + keys.map { .init($0) })
        return try await run(batch).first?.elements?.map(\.bytes) ?? []
    }

    public func popData(_ key: String) async throws -> [UInt8]? {
        var batch = RedisBatch()
        batch.transaction { batch in
            batch.append("HGET", .init(keys.results), .init(key))
            batch.append("HDEL", .init(keys.results), .init(key))
        }
        return try await run(batch).last?.elements?.first?.bytes
    }

    public func deleteData(_ key: String) async throws -> Bool {
        try await integer("HDEL", .init(keys.results), .init(key)) != 0
    }

    public func hasData(forKey key: String) async throws -> Bool {
        try await integer("HEXISTS", .init(keys.results), .init(key)) != 0
    }

    public func putIfEmpty(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool {
        if ttl != nil {
            guard try await supportsHashTTL() else {
                throw HueyError(
                    .notSupported, "ttl requires hash-field TTL support (redis 7.4+ or valkey 9+).")
            }
        }
        guard try await integer("HSETNX", .init(keys.results), .init(key), .init(value)) != 0 else { return false }
        if let ttl {
            _ = try await client.command("HEXPIRE", .init(keys.results), .init(ttl), "FIELDS", 1, .init(key))
        }
        return true
    }

    /// Whether the server can let a hash's field expire. Mirrors `supports_hash_ttl`.
    private func supportsHashTTL() async throws -> Bool {
        let reply = try await client.command("COMMAND", "INFO", "HEXPIRE")
        return reply.elements?.first?.elements?.isEmpty == false
    }

    /// Waits by notification where the instance has it, else by polling.
    public func waitResult(
        _ key: String, timeout: Duration?, backoff: Double, maxDelay: Duration
    ) async throws -> Bool {
        guard options.notifyResult else {
            return try await pollResult(key, timeout: timeout, backoff: backoff, maxDelay: maxDelay)
        }
        if try await hasData(forKey: key) { return true }
        let notification = keys.notifyPrefix + key
        let connection = try await client.connect()
        do {
            var batch = RedisBatch()
            batch.append("BLPOP", .init(notification), .init(timeout?.seconds ?? 0))
            let reply = try await connection.execute(batch, timeout: nil).first?.get()
            await connection.close()
            try Task.checkCancellation()
            guard reply?.isNull == false else { return try await hasData(forKey: key) }
        } catch {
            await connection.close()
            throw error
        }
        _ = try await client.command("DEL", .init(notification))
        return true
    }

    public func resultStoreSize() async throws -> Int { try await integer("HLEN", .init(keys.results)) }

    public func resultItems() async throws -> [String: [UInt8]] {
        let flat = try await list("HGETALL", .init(keys.results))
        var items: [String: [UInt8]] = [:]
        for index in stride(from: 0, to: flat.count - 1, by: 2) {
            items[String(decoding: flat[index], as: UTF8.self)] = flat[index + 1]
        }
        return items
    }

    public func flushResults() async throws { _ = try await client.command("DEL", .init(keys.results)) }
}
