public import Huey
import Pickle
import Redis

extension RedisStorage: DeadLetterStorage {
    public func deadLetterCount() async throws -> Int {
        try await client.command("LLEN", .init(keys.dead)).integer ?? 0
    }

    public func deadLetterEntries(from start: Int = 0, limit: Int = 100) async throws -> [DeadLetterEntry] {
        guard start >= 0, limit > 0 else { return [] }
        let end = start.addingReportingOverflow(limit - 1)
        let reply = try await client.command(
            "LRANGE",
            .init(keys.dead),
            .init(start),
            .init(end.overflow ? -1 : end.partialValue)
        )
        return reply.elements?.compactMap(\.bytes).compactMap(DeadLetterEntry.init(stored:)) ?? []
    }

    public func requeueDeadLetter(_ entry: DeadLetterEntry, priority: Double? = nil) async throws -> Bool {
        if try await isSpread() {
            guard try await dropDeadLetter(entry) else { return false }
            do {
                try await enqueue(entry.letter.data, priority: priority)
            } catch {
                // In the queue it may run twice, as a dead letter it cannot get lost.
                try await bury(entry.letter)
                throw error
            }
            return true
        }
        var commands = RedisBatch.forScript(reservingCapacity: entry.letter.data.count + 64)
        try queue.append([(entry.letter.data, priority)], to: &commands)
        let reply = try await client.evaluate(
            Self.requeueScript,
            keys: [.init(keys.dead), .init(keys.queue)],
            arguments: StoredLetter(bytes: entry.stored).parts,
            commands: commands
        )
        return reply.integer == 1
    }

    /// The message first: where the queue refuses it, the letter stays. KEYS: letters, queue. ARGV: the letter, and the command that adds
    /// its message.
    private static let requeueScript = RedisScript(
        StoredLetter.joining + """
            local stored = letter()
            if not redis.call('LPOS', KEYS[1], stored) then return 0 end
            redis.call(unpack(ARGV, rest + 1))
            redis.call('LREM', KEYS[1], 1, stored)
            return 1
            """
    )

    /// KEYS: letters. ARGV: the letter, and on which side of the list to begin.
    private static let dropScript = RedisScript(
        StoredLetter.joining + "return redis.call('LREM', KEYS[1], ARGV[rest], letter())"
    )

    private func drop(_ entry: DeadLetterEntry, fromEnd: Bool) async throws -> Bool {
        let reply = try await client.eval(
            Self.dropScript,
            keys: [.init(keys.dead)],
            arguments: StoredLetter(bytes: entry.stored).parts + [fromEnd ? -1 : 1]
        )
        return reply.integer == 1
    }

    public func dropDeadLetter(_ entry: DeadLetterEntry) async throws -> Bool {
        try await drop(entry, fromEnd: false)
    }

    /// Removes letters that are older than ``RedisStorageOptions/deadLetterAge``.
    @discardableResult
    public func dropOldDeadLetters() async throws -> Int {
        let microseconds = options.deadLetterAge.inSeconds * 1e6
        let oldest = Double(TimeSource.system.microseconds()) - microseconds
        var dropped = 0
        // The oldest are at the end of the list.
        while let stored = try await client.command("LINDEX", .init(keys.dead), -1).bytes,
            let entry = DeadLetterEntry(stored: stored), Double(entry.letter.time) < oldest,
            try await drop(entry, fromEnd: true)
        {
            dropped += 1
        }
        return dropped
    }
}
