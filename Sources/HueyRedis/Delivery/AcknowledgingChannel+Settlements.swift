import Huey
import Logging
import Redis
import Synchronization

/// What became of messages.
extension AcknowledgingChannel {
    func commit(_ settlements: [Settlement], number: Int) async throws {
        let life = life
        let ours = settlements.filter { $0.delivery.map { $0.receipt?.life == life.index } ?? true }
        if ours.count < settlements.count {
            let lost = settlements.count - ours.count
            logger.warning("Outcomes are not stored: their messages were taken over", metadata: ["count": "\(lost)"])
        }
        let commits = try CommitPlan.split(ours).enumerated().map { index, part in
            try CommitPlan(part, life: life, number: number * CommitPlan.partsPerNumber + index, storage: storage)
        }
        for commit in commits {
            guard try await commit.carryOut() != -1 else { return try await renew(after: life) }
        }
    }

    func count(_ report: ChordReport, of delivery: Delivery) async throws -> ChordProgress {
        let life = life
        guard let receipt = delivery.receipt, receipt.life == life.index else { return .lost }
        var commands = RedisBatch.forScript()
        storage.values.exists(report.key, &commands)
        storage.values.counter(report.counterKey, &commands)
        var part = MergedEffects()
        try part.add(.put(report.value, key: report.key, isResult: true))
        for effect in report.others { try part.add(effect) }
        try part.write(to: &commands, for: storage)
        storage.values.count(report.counterKey, &commands)
        let reply = try await storage.client.evaluate(
            DeliveryScripts.count,
            keys: [.init(keys.beats), .init(keys.held(life.name)), .init(keys.deaths)],
            arguments: [.init(life.name), .init(receipt.sequence), .init(report.size)],
            commands: commands
        )
        switch reply.integer {
        case 1: return .counted
        case 2: return .last
        default:
            try await renew(after: life)
            return .lost
        }
    }
}

extension RedisClient {
    /// Runs a script whose last arguments are commands: by its hash, and with its text if the server does not know it.
    @discardableResult
    func evaluate(
        _ script: RedisScript,
        keys: [RedisArgument],
        arguments: [RedisArgument],
        commands: RedisBatch
    ) async throws -> RedisReply {
        var batch = RedisBatch(reservingCapacity: commands.byteCount + 512)
        batch.evaluate(script, keys: keys, arguments: arguments, commands: commands)
        let reply = try await execute(batch)[0]
        guard reply.error?.prefix == "NOSCRIPT" else { return try reply.get() }
        batch = RedisBatch()
        batch.evaluate(script, bySource: true, keys: keys, arguments: arguments, commands: commands)
        return try await execute(batch)[0].get()
    }
}
