import Huey
import Pickle
import Redis

/// Effects sorted by command. A key that is deleted and then set, or the reverse, ends the way the last effect wants.
struct MergedEffects {
    private var deletions: [String] = []
    /// What comes before all other values.
    private var completions: [Completions] = []
    private var counters: [String] = []
    private var values: [StoredValue] = []
    private var notified: [String] = []
    private var messages: [(data: [UInt8], priority: Double?)] = []
    private var appointments: [(score: Double, data: [UInt8])] = []
    private var letters: [DeadLetter] = []
    private var releases: [(digest: String, id: String)] = []
    /// Whether a deletion may have to take back a value of the same batch. Deletions are of revocations, `r:…`.
    private var mayCollide = false
    /// Lua's stack bounds how many words a command of a script may have; a large chord has more keys.
    private static let mostKeys = 1000

    mutating func add(_ effect: StorageEffect) throws {
        switch effect {
        case .put(let value, let key, let isResult):
            values.append(StoredValue(key: key, value: value, isResult: isResult))
            mayCollide = mayCollide || !isResult || key.utf8.first == UInt8(ascii: "r")
            if isResult { notified.append(key) }
        case .delete(let key):
            if mayCollide || !key.hasPrefix("r:") { values.removeAll { $0.key == key } }
            deletions.append(key)
        case .complete(let tasks):
            if values.isEmpty {
                completions.append(tasks)
            } else {
                // Behind other values, which may be of the same tasks.
                for effect in tasks.effects { try add(effect) }
            }
        case .deleteCounter(let key):
            counters.append(key)
        case .enqueue(let data, let priority):
            messages.append((data, priority))
        case .schedule(let data, let moment):
            appointments.append((try moment.redisScore(), data))
        case .bury(let letter):
            letters.append(letter)
        case .releaseUnique(let digest, let id):
            releases.append((digest, id))
        }
    }

    /// About how many bytes the commands take for what most tasks bring about.
    var byteCount: Int { completions.reduce(256) { $0 + 2 * $1.ids.byteCount + $1.byteCount + 75 * $1.count } }

    /// Adds the commands that bring the effects about.
    ///
    /// - Throws: ``HueyError`` for a message that cannot be enqueued here.
    func write(to batch: inout RedisBatch, for storage: RedisStorage) throws {
        let (keys, options) = (storage.keys, storage.options)
        var rest = deletions[...]
        while rest.count > Self.mostKeys {
            storage.values.write(
                deletions: Array(rest.prefix(Self.mostKeys)),
                completions: [],
                values: [],
                to: &batch
            )
            rest = rest.dropFirst(Self.mostKeys)
        }
        storage.values.write(deletions: Array(rest), completions: completions, values: values, to: &batch)
        for key in counters { storage.values.deleteCounter(key, &batch) }
        for (digest, id) in releases { batch.append("HDEL", .init(keys.unique(digest)), .init(id)) }
        if options.notifyResult {
            let seconds = Int(options.notifyResultTTL.components.seconds)
            func notify(_ key: UnsafeRawBufferPointer) {
                batch.command("LPUSH", argumentCount: 2)
                batch.argument(keys.notifyPrefix, key)
                batch.argument("1")
                batch.command("EXPIRE", argumentCount: 2)
                batch.argument(keys.notifyPrefix, key)
                batch.argument(seconds)
            }
            for tasks in completions {
                tasks.forEach { id, value in if value != nil { notify(id) } }
            }
            for var key in notified { key.withUTF8 { notify(UnsafeRawBufferPointer($0)) } }
        }
        try storage.queue.append(messages, to: &batch)
        if !appointments.isEmpty {
            batch.command("ZADD", argumentCount: 1 + 2 * appointments.count)
            batch.argument(keys.schedule)
            for (score, data) in appointments {
                batch.argument(score)
                batch.argument(ScheduleMember.member(of: data, options.kind))
            }
        }
        try bury(into: &batch, keys: keys, options)
    }

    private func bury(into batch: inout RedisBatch, keys: RedisKeys, _ options: RedisStorageOptions) throws {
        guard !letters.isEmpty else { return }
        for letter in letters {
            // A protocol that every Python can read.
            var writer = PickleWriter(protocol: 2)
            try letter.encode(to: &writer)
            StoredLetter(bytes: try writer.finish()).push(to: keys.dead, &batch)
        }
        batch.append("LTRIM", .init(keys.dead), 0, .init(options.deadLetterLimit - 1))
        batch.append("EXPIRE", .init(keys.dead), .init(max(1, Int(options.deadLetterAge.components.seconds))))
    }
}
