import Synchronization

/// The tasks that are running now: huey's `_tasks_in_flight`.
package final class InFlight: Sendable {
    /// What one worker runs, in the order of their start: mostly one task.
    final class WorkerSlot: Sendable {
        private struct State {
            var running: [(task: ReadyTask, since: ContinuousClock.Instant)] = []
            var totals = Totals()
        }

        private let state = Mutex(State())

        func insert(_ task: ReadyTask, at begin: ContinuousClock.Instant) {
            state.withLock { $0.running.append((task, begin)) }
        }

        /// - Parameter duration: how long it took, where it has come to its end.
        func remove(_ task: ReadyTask, after duration: Duration? = nil) {
            state.withLock { state in
                if let duration { state.totals.add(1, duration) }
                if state.running.count == 1, state.running[0].task === task {
                    state.running.removeAll(keepingCapacity: true)
                } else {
                    state.running.removeAll { $0.task === task }
                }
            }
        }

        var count: Int { state.withLock { $0.running.count } }

        fileprivate var totals: Totals { state.withLock { $0.totals } }

        func takeAll() -> [ReadyTask] {
            state.withLock { state in
                defer { state.running = [] }
                return state.running.map(\.task)
            }
        }

        fileprivate var running: [RunningTask] {
            state.withLock { state in
                state.running.map { task, since in
                    RunningTask(id: task.id, name: task.task.name, isSynchronous: task.task.isSynchronous, since: since)
                }
            }
        }
    }

    /// A task that runs now.
    package struct RunningTask: Sendable {
        package let id: String
        package let name: String
        /// Whether its handler is; see ``RegisteredTask``.
        package let isSynchronous: Bool
        package let since: ContinuousClock.Instant
    }

    /// How many tasks have come to their ends up to a moment, and how long they took.
    package struct Totals: Sendable {
        private var count = 0
        private var time = Duration.zero

        package init() {}

        fileprivate mutating func add(_ count: Int, _ time: Duration) {
            self.count &+= count
            self.time += time
        }

        fileprivate mutating func add(_ other: Totals) { add(other.count, other.time) }

        /// How long a task took on average since then; nil where none has ended.
        package func mean(since earlier: Totals) -> Duration? {
            let ended = count &- earlier.count
            return ended > 0 ? (time - earlier.time) / ended : nil
        }
    }

    private let slots = Mutex<[WorkerSlot]>([])

    private let isSuspectRunning = Mutex(false)

    let decodingMemory = DecodingMemory()

    package init() {}

    /// A slot for one worker, so that workers need not wait for each other.
    func slot() -> WorkerSlot {
        let slot = WorkerSlot()
        slots.withLock { $0.append(slot) }
        return slot
    }

    package var count: Int { slots.withLock { $0.reduce(0) { $0 + $1.count } } }

    /// The tasks that run now, those that started last first.
    package var running: [RunningTask] {
        slots.withLock { $0.flatMap(\.running) }.sorted { $0.since > $1.since }
    }

    /// What has come to its end here.
    package var totals: Totals {
        slots.withLock { $0.reduce(into: Totals()) { $0.add($1.totals) } }
    }

    /// Tells the listeners of every running task that it will not finish. Mirrors `notify_interrupted_tasks`.
    package func notifyInterrupted(_ huey: Huey) async {
        let running = slots.withLock { $0.flatMap { $0.takeAll() } }
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
