import Logging
import Pickle

/// Messages that come back because their consumer died.
extension Executor {
    /// Charges a message before its first byte is looked at: a consumer that dies while it decodes or runs it dies of this message.
    ///
    /// - Parameter isAlone: set where the message may be what its consumers died of, so that no other suspect runs beside it.
    /// - Returns: how it ended; nil where it is to be decoded and run.
    func readmit(_ delivery: Delivery, _ isAlone: inout Bool) async throws -> Completion? {
        let limit = policy.deathLimit ?? .max
        let detail = "\(delivery.deaths) consumers died while they read or ran it"
        if delivery.deaths > limit { return try await putAside(delivery, detail, nil) }
        do {
            if policy.suspects(delivery) { isAlone = try await inFlight.enterAlone() }
        } catch {
            return .interrupted
        }
        try await patiently("that came back") { try await sink.noteStart(of: delivery) }
        guard delivery.deaths == limit else { return nil }
        // Decoded once more, for the key of a unique job; who dies of that puts it aside unread.
        return try await putAside(delivery, detail, try? huey.deserializeResolved(delivery.data))
    }

    private func putAside(_ delivery: Delivery, _ detail: String, _ message: Message?) async throws -> Completion {
        let name = message.map { " \($0.id.bounded())" } ?? ""
        logger.error("Task\(name) is put aside: \(detail).")
        return try await bury(delivery, .workerDied, detail, message)
    }
}
