#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A task executor with threads of its own, for work that may block or compute: the cooperative pool has one thread a processor.
///
/// Threads are started when a job finds none idle, up to a limit, and end when they have been idle for a while. A Swift task runs here
/// while it prefers this executor; see `withTaskExecutorPreference`.
package final class ThreadExecutor: TaskExecutor, @unchecked Sendable {
    /// A thread, and the job that it was given while it was idle.
    private final class Worker {
        let wakeUp: UnsafeMutablePointer<pthread_cond_t>
        var job: UnownedJob?

        init(_ job: UnownedJob) {
            self.job = job
            wakeUp = .allocate(capacity: 1)
            pthread_cond_init(wakeUp, nil)
        }

        deinit {
            pthread_cond_destroy(wakeUp)
            wakeUp.deallocate()
        }
    }

    /// What a thread is started with.
    private final class Start {
        let executor: ThreadExecutor
        let worker: Worker

        init(_ executor: ThreadExecutor, _ worker: Worker) {
            self.executor = executor
            self.worker = worker
        }
    }

    private let limit: Int
    private let idleSeconds: Int
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    // Only with the mutex held.
    private var idle: [Worker] = []
    private var waiting: [UnownedJob] = []
    private var count = 0

    /// - Parameters:
    ///   - limit: how many threads there are at most.
    ///   - idleSeconds: after how long an idle thread ends.
    package init(limit: Int, idleSeconds: Int = 10) {
        self.limit = max(1, limit)
        self.idleSeconds = idleSeconds
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
    }

    // Every thread keeps its executor: none is left here.
    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// How many threads there are.
    package var threadCount: Int { locked { count } }

    /// Whether the current Swift task runs here.
    var isCurrent: Bool { withUnsafeCurrentTask { $0?.unownedTaskExecutor == asUnownedTaskExecutor() } }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let start: Start? = locked {
            if let worker = idle.popLast() {
                worker.job = job
                pthread_cond_signal(worker.wakeUp)
                return nil
            }
            guard count < limit else {
                waiting.append(job)
                return nil
            }
            count += 1
            return Start(self, Worker(job))
        }
        guard let start, !Self.startThread(start) else { return }
        // The system has no more threads: one that is at work takes the job, or the pool does.
        let isAlone = locked {
            count -= 1
            if count > 0 { waiting.append(job) }
            return count == 0
        }
        if isAlone { globalConcurrentExecutor.enqueue(job) }
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    private func run(_ worker: Worker) {
        while let job = nextJob(of: worker) { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    /// The next job of a thread, waited for; nil where the thread is to end.
    private func nextJob(of worker: Worker) -> UnownedJob? {
        locked {
            if let job = takeJob(worker) { return job }
            if !waiting.isEmpty { return waiting.removeFirst() }
            idle.append(worker)
            var end = timespec()
            clock_gettime(CLOCK_REALTIME, &end)
            end.tv_sec += idleSeconds
            while true {
                let isOver = pthread_cond_timedwait(worker.wakeUp, mutex, &end) == ETIMEDOUT
                if let job = takeJob(worker) { return job }
                guard isOver else { continue }
                idle.removeAll { $0 === worker }
                count -= 1
                return nil
            }
        }
    }

    private func takeJob(_ worker: Worker) -> UnownedJob? {
        defer { worker.job = nil }
        return worker.job
    }

    /// - Returns: whether the system had a thread.
    private static func startThread(_ start: Start) -> Bool {
        let context = Unmanaged.passRetained(start)
        #if canImport(Darwin)
            var thread: pthread_t?
            let status = pthread_create(&thread, nil, { ThreadExecutor.threadMain($0) }, context.toOpaque())
            if status == 0, let thread { pthread_detach(thread) }
        #else
            var thread = pthread_t()
            let status = pthread_create(&thread, nil, { $0.flatMap(ThreadExecutor.threadMain) }, context.toOpaque())
            if status == 0 { pthread_detach(thread) }
        #endif
        if status != 0 { context.release() }
        return status == 0
    }

    private static func threadMain(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        start.executor.run(start.worker)
        return nil
    }
}
