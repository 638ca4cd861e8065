import Synchronization

/// The tasks that are running now: huey's `_tasks_in_flight`.
package final class InFlight: Sendable {
    private let running = Mutex<[ObjectIdentifier: StartedTask]>([:])

    private let isSuspectRunning = Mutex(false)

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

    /// Waits until no other suspect runs: a task that consumers have died with. Beside one that kills its consumer the others would
    /// be charged with its deaths.
    ///
    /// A suspect that takes very long, or waits for another, holds nobody up for ever.
    ///
    /// - Returns: whether the caller is to tell when its task is done, by ``leaveAlone()``.
    /// - Throws: `CancellationError`.
    func enterAlone(patience: Duration = .seconds(60)) async throws -> Bool {
        let deadline = ContinuousClock.now + patience
        while ContinuousClock.now < deadline {
            let isFree = isSuspectRunning.withLock { isRunning in
                defer { isRunning = true }
                return !isRunning
            }
            if isFree { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    func leaveAlone() { isSuspectRunning.withLock { $0 = false } }
}
