public import Huey
import Logging
public import Pickle
import Redis

/// The schedule's accounting of deaths: a scheduler leaves a mark while it decodes and moves messages, and takes it away afterwards. Where it
/// finds the mark of another, that one may have died of a message that is due: each is charged before it is looked at then, and moved
/// alone, until the mark's messages are through.
extension RedisStorage: ChargingSchedule {
    /// KEYS: deaths. ARGV: the message. Charges it once more; answers how often it was charged before.
    private static let charge = RedisScript(
        """
        local field = redis.sha1hex(ARGV[1]) .. '?'
        local charged = redis.call('HGET', KEYS[1], field) or '0'
        redis.call('HDEL', KEYS[1], '')
        redis.call('HSET', KEYS[1], field, math.min((tonumber(charged) or 0) + 1, 2147483647))
        redis.call('EXPIRE', KEYS[1], 604800)
        return charged
        """
    )

    /// KEYS: deaths. ARGV: the message. It was moved, and nobody died.
    private static let acquit = RedisScript("return redis.call('HDEL', KEYS[1], redis.sha1hex(ARGV[1]) .. '?')")

    public func promoteSchedule(
        dueAt moment: PickleDateTime,
        limit: Int,
        deathLimit: Int?,
        transform: @Sendable ([UInt8]) async throws -> [StorageEffect]
    ) async throws -> Int {
        let score = RedisArgument(try moment.redisScore())
        let replies = try await client.run { batch in
            batch.append("ZRANGEBYSCORE", .init(keys.schedule), "-inf", score, "LIMIT", 0, .init(limit))
            batch.append("HKEYS", .init(keys.promoting))
        }
        let due = replies[0].elements?.compactMap(\.bytes) ?? []
        guard !due.isEmpty else { return 0 }
        guard let deathLimit else {
            try await move(due, dueAt: score, transform)
            return due.count
        }
        let marks = replies[1].elements?.compactMap(\.string) ?? []
        if marks.isEmpty || marks == [schedulerMark] {
            try await marking { try await move(due, dueAt: score, transform) }
        } else {
            for data in due { try await moveCharged(data, dueAt: score, deathLimit, transform) }
            try await client.run { batch in
                batch.append("HDEL", [.init(keys.promoting)] + marks.map { .init($0) })
            }
        }
        return due.count
    }

    private func marking(_ body: () async throws -> Void) async throws {
        try await client.run { batch in
            batch.append("HSET", .init(keys.promoting), .init(schedulerMark), 1)
            batch.append("EXPIRE", .init(keys.promoting), 604_800)
        }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        // Where this fails, the next look is careful once.
        _ = try? await client.command("HDEL", .init(keys.promoting), .init(schedulerMark))
        try outcome.get()
    }

    private func moveCharged(
        _ data: [UInt8],
        dueAt score: RedisArgument,
        _ deathLimit: Int,
        _ transform: @Sendable ([UInt8]) async throws -> [StorageEffect]
    ) async throws {
        let reply = try await client.eval(Self.charge, keys: [.init(keys.deaths)], arguments: [.init(data)])
        let deaths = reply.string.flatMap { Int($0) } ?? 0
        try await move([data], dueAt: score) { data in
            guard deaths >= deathLimit else { return try await transform(data) }
            let detail = "\(deaths) schedulers died while they read or moved it"
            logger.error("A scheduled message is put aside: \(detail).")
            let time = TimeSource.system.microseconds()
            return [.bury(DeadLetter(data: data, reason: .workerDied, detail: detail, time: time))]
        }
        try await client.eval(Self.acquit, keys: [.init(keys.deaths)], arguments: [.init(data)])
    }
}
