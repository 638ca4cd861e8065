import CoreMetrics
import Synchronization

/// What swift-metrics is told about one task. The handlers are made once, at the task's first run, with the task's name as their only
/// dimension; there are as many as tasks are registered. Without a backend nothing is made.
final class TaskMetrics: Sendable {
    private struct Handlers: Sendable {
        let executed: Counter
        let failed: Counter
        let retried: Counter
        let duration: CoreMetrics.Timer
        let wait: CoreMetrics.Timer

        init(task name: String) {
            let dimensions = [("task", name)]
            executed = Counter(label: "huey.tasks.executed", dimensions: dimensions)
            failed = Counter(label: "huey.tasks.failed", dimensions: dimensions)
            retried = Counter(label: "huey.tasks.retried", dimensions: dimensions)
            duration = Timer(label: "huey.tasks.duration", dimensions: dimensions)
            wait = Timer(label: "huey.tasks.wait", dimensions: dimensions)
        }
    }

    private enum State {
        case untouched
        case noBackend
        case handlers(Handlers)
    }

    private let state = Mutex(State.untouched)

    private func handlers(for name: String) -> Handlers? {
        state.withLock { state in
            switch state {
            case .handlers(let handlers): return handlers
            case .noBackend: return nil
            case .untouched:
                guard !(MetricsSystem.factory is NOOPMetricsHandler) else {
                    state = .noBackend
                    return nil
                }
                let handlers = Handlers(task: name)
                state = .handlers(handlers)
                return handlers
            }
        }
    }

    /// Counts one run.
    ///
    /// - Parameters:
    ///   - name: the task's name.
    ///   - duration: how long the handler took.
    ///   - lateness: microseconds between the task's own time and its start; nil for a task without one.
    ///   - effects: what follows from the run.
    func record(_ name: String, took duration: Duration, lateness: Int?, effects: [TaskEffect]) {
        guard let handlers = handlers(for: name) else { return }
        handlers.executed.increment()
        handlers.duration.recordMicroseconds(duration.wholeMicroseconds)
        if let lateness { handlers.wait.recordMicroseconds(lateness) }
        for effect in effects {
            switch effect {
            case .emit(.error), .emit(.timeout): handlers.failed.increment()
            case .requeue, .reschedule: handlers.retried.increment()
            default: break
            }
        }
    }
}
