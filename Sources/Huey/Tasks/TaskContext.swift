public import Logging
import Pickle

/// What a running task may know of itself: huey's task instance, as a context task receives it.
public struct TaskContext: Sendable {
    /// The instance that the task was registered with.
    public let huey: Huey
    let start: ReadyTask
    /// When the run must be over, if it has a limit.
    public let deadline: ContinuousClock.Instant?
    /// How often the message was handed to a consumer, this time included. More than 1 after a consumer died: what the task did then may
    /// be done already. Always 1 where messages are delivered at most once.
    public var deliveries: Int { start.delivery.redeliveries + 1 }
    public let logger: Logger

    /// The message being run, with the fields as they are on the wire.
    public var message: Message { start.message }
    /// The defaults that the task was registered with.
    public var settings: TaskSettings { start.task.settings }
    /// The task's id.
    public var id: String { start.id }
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
