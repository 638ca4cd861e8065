import Huey
import Redis
import Synchronization

/// A server in cluster mode lets a script, a transaction or a command use several keys only where they lie in one slot. Keys of a name
/// without a hash tag do not: then each step is a command of one key, as huey's are, and what belongs together is not one step any more.
extension RedisStorage {
    /// Whether this instance's keys lie in several slots of a server in cluster mode. Asks the server once; one that does not tell is none.
    func isSpread() async throws -> Bool {
        if keys.liesInOneSlot { return false }
        if let isSpread = knownSpread.withLock({ $0 }) { return isSpread }
        let replies: RedisReplies
        do {
            replies = try await client.execute(Self.question)
        } catch var error as RedisError {
            // Nothing of what is to be done has been sent.
            error.mayHaveExecuted = false
            throw error
        }
        let isSpread = replies.first?.string.map { ServerState($0).isCluster } ?? false
        knownSpread.withLock { $0 = isSpread }
        return isSpread
    }

    private static let question: RedisBatch = {
        var batch = RedisBatch()
        batch.append("INFO", "cluster")
        return batch
    }()

    /// Carries out effects one after the other.
    ///
    /// - Throws: the first error. Where it says that nothing can have happened, nothing has.
    func commitSpread(_ effects: [StorageEffect]) async throws {
        var batch = RedisBatch()
        for effect in effects.flatMap(\.single) {
            var merged = MergedEffects()
            try merged.add(effect)
            try merged.write(to: &batch, for: self)
        }
        guard batch.count > 0 else { return }
        let replies = try await client.execute(batch)
        guard let error = replies.firstError else { return }
        let isAnyDone = replies.contains { $0.error == nil }
        throw RedisError(error.code, error.message, mayHaveExecuted: error.mayHaveExecuted || isAnyDone)
    }

    /// Takes a member out of the schedule where it is due; answers its score. KEYS: schedule. ARGV: the moment, the member.
    private static let take = RedisScript(
        """
        local score = redis.call('ZSCORE', KEYS[1], ARGV[2])
        if not score or tonumber(score) > tonumber(ARGV[1]) then return false end
        redis.call('ZREM', KEYS[1], ARGV[2])
        return score
        """
    )

    /// Moves members out of the schedule one by one: each is taken out first, as huey does, so that no two schedulers move it. What the
    /// server does not take goes back.
    func moveSpread(
        _ due: [[UInt8]],
        dueAt score: RedisArgument,
        _ transform: @Sendable ([UInt8]) async throws -> [StorageEffect]
    ) async throws {
        var refusal: (any Error)?
        for member in due {
            let effects = try await transform(ScheduleMember.message(of: member, options.kind))
            let taken = try await client.eval(
                Self.take,
                keys: [.init(keys.schedule)],
                arguments: [score, .init(member)]
            )
            guard let old = taken.bytes else { continue }
            do {
                try await commitSpread(effects)
            } catch {
                let mayHaveHappened = (error as? any StorageFailure)?.mayHaveHappened ?? false
                if !mayHaveHappened {
                    try await client.command("ZADD", .init(keys.schedule), "NX", .init(old), .init(member))
                }
                refusal = error
            }
        }
        if let refusal { throw refusal }
    }
}

extension StorageEffect {
    /// The effect, or, of many tasks' ends, each one's.
    fileprivate var single: [StorageEffect] {
        if case .complete(let tasks) = self { return tasks.effects }
        return [self]
    }
}
