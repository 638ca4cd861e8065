import Huey
import Redis

/// Values in one hash, counters in another. Mirrors `RedisStorage`.
struct HashValues: RedisValues {
    let results: String
    let counters: String

    func write(
        deletions: [String],
        completions: [Completions],
        values: [StoredValue],
        to batch: inout RedisBatch
    ) {
        let gone = completions.reduce(deletions.count) { $0 + $1.count }
        if gone > 0 {
            batch.command("HDEL", argumentCount: 1 + gone)
            batch.argument(results)
            for key in deletions { batch.argument(key) }
            for tasks in completions { Self.writeRevocationKeys(of: tasks.ids, to: &batch) }
        }
        let stored = completions.reduce(values.count) { $0 + $1.stored }
        if stored > 0 {
            batch.command("HSET", argumentCount: 1 + 2 * stored)
            batch.argument(results)
            for tasks in completions {
                batch.arguments(2 * tasks.stored, byteCount: tasks.ids.byteCount + tasks.byteCount) { writer in
                    tasks.forEach { id, value in
                        guard let value else { return }
                        writer.add(id)
                        writer.add(value)
                    }
                }
            }
            for value in values {
                batch.argument(value.key)
                batch.argument(value.value)
            }
        }
    }

    func peek(_ keys: [String], _ batch: inout RedisBatch) {
        batch.command("HMGET", argumentCount: 1 + keys.count)
        batch.argument(results)
        for key in keys { batch.argument(key) }
    }

    func peekRevocations(ofTasks ids: TaskIDs, named names: [String], _ batch: inout RedisBatch) {
        batch.command("HMGET", argumentCount: 1 + ids.count + names.count)
        batch.argument(results)
        Self.writeRevocationKeys(of: ids, to: &batch)
        let all = Huey.revocationKey(task: "")
        for name in names { batch.argument(all, name) }
    }

    private static func writeRevocationKeys(of ids: TaskIDs, to batch: inout RedisBatch) {
        var prefix = Message.revocationKey("")
        prefix.withUTF8 { prefix in
            let prefix = UnsafeRawBufferPointer(prefix)
            batch.arguments(ids.count, byteCount: ids.byteCount + ids.count * prefix.count) { writer in
                ids.forEach { writer.add(prefix, $0) }
            }
        }
    }

    func pop(_ key: String, _ batch: inout RedisBatch) {
        batch.transaction { batch in
            batch.append("HGET", .init(results), .init(key))
            batch.append("HDEL", .init(results), .init(key))
        }
    }

    func popped(in replies: RedisReplies) -> [UInt8]? { replies.last?.elements?.first?.bytes }

    func delete(_ key: String, _ batch: inout RedisBatch) { batch.append("HDEL", .init(results), .init(key)) }

    func exists(_ key: String, _ batch: inout RedisBatch) { batch.append("HEXISTS", .init(results), .init(key)) }

    func putIfEmpty(_ value: [UInt8], forKey key: String, _ batch: inout RedisBatch) {
        batch.append("HSETNX", .init(results), .init(key), .init(value))
    }

    func place(of key: String) -> String { key }

    func counter(_ key: String, _ batch: inout RedisBatch) { batch.append("HGET", .init(counters), .init(key)) }

    func count(_ key: String, _ batch: inout RedisBatch) { batch.append("HINCRBY", .init(counters), .init(key), 1) }

    func putIfEmpty(_ value: [UInt8], forKey key: String, ttl: Int?, on client: RedisClient) async throws -> Bool {
        if ttl != nil, try await !supportsTTL(client) {
            throw HueyError(.notSupported, "ttl requires hash-field TTL support (redis 7.4+ or valkey 9+).")
        }
        let reply = try await client.command("HSETNX", .init(results), .init(key), .init(value))
        guard reply.integer == 1 else { return false }
        guard let ttl else { return true }
        do {
            try await client.command("HEXPIRE", .init(results), .init(ttl), "FIELDS", 1, .init(key))
        } catch {
            // It would stay for ever.
            _ = try? await client.command("HDEL", .init(results), .init(key))
            throw error
        }
        return true
    }

    /// Whether the server can let a hash's field expire. Mirrors `supports_hash_ttl`, by asking for the command itself.
    private func supportsTTL(_ client: RedisClient) async throws -> Bool {
        var question = RedisBatch()
        question.append("COMMAND", "INFO", "HEXPIRE")
        let reply = try await client.execute(question)[0]
        // Who may not ask finds out.
        if reply.error?.isRefusal == true { return true }
        return try reply.get().elements?.first?.elements?.isEmpty == false
    }

    func increment(_ key: String, by amount: Int, on client: RedisClient) async throws -> Int {
        try await client.command("HINCRBY", .init(counters), .init(key), .init(amount)).integer ?? 0
    }

    func deleteCounter(_ key: String, _ batch: inout RedisBatch) {
        batch.append("HDEL", .init(counters), .init(key))
    }

    func count(on client: RedisClient) async throws -> Int {
        try await client.command("HLEN", .init(results)).integer ?? 0
    }

    func items(on client: RedisClient) async throws -> [String: [UInt8]] {
        guard let flat = try await client.command("HGETALL", .init(results)).elements else { return [:] }
        var items: [String: [UInt8]] = [:]
        for index in stride(from: 0, to: flat.count - 1, by: 2) {
            items[flat[index].string ?? ""] = flat[index + 1].bytes
        }
        return items
    }

    func flush(_ what: RedisValueKind, on client: RedisClient) async throws {
        try await client.command("DEL", .init(what == .results ? results : counters))
    }
}
