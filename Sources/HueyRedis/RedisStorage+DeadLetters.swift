public import Huey
import Pickle
import Redis

/// A message that was put aside, as it lies on Redis.
public struct DeadLetterEntry: Sendable {
    /// 16 hexadecimal digits: a hash of the letter, so that it stays the same from look to look.
    public let id: String
    public let letter: DeadLetter
    /// The letter as it stands in the list.
    let stored: [UInt8]

    /// Nil for what is no letter of ours.
    init?(stored: [UInt8]) {
        guard let root = try? PickleDocument(stored).root, let letter = try? DeadLetter(pickle: root) else {
            return nil
        }
        self.letter = letter
        self.stored = stored
        // FNV-1a.
        let hash = stored.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        id = String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension RedisStorage: LetterKeepingStorage {
    /// How many messages were put aside.
    public func deadLetterCount() async throws -> Int {
        try await client.command("LLEN", .init(keys.dead)).integer ?? 0
    }

    /// The messages that were put aside, newest first.
    ///
    /// - Throws: ``PickleError`` when a letter is none of ours, or the connection's error.
    public func deadLetters(limit: Int = 100) async throws -> [DeadLetter] {
        let reply = try await client.command("LRANGE", .init(keys.dead), 0, .init(max(1, limit) - 1))
        return try reply.elements?.compactMap(\.bytes).map { data in
            try DeadLetter(pickle: try PickleDocument(data).root)
        } ?? []
    }

    /// The same with their ids, so that they can be requeued or dropped. What is no letter of ours is left out.
    ///
    /// - Throws: the connection's error.
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

    /// The letters whose id is, or begins with, `id`.
    ///
    /// - Throws: the connection's error.
    public func deadLetterEntries(id: String) async throws -> [DeadLetterEntry] {
        var found: [DeadLetterEntry] = []
        let count = try await deadLetterCount()
        for start in stride(from: 0, to: count, by: 100) {
            found += try await deadLetterEntries(from: start, limit: 100).filter { $0.id.hasPrefix(id) }
        }
        return found
    }

    /// Takes a letter's message back into the queue, byte for byte, in one step; false when the letter is gone.
    ///
    /// - Parameter priority: the message's priority, which a queue with priorities does not find in the bytes.
    /// - Throws: ``HueyError`` `.priorityNotSupported`, the connection's error; the letter is still there then.
    public func requeueDeadLetter(_ entry: DeadLetterEntry, priority: Double? = nil) async throws -> Bool {
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

    /// Removes a letter for good; false when it is gone already.
    ///
    /// - Throws: the connection's error.
    public func dropDeadLetter(_ entry: DeadLetterEntry) async throws -> Bool {
        try await drop(entry, fromEnd: false)
    }

    /// Removes letters that are older than ``RedisStorageOptions/deadLetterAge``; how many. Every consumer does it from time to time.
    ///
    /// - Throws: the connection's error.
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
