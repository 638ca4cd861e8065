import Logging
import Pickle

extension Executor {
    /// huey's line about the end of a task that returned.
    func logEnd(_ summary: @autoclosure () -> String, took duration: Duration) {
        guard logger.logLevel <= .info else { return }
        let thousandths = Int((duration.inSeconds * 1000).rounded())
        let fraction = String(thousandths % 1000 + 1000).dropFirst()
        logger.info("\(summary()) executed in \(thousandths / 1000).\(fraction)s")
    }

    func logUnwritable(_ error: any Error, _ start: ReadyTask) {
        logger.error("The value of task \(start.id.bounded()) cannot be written.", metadata: ["reason": "\(error)"])
    }

    /// huey's line about the end of a task that threw.
    func log(_ failure: any Error, _ context: TaskContext) {
        let id = context.id.bounded()
        switch failure {
        case is TaskTimeout:
            logger.warning("Task \(id) timed out after \(context.timeout?.description ?? "?")s.")
        case let error as RateLimitExceeded:
            logger.info("Task \(id) rate-limited on \"\(error.key.bounded())\"")
        case let error as TaskLocked:
            logger.warning("Task \(id) not run, \(error.message).")
        case is RetryTask:
            logger.info("Task \(id) raised RetryTask, retrying.")
        case is CancelExecution:
            logger.warning("Task \(id) raised CancelExecution.")
        case is any DeadLetterExplaining:
            // Foreseen: whoever threw it has logged why.
            logger.info("Task \(id) raised \(type(of: failure)).")
        default:
            // The exception's text may quote arguments, which belong to no log at this level.
            logger.error("Unhandled exception in task \(id).", metadata: ["type": "\(type(of: failure))"])
            logger.debug("Task \(id) failed: \(failure)")
        }
    }
}
