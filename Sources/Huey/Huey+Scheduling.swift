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
            let effect = try enqueueEffect(prepared)
            await emit(.enqueued, prepared)
            return [effect]
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
}
