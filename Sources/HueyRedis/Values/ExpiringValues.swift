import Huey
import Redis

/// Each value and counter under a key of its own; results and counters expire, and reading a result leaves it where it is.
/// Mirrors `RedisExpireStorage`.
struct ExpiringValues: RedisValues {
    let resultPrefix: String
    let counterPrefix: String
    /// Seconds until a result or a counter is gone.
    let expireTime: Int

    private func result(_ key: String) -> RedisArgument { .init(resultPrefix + key) }
    private func counter(_ key: String) -> RedisArgument { .init(counterPrefix + key) }

    func write(
        deletions: [String],
        completions: [Completions],
        values: [StoredValue],
        to batch: inout RedisBatch
    ) {
        let gone = completions.reduce(deletions.count) { $0 + $1.count }
        if gone > 0 {
            batch.command("DEL", argumentCount: gone)
            for key in deletions { batch.argument(resultPrefix, key) }
            let prefix = resultPrefix + Message.revocationKey("")
            for tasks in completions { tasks.ids.forEach { batch.argument(prefix, $0) } }
        }
        for tasks in completions {
            tasks.forEach { id, value in
                guard let value else { return }
                batch.command("SET", argumentCount: 4)
                batch.argument(resultPrefix, id)
                batch.argument(value)
                expire(&batch)
            }
        }
        for value in values {
            batch.command("SET", argumentCount: value.isResult ? 4 : 2)
            batch.argument(resultPrefix, value.key)
            batch.argument(value.value)
            if value.isResult { expire(&batch) }
        }
    }

    private func expire(_ batch: inout RedisBatch) {
        batch.argument("EX")
        batch.argument(expireTime)
    }

    func peek(_ keys: [String], _ batch: inout RedisBatch) { batch.append("MGET", keys.map(result)) }

    func peekRevocations(ofTasks ids: TaskIDs, named names: [String], _ batch: inout RedisBatch) {
        batch.command("MGET", argumentCount: ids.count + names.count)
        let (own, all) = (resultPrefix + Message.revocationKey(""), resultPrefix + Huey.revocationKey(task: ""))
        ids.forEach { batch.argument(own, $0) }
        for name in names { batch.argument(all, name) }
    }

    func pop(_ key: String, _ batch: inout RedisBatch) { batch.append("GET", result(key)) }

    func popped(in replies: RedisReplies) -> [UInt8]? { replies.last?.bytes }

    func delete(_ key: String, _ batch: inout RedisBatch) { batch.append("DEL", result(key)) }

    func exists(_ key: String, _ batch: inout RedisBatch) { batch.append("EXISTS", result(key)) }

    func putIfEmpty(_ value: [UInt8], forKey key: String, _ batch: inout RedisBatch) {
        batch.append("SET", result(key), .init(value), "NX")
    }

    func place(of key: String) -> String { resultPrefix + key }

    func counter(_ key: String, _ batch: inout RedisBatch) { batch.append("GET", counter(key)) }

    func count(_ key: String, _ batch: inout RedisBatch) {
        batch.append("INCRBY", counter(key), 1)
        batch.append("EXPIRE", counter(key), .init(expireTime))
    }

    func putIfEmpty(_ value: [UInt8], forKey key: String, ttl: Int?, on client: RedisClient) async throws -> Bool {
        var arguments: [RedisArgument] = [result(key), .init(value)]
        if let ttl { arguments += ["EX", .init(ttl)] }
        let replies = try await client.run { $0.append("SET", arguments + ["NX"]) }
        return replies.first?.isOK == true
    }

    func increment(_ key: String, by amount: Int, on client: RedisClient) async throws -> Int {
        let replies = try await client.run { batch in
            batch.transaction { batch in
                batch.append("INCRBY", counter(key), .init(amount))
                batch.append("EXPIRE", counter(key), .init(expireTime))
            }
        }
        guard let value = replies.last?.elements?.first else { return 0 }
        return try value.get().integer ?? 0
    }

    func deleteCounter(_ key: String, _ batch: inout RedisBatch) { batch.append("DEL", counter(key)) }

    func count(on client: RedisClient) async throws -> Int { try await keys(resultPrefix, on: client).count }

    func items(on client: RedisClient) async throws -> [String: [UInt8]] {
        let keys = try await keys(resultPrefix, on: client)
        var items: [String: [UInt8]] = [:]
        for start in stride(from: 0, to: keys.count, by: Self.step) {
            let part = keys[start..<min(start + Self.step, keys.count)]
            let values = try await client.run { batch in for key in part { batch.append("GET", .init(key)) } }
            for (key, value) in zip(part, values) {
                // One that expired in between is nil.
                if let bytes = value.bytes {
                    items[String(decoding: key.dropFirst(resultPrefix.utf8.count), as: UTF8.self)] = bytes
                }
            }
        }
        return items
    }

    func flush(_ what: RedisValueKind, on client: RedisClient) async throws {
        let keys = try await keys(what == .results ? resultPrefix : counterPrefix, on: client)
        for start in stride(from: 0, to: keys.count, by: Self.step) {
            let part = keys[start..<min(start + Self.step, keys.count)]
            try await client.run { batch in for key in part { batch.append("DEL", .init(key)) } }
        }
    }

    /// So many keys are looked at at once.
    private static let step = 500

    /// Every key that begins so. That takes a scan of all keys of the server: in steps, between which others have as much time as a step took.
    private func keys(_ prefix: String, on client: RedisClient) async throws -> [[UInt8]] {
        var found: Set<[UInt8]> = []
        var cursor = "0"
        repeat {
            let start = ContinuousClock.now
            let pattern = RedisArgument(Self.literal(prefix) + "*")
            let reply = try await client.command("SCAN", .init(cursor), "MATCH", pattern, "COUNT", .init(Self.step))
            cursor = reply.elements?.first?.string ?? "0"
            found.formUnion(reply.elements?.last?.elements?.compactMap(\.bytes) ?? [])
            if cursor != "0" { try await Task.sleep(for: start.duration(to: .now)) }
        } while cursor != "0"
        return Array(found)
    }

    /// The prefix as a pattern that matches nothing else, for a name that was not cleaned.
    private static func literal(_ prefix: String) -> String {
        prefix.map { "*?[]\\".contains($0) ? "\\\($0)" : String($0) }.joined()
    }
}
