/// What a task is registered with: the defaults for whatever a message leaves open. Mirrors the keywords of `Huey.task()`.
public struct TaskSettings: Sendable {
    /// How often a failed run is tried again.
    public var retries: Int
    /// Seconds between a failure and the next try.
    public var retryDelay: PythonNumber
    /// The factor by which the delay grows with each retry; nil or zero for none.
    public var retryBackoff: PythonNumber?
    /// Higher runs first, on storages that can.
    public var priority: PythonNumber?
    /// When a task is too old to run.
    public var expires: Expiry?
    /// Seconds that a run may take.
    public var timeout: PythonNumber?

    public init(
        retries: Int = 0,
        retryDelay: PythonNumber = 0,
        retryBackoff: PythonNumber? = nil,
        priority: PythonNumber? = nil,
        expires: Expiry? = nil,
        timeout: PythonNumber? = nil
    ) {
        self.retries = retries
        self.retryDelay = retryDelay
        self.retryBackoff = retryBackoff
        self.priority = priority
        self.expires = expires
        self.timeout = timeout
    }
}
