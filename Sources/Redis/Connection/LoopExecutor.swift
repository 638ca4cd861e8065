internal import NIOCore
internal import Synchronization

/// An event loop as the executor of tasks, so that a task which awaits Redis resumes without a change of threads.
///
/// Jobs are gathered. A connection that has read replies runs the tasks that wait for them itself (``run(after:)``);
/// otherwise one task of the loop runs all jobs that came meanwhile.
final class LoopExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        /// An empty array with memory, to take the jobs' place.
        var spare: [UnownedJob] = []
        /// Whether somebody will call `drain`.
        var isAwake = false
    }

    /// How often jobs that make new jobs run before the loop looks at its sockets again.
    private static let maximumRounds = 4

    let eventLoop: any EventLoop
    private let state = Mutex(State())

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let wasAwake = state.withLock { state in
            state.jobs.append(job)
            defer { state.isAwake = true }
            return state.isAwake
        }
        if !wasAwake { eventLoop.execute { self.drain() } }
    }

    /// Calls `body`, and runs the jobs that it made ready. On the event loop.
    func run(after body: () -> Void) {
        state.withLock { $0.isAwake = true }
        body()
        drain()
    }

    private func drain() {
        for _ in 0..<Self.maximumRounds {
            var ready = state.withLock { state in
                let ready = state.jobs
                state.jobs = state.spare
                state.spare = []
                if ready.isEmpty { state.isAwake = false }
                return ready
            }
            guard !ready.isEmpty else { return }
            for job in ready { job.runSynchronously(on: asUnownedTaskExecutor()) }
            ready.removeAll(keepingCapacity: true)
            let emptied = ready
            state.withLock { $0.spare = emptied }
        }
        eventLoop.execute { self.drain() }
    }
}
