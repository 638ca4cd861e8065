public import Huey
import Redis

extension RedisStorage {
    /// The effects of many tasks as few commands in one write: deletions, values, notifications, messages, appointments.
    public func commit(_ effects: [StorageEffect]) async throws {
        var merged = MergedEffects()
        for effect in effects { try merged.add(effect) }
        var commands = RedisBatch(reservingCapacity: merged.byteCount)
        try merged.write(to: &commands, for: self)
        guard commands.count > 1 else {
            if commands.count > 0 { try await client.run(commands) }
            return
        }
        if try await isSpread() { return try await commitSpread(effects) }
        // All or none: a server that is full or read-only must not do half, or trying again would do that half twice.
        var batch = RedisBatch(reservingCapacity: commands.byteCount + 64)
        batch.transaction { $0.append(contentsOf: commands) }
        let replies = try await client.run(batch)
        // The server has carried out the others.
        if let error = replies.last?.elements?.firstError {
            throw RedisError(error.code, error.message, mayHaveExecuted: true)
        }
    }

    public func bury(_ letter: DeadLetter) async throws { try await commit([.bury(letter)]) }
}
