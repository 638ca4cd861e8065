import Logging

extension Executor {
    /// huey's line about the end of a task.
    func log(_ outcome: TaskOutcome, _ context: TaskContext, took duration: Duration) {
        switch outcome {
        case .value:
            guard logger.logLevel <= .info else { return }
            let thousandths = Int((duration.inSeconds * 1000).rounded())
            let fraction = String(thousandths % 1000 + 1000).dropFirst()
            logger.info("\(context.message.summary) executed in \(thousandths / 1000).\(fraction)s")
        case .failure(let error):
            let id = context.id
            switch error {
            case is TaskTimeout:
                logger.warning("Task \(id) timed out after \(context.timeout?.description ?? "?")s.")
            case let error as RateLimitExceeded:
                logger.info("Task \(id) rate-limited on \"\(error.key)\"")
            case let error as TaskLocked:
                logger.warning("Task \(id) not run, \(error.message).")
            case is RetryTask:
                logger.info("Task \(id) raised RetryTask, retrying.")
            case is CancelExecution:
                logger.warning("Task \(id) raised CancelExecution.")
            case is any DeadLetterExplaining:
                // Foreseen: whoever threw it has logged why.
                logger.info("Task \(id) raised \(type(of: error)).")
            default:
                // The exception's text may quote arguments, which belong to no log at this level.
                logger.error("Unhandled exception in task \(id).", metadata: ["type": "\(type(of: error))"])
                logger.debug("Task \(id) failed: \(error)")
            }
        }
    }
}
