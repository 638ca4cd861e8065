import Synchronization

/// The tasks that are running now: huey's `_tasks_in_flight`.
package final class InFlight: Sendable {
    /// What one worker runs, in the order of their start: mostly one task.
    final class Seat: Sendable {
        private let running = Mutex<[ReadyTask]>([])

        func insert(_ task: ReadyTask) { running.withLock { $0.append(task) } }

        func remove(_ task: ReadyTask) {
            running.withLock { running in
                if running.count == 1, running[0] === task {
                    running.removeAll(keepingCapacity: true)
                } else {
                    running.removeAll { $0 === task }
                }
            }
        }

        var count: Int { running.withLock { $0.count } }

        func takeAll() -> [ReadyTask] {
            running.withLock { running in
                defer { running = [] }
                return running
            }
        }
    }

    private let seats = Mutex<[Seat]>([])

    private let isSuspectRunning = Mutex(false)

    package init() {}

    /// A seat for one worker, so that workers need not wait for each other.
    func seat() -> Seat {
        let seat = Seat()
        seats.withLock { $0.append(seat) }
        return seat
    }

    package var count: Int { seats.withLock { $0.reduce(0) { $0 + $1.count } } }

    /// Tells the listeners of every running task that it will not finish. Mirrors `notify_interrupted_tasks`.
    package func notifyInterrupted(_ huey: Huey) async {
        let running = seats.withLock { $0.flatMap { $0.takeAll() } }
        for task in running.sorted(by: { $0.message.id < $1.message.id }) {
            await huey.emit(.interrupted, task.message)
        }
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
