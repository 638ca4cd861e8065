import Synchronization

/// The tasks that are running now: huey's `_tasks_in_flight`.
package final class InFlight: Sendable {
    private let messages = Mutex<[String: Message]>([:])

    package init() {}

    func insert(_ message: Message) { messages.withLock { $0[message.id] = message } }

    func remove(_ message: Message) { messages.withLock { $0[message.id] = nil } }

    package var count: Int { messages.withLock { $0.count } }

    /// Tells the listeners of every running task that it will not finish. Mirrors `notify_interrupted_tasks`.
    package func notifyInterrupted(_ huey: Huey) async {
        let running = messages.withLock { messages in
            defer { messages = [:] }
            return messages.values.sorted { $0.id < $1.id }
        }
        for message in running { await huey.emit(.interrupted, message) }
    }
}
