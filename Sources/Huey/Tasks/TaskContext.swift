public import Logging
import Pickle

/// What a running task may know of itself: huey's task instance, as a context task receives it.
public struct TaskContext: Sendable {
    /// The instance that the task was registered with.
    public let huey: Huey
    /// The message being run, with the fields as they are on the wire.
    public let message: Message
    /// The defaults that the task was registered with.
    public let settings: TaskSettings
    /// When the run must be over, if it has a limit.
    public let deadline: ContinuousClock.Instant?
    public let logger: Logger

    /// The task's id.
    public var id: String { message.id }
    /// How many more times the task runs after a failure.
    public var retries: Int { message.retries ?? settings.retries }
    /// Seconds between a failure and the next try.
    public var retryDelay: PythonNumber { message.retryDelay ?? settings.retryDelay }
    public var retryBackoff: PythonNumber { message.retryBackoff ?? settings.retryBackoff ?? 0 }
    public var priority: PythonNumber? { message.priority ?? settings.priority }
    public var expires: Expiry? { message.expires ?? settings.expires }
    /// Seconds that the run may take.
    public var timeout: PythonNumber? { message.timeout ?? settings.timeout }

    /// What is left of the time allowed; nil without a limit. Mirrors `Task.time_remaining`.
    public var timeRemaining: Duration? {
        deadline.map { max(.zero, ContinuousClock().now.duration(to: $0)) }
    }

    /// Throws when the time allowed is over. Mirrors `Task.check_timeout`.
    ///
    /// - Throws: ``TaskTimeout``.
    public func checkTimeout() throws {
        if let remaining = timeRemaining, remaining <= .zero {
            throw TaskTimeout("timeout \(timeout?.description ?? "")s")
        }
    }
}
