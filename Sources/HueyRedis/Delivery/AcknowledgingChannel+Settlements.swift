import Huey
import Logging
import Redis
import Synchronization

/// What became of messages.
extension AcknowledgingChannel {
    func commit(_ settlements: [Settlement], number: Int) async throws {
        let session = session
        let ours = settlements.flatMap { $0.heldIn(session) }
        let lost = settlements.reduce(0) { $0 + $1.messageCount } - ours.reduce(0) { $0 + $1.messageCount }
        if lost > 0 {
            logger.warning("Outcomes are not stored: their messages were taken over", metadata: ["count": "\(lost)"])
        }
        let plans = try CommitPlan.split(ours).map { try CommitPlan($0, session: session, storage: storage) }
        // A transaction whose answer was lost must not follow its repetition.
        try await commits.fence()
        let isRepeated = state.withLock { state in
            defer { state.lastCommit = max(state.lastCommit, number) }
            return number <= state.lastCommit
        }
        for (index, plan) in plans.enumerated() {
            let number = number * CommitPlan.partsPerNumber + index
            guard try await carryOut(plan, number, isRepeated, in: session) else { return }
        }
    }

    /// - Returns: false when the session is over, and nothing was written.
    private func carryOut(_ plan: CommitPlan, _ number: Int, _ isRepeated: Bool, in session: Session) async throws
        -> Bool
    {
        while true {
            let batches = state.withLock { $0.batches }
            // Only the script knows a number again.
            var answer = isRepeated ? nil : try await plan.commit(number, batches, on: commits)
            if answer == nil { answer = try await plan.commit(number, batches) }
            if answer == .written {
                state.withLock { $0.finish(plan.numbers, of: session) }
                return true
            }
            guard try await renew(after: session) else { return false }
        }
    }

    func count(_ report: ChordReport, of delivery: Delivery) async throws -> ChordProgress {
        let session = session
        guard let receipt = delivery.receipt, receipt.session == session.index else { return .lost }
        var commands = RedisBatch.forScript()
        storage.values.exists(report.key, &commands)
        storage.values.counter(report.counterKey, &commands)
        var part = MergedEffects()
        try part.add(.put(report.value, key: report.key, isResult: true))
        for effect in report.others { try part.add(effect) }
        try part.write(to: &commands, for: storage)
        storage.values.count(report.counterKey, &commands)
        while true {
            let (position, isLost) = state.withLock {
                ($0.batches.position(of: receipt.number), receipt.number < $0.firstHeld)
            }
            let reply = try await storage.client.evaluate(
                DeliveryScripts.count,
                keys: [
                    keys.heartbeats, keys.held(session.name), keys.deaths, keys.alive(session.name),
                    keys.done(session.name, position?.slot ?? 0),
                ].map { .init($0) },
                arguments: [
                    .init(session.name), .init(receipt.number), .init(report.size), .init(position?.index ?? 0),
                    isLost ? 1 : 0,
                ],
                commands: commands
            )
            switch reply.integer {
            case 1:
                state.withLock { $0.finish([receipt.number], of: session) }
                return .counted
            case 2: return .last
            default: guard try await renew(after: session) else { return .lost }
            }
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

extension Settlement {
    /// Lua's stack bounds how many tasks one command of a script may be about.
    private static let mostTasks = 500

    fileprivate var messageCount: Int {
        effects.reduce(delivery == nil ? 0 : 1) { count, effect in
            if case .complete(let tasks) = effect { count + tasks.count } else { count }
        }
    }

    /// What of it is about messages that this session holds.
    fileprivate func heldIn(_ session: Session) -> [Settlement] {
        if let delivery { return delivery.receipt?.session == session.index ? [self] : [] }
        return effects.flatMap { effect -> [Settlement] in
            guard case .complete(let tasks) = effect else { return [Settlement(of: nil, [effect], isFinal: isFinal)] }
            return tasks.groups(of: Self.mostTasks, heldIn: session.index).map {
                Settlement(of: nil, [.complete($0)], isFinal: isFinal)
            }
        }
    }
}
