import Huey
import Redis
import Synchronization

/// Messages by the batch.
extension AcknowledgingChannel {
    /// Up to `count` messages that are there.
    ///
    /// - Returns: nil where the script has to be asked.
    func fetchBatch(_ count: Int) async throws -> [Delivery]? {
        let (session, first, free) = state.withLock { ($0.session, $0.next, $0.nextSlot) }
        guard count >= leastBatch, let slot = free else { return nil }
        let key = keys.batch(session.name, slot)
        let outcome: GuardedConnection.Outcome
        do {
            outcome = try await fetches.transaction(while: keys.alive(session.name)) { batch in
                batch.append("DEL", .init(keys.done(session.name, slot)))
                batch.append("HSET", .init(keys.held(session.name)), .init("b\(slot)"), .init(first))
                storage.queue.move(count, to: key, &batch)
                batch.append("EXISTS", .init(keys.deaths))
            }
        } catch {
            if (error as? RedisError)?.mayHaveExecuted == true { state.withLock { $0.uncertainSlot = slot } }
            throw error
        }
        switch outcome {
        case .refused: return nil
        case .over:
            _ = try await renew(after: session)
            return []
        case .done(let results): return try await deliveries(results, in: slot, from: first, session: session)
        }
    }

    /// What a transaction brought; nil where the script has to recognize it.
    private func deliveries(
        _ results: RedisReplies,
        in slot: Int,
        from first: Int,
        session: Session
    ) async throws -> [Delivery]? {
        // Copied, and not removed: it is in the queue still.
        if let error = results[3].error {
            try await storage.client.command("DEL", .init(keys.batch(session.name, slot)))
            throw error
        }
        if let error = results.firstError {
            state.withLock { $0.uncertainSlot = slot }
            throw error
        }
        var deliveries = storage.queue.deliveries(ofBatch: results[4])
        for index in deliveries.indices {
            deliveries[index].receipt = Delivery.Receipt(session: session.index, number: first + index)
        }
        return state.withLock { state in
            // Given up meanwhile: others have it.
            guard state.session == session else { return [] }
            guard deliveries.isEmpty || results[5].integer == 0 else {
                (state.uncertainSlot, state.hasDeaths) = (slot, true)
                return nil
            }
            state.next = first + deliveries.count
            state.batches.add(slot: slot, first..<state.next)
            return deliveries
        }
    }

    func giveBack(_ deliveries: [Delivery]) async throws {
        while true {
            let session = session
            let ours = deliveries.filter { $0.receipt?.session == session.index }
            let numbers = ours.compactMap { $0.receipt?.number }
            guard !numbers.isEmpty else { return }
            let (batches, firstHeld) = state.withLock { ($0.batches, $0.firstHeld) }
            guard try await giveBack(numbers, batches, of: session) else {
                guard try await renew(after: session) else { return }
                continue
            }
            // Where the server has lost them, they are only here.
            let lost = zip(ours, numbers).filter { $1 < firstHeld }.map(\.0)
            try await storage.giveBack(lost)
            return state.withLock { $0.finish(numbers, of: session) }
        }
    }

    /// - Returns: false when the session is over.
    private func giveBack(_ numbers: [Int], _ batches: HeldBatches, of session: Session) async throws -> Bool {
        var slots: [Int] = []
        var arguments: [RedisArgument] = [.init(session.name)]
        for number in numbers {
            guard let position = batches.position(of: number) else {
                arguments += [.init(number), 0, 0]
                continue
            }
            if slots.last != position.slot, !slots.contains(position.slot) { slots.append(position.slot) }
            arguments += [.init(number), .init((slots.firstIndex(of: position.slot) ?? 0) + 1), .init(position.index)]
        }
        var keys = [keys.queue, keys.held(session.name), keys.heartbeats, keys.alive(session.name)]
        for slot in slots { keys += [self.keys.batch(session.name, slot), self.keys.done(session.name, slot)] }
        let reply = try await storage.client.eval(scripts.giveBack, keys: keys.map { .init($0) }, arguments: arguments)
        return reply.integer != -1
    }
}
