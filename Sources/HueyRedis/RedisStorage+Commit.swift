public import Huey
import Pickle
import Redis

extension RedisStorage {
    /// The effects of many tasks as few commands in one write: deletions, values, notifications, messages, appointments.
    public func commit(_ effects: [StorageEffect]) async throws {
        var merged = MergedEffects()
        for effect in effects { try merged.add(effect) }
        let batch = try merged.batch(for: self)
        if batch.count > 0 { try await client.run(batch) }
    }

    public func bury(_ letter: DeadLetter) async throws { try await commit([.bury(letter)]) }
}

/// Effects sorted by command. A key that is deleted and then set, or the reverse, ends the way the last effect wants.
private struct MergedEffects {
    private var deletions: [String] = []
    private var values: [StoredValue] = []
    private var notified: [String] = []
    private var messages: [(data: [UInt8], priority: Double?)] = []
    private var appointments: [(score: Double, data: [UInt8])] = []
    private var letters: [DeadLetter] = []
    /// Whether a deletion may have to take back a value of the same batch. Deletions are of revocations, `r:…`.
    private var mayCollide = false

    mutating func add(_ effect: StorageEffect) throws {
        switch effect {
        case .put(let value, let key, let isResult):
            values.append(StoredValue(key: key, value: value, isResult: isResult))
            mayCollide = mayCollide || !isResult || key.utf8.first == UInt8(ascii: "r")
            if isResult { notified.append(key) }
        case .delete(let key):
            if mayCollide || !key.hasPrefix("r:") { values.removeAll { $0.key == key } }
            deletions.append(key)
        case .enqueue(let data, let priority):
            messages.append((data, priority))
        case .schedule(let data, let moment):
            appointments.append((try moment.redisScore(), data))
        case .bury(let letter):
            letters.append(letter)
        }
    }

    func batch(for storage: RedisStorage) throws -> RedisBatch {
        let (keys, options) = (storage.keys, storage.options)
        var batch = RedisBatch()
        storage.values.write(deletions: deletions, values: values, to: &batch)
        if options.notifyResult {
            let seconds = Int(options.notifyResultTTL.components.seconds)
            for key in notified {
                batch.append("LPUSH", .init(keys.notifyPrefix + key), "1")
                batch.append("EXPIRE", .init(keys.notifyPrefix + key), .init(seconds))
            }
        }
        try storage.queue.append(messages, to: &batch)
        if !appointments.isEmpty {
            batch.command("ZADD", argumentCount: 1 + 2 * appointments.count)
            batch.argument(keys.schedule)
            for (score, data) in appointments {
                batch.argument(score)
                batch.argument(data)
            }
        }
        try bury(into: &batch, keys: keys, limit: options.deadLetterLimit)
        return batch
    }

    private func bury(into batch: inout RedisBatch, keys: RedisKeys, limit: Int) throws {
        guard !letters.isEmpty else { return }
        for letter in letters {
            // A protocol that every Python can read.
            var writer = PickleWriter(protocol: 2)
            try letter.encode(to: &writer)
            batch.append("LPUSH", .init(keys.dead), .init(try writer.finish()))
        }
        batch.append("LTRIM", .init(keys.dead), 0, .init(limit - 1))
    }
}
