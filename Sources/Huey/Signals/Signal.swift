/// What happens to a task. The names are huey's own (`huey.signals`).
public enum Signal: String, Sendable, CaseIterable {
    case canceled
    case complete
    case error
    case executing
    case expired
    case locked
    case retrying
    case revoked
    case scheduled
    case interrupted
    case enqueued
    case timeout
    case rateLimited = "rate-limited"
}

/// What a signal's receiver is told.
public struct SignalEvent: Sendable {
    public let signal: Signal
    public let message: Message
    /// The exception, with ``Signal/error`` only.
    public let error: (any Error)?
}
