public import Huey
import Redis

extension RedisStorage {
    public func putData(_ value: [UInt8], forKey key: String, isResult: Bool) async throws {
        try await commit([.put(value, key: key, isResult: isResult)])
    }

    public func peekData(_ key: String) async throws -> [UInt8]? { try await peekMany([key]).first ?? nil }

    public func peekMany(_ keys: [String]) async throws -> [[UInt8]?] {
        guard !keys.isEmpty else { return [] }
        if options.kind.expires, try await isSpread() { return try await peekSpread(keys) }
        return try await client.run { values.peek(keys, &$0) }.first?.elements?.map(\.bytes) ?? []
    }

    public func peekRevocations(ofTasks ids: TaskIDs, named names: [String]) async throws -> [Int: [UInt8]] {
        if options.kind.expires, try await isSpread() {
            let keys = ids.strings.map(Message.revocationKey) + names.map(Huey.revocationKey(task:))
            let values = try await peekSpread(keys)
            return [Int: [UInt8]](
                uniqueKeysWithValues: values.enumerated().compactMap { entry in
                    entry.element.map { (entry.offset, $0) }
                }
            )
        }
        let reply = try await client.run { values.peekRevocations(ofTasks: ids, named: names, &$0) }.first
        var found: [Int: [UInt8]] = [:]
        guard let elements = reply?.elements, !elements.areNull else { return found }
        for index in elements.indices { found[index] = elements[index].bytes }
        return found
    }

    /// The values of keys that are asked for one by one.
    private func peekSpread(_ keys: [String]) async throws -> [[UInt8]?] {
        let replies = try await client.run { batch in for key in keys { values.peek([key], &batch) } }
        return replies.map { $0.elements?.first?.bytes }
    }

    public func popData(_ key: String) async throws -> [UInt8]? {
        values.popped(in: try await client.run { values.pop(key, &$0) })
    }

    public func deleteData(_ key: String) async throws -> Bool {
        try await client.run { values.delete(key, &$0) }.first?.integer != 0
    }

    public func hasData(forKey key: String) async throws -> Bool {
        try await client.run { values.exists(key, &$0) }.first?.integer != 0
    }

    public func putIfEmpty(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool {
        try await values.putIfEmpty(value, forKey: key, ttl: ttl, on: client)
    }

    /// Waits by notification where the instance has it, else by polling.
    public func waitResult(
        _ key: String,
        timeout: Duration?,
        backoff: Double,
        maxDelay: Duration
    ) async throws -> Bool {
        guard options.notifyResult else {
            return try await pollResult(key, timeout: timeout, backoff: backoff, maxDelay: maxDelay)
        }
        let look = ResultLook(notification: keys.notifyPrefix + key) { [values] in
            values.exists(key, &$0)
        } found: {
            $0.last?.integer == 0 ? nil : []
        }
        switch try await listener.wait(for: look, timeout: timeout) {
        case .found, .notified: return true
        case .nothing: return false
        case .refused: return try await block(on: key, timeout: timeout)
        }
    }

    /// Looks at the value and for its notification in one write, and takes both in another once it is there.
    public func awaitData(
        _ key: String,
        preserve: Bool,
        timeout: Duration?,
        backoff: Double,
        maxDelay: Duration
    ) async throws -> [UInt8]? {
        func read() async throws -> [UInt8]? { preserve ? try await peekData(key) : try await popData(key) }
        guard options.notifyResult else {
            if let data = try await read() { return data }
            let came = try await pollResult(key, timeout: timeout, backoff: backoff, maxDelay: maxDelay)
            return came ? try await read() : nil
        }
        let look = ResultLook(notification: keys.notifyPrefix + key) { [values] batch in
            if preserve { values.peek([key], &batch) } else { values.pop(key, &batch) }
        } found: { [values] replies in
            preserve ? replies.last?.elements?.first?.bytes : values.popped(in: replies)
        }
        switch try await listener.wait(for: look, timeout: timeout) {
        case .found(let data): return data
        case .notified, .nothing: return nil
        case .refused:
            if let data = try await read() { return data }
            return try await block(on: key, timeout: timeout) ? try await read() : nil
        }
    }

    /// Waits as huey does: by a connection of one's own, where the server does not tell of changes.
    private func block(on key: String, timeout: Duration?) async throws -> Bool {
        if try await hasData(forKey: key) { return true }
        let notification = keys.notifyPrefix + key
        let connection = try await client.connect()
        do {
            var batch = RedisBatch()
            batch.append("BLPOP", .init(notification), .init(timeout?.inSeconds ?? 0))
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

    /// Whether ``resultStoreSize()`` has to scan all keys of the server: in the kinds that expire each result is a key of its own.
    public var countsResultsByScan: Bool { options.kind.expires }

    public func resultStoreSize() async throws -> Int { try await values.count(on: client) }

    public func resultItems() async throws -> [String: [UInt8]] { try await values.items(on: client) }

    public func flushResults() async throws { try await values.flush(.results, on: client) }

    public func increment(_ key: String, by amount: Int) async throws -> Int {
        try await values.increment(key, by: amount, on: client)
    }

    public func deleteCounter(_ key: String) async throws {
        try await client.run { values.deleteCounter(key, &$0) }
    }

    public func flushCounters() async throws { try await values.flush(.counters, on: client) }
}
