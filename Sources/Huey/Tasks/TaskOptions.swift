public import Pickle

/// What one enqueue asks for; whatever is left out is left to the task's own settings. Mirrors the keywords of
/// `TaskWrapper.schedule()` and `.s()`.
public struct TaskOptions: Sendable {
    /// The task's id; a random UUID when nil.
    public var id: String?
    /// When to run.
    public var start: Start?
    public var priority: PythonNumber?
    public var retries: Int?
    /// Seconds between a failure and the next try.
    public var retryDelay: PythonNumber?
    public var retryBackoff: PythonNumber?
    public var expires: Expiry?
    /// Seconds that a run may take.
    public var timeout: PythonNumber?

    /// When a task is to start.
    public enum Start: Sendable, Hashable {
        /// Seconds from now.
        case delay(seconds: PythonNumber)
        /// A moment: naive means local time, as in huey.
        case eta(PickleDateTime)
    }

    public init(
        id: String? = nil,
        start: Start? = nil,
        priority: PythonNumber? = nil,
        retries: Int? = nil,
        retryDelay: PythonNumber? = nil,
        retryBackoff: PythonNumber? = nil,
        expires: Expiry? = nil,
        timeout: PythonNumber? = nil
    ) {
        self.id = id
        self.start = start
        self.priority = priority
        self.retries = retries
        self.retryDelay = retryDelay
        self.retryBackoff = retryBackoff
        self.expires = expires
        self.timeout = timeout
    }
}
