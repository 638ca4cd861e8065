import Synchronization

/// The tasks that are running now: huey's `_tasks_in_flight`.
package final class InFlight: Sendable {
    /// What one worker runs.
    final class WorkerSlot: Sendable {
        private struct State {
            /// One task mostly, in the order of their start.
            var running: [(task: ReadyTask, since: ContinuousClock.Instant)] = []
            /// The block whose messages it runs in place.
            var block: MessageBlock?
            var totals = Totals()
        }

        private let state = Mutex(State())
        /// Which message of the block it runs; -1 for none.
        private let place = Atomic(-1)
        /// Since when, in microseconds of the slot's own clock, or a few milliseconds less.
        private let since = Atomic(0)
        private let epoch = ContinuousClock.now

        func insert(_ task: ReadyTask, at begin: ContinuousClock.Instant) {
            state.withLock { $0.running.append((task, begin)) }
        }

        func remove(_ task: ReadyTask) {
            state.withLock { state in
                if state.running.count == 1, state.running[0].task === task {
                    state.running.removeAll(keepingCapacity: true)
                } else {
                    state.running.removeAll { $0.task === task }
                }
            }
        }

        /// Messages of this block run in place from now on, or none.
        func enter(_ block: MessageBlock?) {
            place.store(-1, ordering: .relaxed)
            state.withLock { $0.block = block }
        }

        /// Which message of the block runs now; nil between two of them.
        func run(_ place: Int?) { self.place.store(place ?? -1, ordering: .relaxed) }

        /// The message that runs next has not begun before this.
        func note(_ now: ContinuousClock.Instant) {
            since.store(epoch.duration(to: now).wholeMicroseconds, ordering: .relaxed)
        }

        /// Counts tasks that have come to their ends.
        func add(_ count: Int, _ time: Duration) { state.withLock { $0.totals.add(count, time) } }

        /// The message that runs in place.
        private func runningInPlace(_ state: State) -> (block: MessageBlock, place: Int)? {
            let place = place.load(ordering: .relaxed)
            guard let block = state.block, place >= 0, place < block.count else { return nil }
            return (block, place)
        }

        var count: Int { state.withLock { $0.running.count + (runningInPlace($0) == nil ? 0 : 1) } }

        fileprivate var totals: Totals { state.withLock { $0.totals } }

        /// What runs, which then is not known to run any more.
        func takeAll() -> [ReadyTask] {
            let (tasks, inPlace) = state.withLock { state in
                defer { (state.running, state.block) = ([], nil) }
                return (state.running.map(\.task), runningInPlace(state))
            }
            return tasks + (inPlace.flatMap { $0.block.read($0.place) }.map { [$0] } ?? [])
        }

        fileprivate var running: [RunningTask] {
            let begin = epoch.advanced(by: .microseconds(since.load(ordering: .relaxed)))
            return state.withLock { state in
                let inPlace = runningInPlace(state).flatMap { block, place in
                    block.likelyTask(at: place).map { task in
                        RunningTask(id: block.look.ids[place], name: task.name, isSynchronous: true, since: begin)
                    }
                }
                let others = state.running.map { task, since in
                    RunningTask(id: task.id, name: task.task.name, isSynchronous: task.task.isSynchronous, since: since)
                }
                return (inPlace.map { [$0] } ?? []) + others
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
