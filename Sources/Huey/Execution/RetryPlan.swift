import Pickle

/// What a failure means for the task's retries: the `except` clauses of huey's `_execute`, and `_requeue_task`.
struct RetryPlan {
    /// Retries left before this one is taken; the failure is final at zero, and at nothing else: so it is in Python.
    var retries: Int
    /// The signal of the failure; a request to be retried has none.
    var signal: Signal?
    /// Whether the task only asked to run again: not a failure while a retry is pending.
    var isRetryRequest = false
    /// When to run again, where the failure says so.
    private var eta: PickleDateTime?

    init(after error: any Error, _ message: Message, _ context: OutcomeContext) throws {
        retries = message.retries ?? context.settings.retries
        switch error {
        case is TaskTimeout:
            signal = .timeout
        case let error as RateLimitExceeded:
            let own = message.retryDelay ?? context.settings.retryDelay
            if error.retry || retries != 0 {
                eta = try context.now.adding(seconds: own.isTrue ? own.double : error.delay)
            }
            if error.retry {
                try message.checkRetriesCount()
                retries = retries.saturatingAdded(to: 1)
            }
            signal = .rateLimited
            isRetryRequest = true
        case is TaskLocked:
            signal = .locked
            isRetryRequest = true
        case let error as RetryTask:
            try message.checkRetriesCount()
            retries = retries.saturatingAdded(to: 1)
            eta = try error.start.map { start in
                switch start {
                case .delay(let seconds): try context.now.adding(seconds: seconds.double)
                case .eta(let moment): try moment.normalized(utc: context.options.utc)
                }
            }
            isRetryRequest = true
        case let error as CancelExecution:
            if error.retry == true || (error.retry == nil && retries != 0) {
                try message.checkRetriesCount()
                retries = max(retries, 1)
            } else {
                retries = 0
            }
            signal = .canceled
        default:
            signal = .error
        }
    }

    /// The task as it goes back. Mirrors `_requeue_task`.
    func requeue(_ message: Message, _ context: OutcomeContext) throws -> TaskEffect {
        try message.checkRetriesCount()
        var message = message
        message.retries = retries.saturatingAdded(to: -1)
        let delay = message.retryDelay ?? context.settings.retryDelay
        if let eta {
            message.eta = eta
            return .reschedule(message)
        }
        guard delay.isTrue else { return .requeue(message) }
        message.eta = try context.now.adding(seconds: delay.double)
        if let backoff = message.retryBackoff ?? context.settings.retryBackoff, backoff.isTrue {
            guard backoff.isNumber else { throw HueyError.malformedMessage("a retry backoff that is no number") }
            message.retryDelay = delay * backoff
        }
        return .reschedule(message)
    }
}
