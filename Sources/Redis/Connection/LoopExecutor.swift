internal import NIOCore
internal import Synchronization

/// An event loop as the executor of tasks, so that a task which awaits Redis resumes without a change of threads.
///
/// Jobs that come while the loop is busy are gathered: one task of the loop runs them all.
final class LoopExecutor: SerialExecutor, TaskExecutor {
    let eventLoop: any EventLoop
    private let jobs = Mutex<[UnownedJob]>([])

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isFirst = jobs.withLock { jobs in
            jobs.append(job)
            return jobs.count == 1
        }
        if isFirst { eventLoop.execute { self.drain() } }
    }

    private func drain() {
        // Only what is there now: a task that always has more to do must not keep the loop from its sockets.
        let ready = jobs.withLock { jobs in
            let ready = jobs
            jobs.removeAll(keepingCapacity: false)
            return ready
        }
        for job in ready {
            job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        }
    }

    func checkIsolated() { eventLoop.preconditionInEventLoop() }
}
