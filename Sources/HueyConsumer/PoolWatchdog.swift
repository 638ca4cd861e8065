import Huey
import Logging
import Pickle

/// Looks whether Swift's cooperative pool still runs what is given to it, and names the tasks that seem to keep it where it does not: an
/// asynchronous handler that blocks or computes takes one of the pool's threads, and there is one a processor.
struct PoolWatchdog: Sendable {
    let inFlight: InFlight
    let logger: Logger
    /// The pool.
    var pool: any TaskExecutor = globalConcurrentExecutor
    /// How long the pool may keep others waiting.
    var patience = Duration.seconds(1)

    /// Looks until cancelled. Not on the pool.
    func run() async {
        var named: Set<String> = []
        while !Task.isCancelled {
            let isAnswered = Gate()
            let probe = Task(executorPreference: pool) { isAnswered.open() }
            if await !isAnswered.wait(atMost: patience), !Task.isCancelled {
                name(&named)
                await isAnswered.wait()
            }
            probe.cancel()
            try? await Task.sleep(for: patience)
        }
    }

    /// Names each task once. Which of those that run are waiting nobody can tell, but while the pool is kept none starts: the last to start
    /// come first.
    private func name(_ named: inout Set<String>) {
        let running = inFlight.running.filter { !$0.isSynchronous }
        named.formIntersection(running.map(\.id))
        for task in running.prefix(ProcessIdentity.processors) where named.insert(task.id).inserted {
            let name = "\(task.name) (\(task.id.bounded()))"
            logger.warning(
                "Nothing else runs on Swift's cooperative pool, for \(patience) now, it seems because of \(name). A handler that blocks or computes has to be synchronous."
            )
        }
    }
}
