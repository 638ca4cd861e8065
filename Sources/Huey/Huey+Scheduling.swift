package import Logging
package import Pickle

extension Huey {
    /// What becomes of a message whose time has come: it is enqueued as `Huey.enqueue` would, its expiry resolved anew. One that
    /// cannot be is buried.
    package func promoted(_ data: [UInt8], logger: Logger) async -> [StorageEffect] {
        func bury(_ reason: DeadLetter.Reason, _ error: any Error) -> [StorageEffect] {
            [.bury(DeadLetter(data: data, reason: reason, detail: "\(error)", time: time.microseconds()))]
        }
        let message: Message
        do {
            message = try deserializeResolved(data)
        } catch {
            logger.error("Unable to deserialize task.", metadata: ["reason": "\(error)"])
            return bury(.undecodable, error)
        }
        do {
            logger.debug("Enqueueing \(message.summary)")
            let prepared = try prepare(message)
            await emit(.enqueued, prepared)
            return [try enqueueEffect(prepared)]
        } catch {
            logger.error("Error enqueueing \(message.summary).", metadata: ["reason": "\(error)"])
            return bury(.unwritable, error)
        }
    }

    /// A fresh message for each periodic task that is due. Mirrors `read_periodic`.
    package func duePeriodicTasks(at moment: PickleDateTime) -> [Message] {
        registry.periodicTasks.filter { $0.isDue?(moment) == true }
            .map { Message(id: Self.makeID(), name: $0.name) }
    }

    /// The minute since the epoch that it is now.
    package var minute: Int { time.microseconds() / 60_000_000 }

    /// Enqueues a periodic task unless another scheduler did so for the minute; whether it was done. Where the storage knows nothing of
    /// minutes, it is.
    ///
    /// - Throws: as ``enqueue(_:)``.
    package func enqueue(_ message: Message, onceAt minute: Int) async throws -> Bool {
        guard let storage = storage as? any TickingStorage else {
            try await enqueue(message)
            return true
        }
        return try await traced(message) { message in
            let prepared = try prepare(message)
            let data = try serialize(prepared)
            let priority = try queuePriority(of: prepared)
            guard try await storage.enqueue(data, priority: priority, onceFor: message.name, at: minute) else {
                return false
            }
            await emit(.enqueued, prepared)
            return true
        }
    }

    /// For each periodic task that should have run since it last did, and did not: a message, and the last minute that was missed. A
    /// task that never ran has missed nothing; what is older than a month is forgotten.
    ///
    /// - Throws: the storage's error.
    package func missedPeriodicTasks() async throws -> [(message: Message, minute: Int)] {
        guard let storage = storage as? any TickingStorage else { return [] }
        let now = minute
        var missed: [(message: Message, minute: Int)] = []
        for task in registry.periodicTasks {
            guard let last = try await storage.lastMinute(of: task.name), last < now else { continue }
            let candidates = (max(last + 1, now - Self.longestMemory)..<now).reversed()
            let match = candidates.first { minute in
                task.isDue?(.now(TimeSource { minute * 60_000_000 }, utc: options.utc)) == true
            }
            if let match { missed.append((Message(id: Self.makeID(), name: task.name), match)) }
        }
        return missed
    }

    /// For how many minutes a missed run can be caught up.
    private static let longestMemory = 31 * 24 * 60
}
