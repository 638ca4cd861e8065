import Synchronization

/// The tasks that are running now: huey's `_tasks_in_flight`.
package final class InFlight: Sendable {
    private let running = Mutex<[ObjectIdentifier: StartedTask]>([:])

    package init() {}

    func insert(_ task: StartedTask) { running.withLock { $0[ObjectIdentifier(task)] = task } }

    func remove(_ task: StartedTask) { running.withLock { $0[ObjectIdentifier(task)] = nil } }

    package var count: Int { running.withLock { $0.count } }

    /// Tells the listeners of every running task that it will not finish. Mirrors `notify_interrupted_tasks`.
    package func notifyInterrupted(_ huey: Huey) async {
        let running = running.withLock { running in
            defer { running = [:] }
            return running.values.map(\.message).sorted { $0.id < $1.id }
        }
        for message in running { await huey.emit(.interrupted, message) }
    }
}
