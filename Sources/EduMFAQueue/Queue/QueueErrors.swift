/// A job that the queue does not know, or knows already. Mirrors eduMFA's `QueueError`.
public struct QueueError: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// There is no job queue to give work to. Mirrors eduMFA's `ServerError`.
public struct ServerError: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// Two jobs of one name, or an app that has a job queue already: where eduMFA raises `RuntimeError`.
public struct JobCollectorError: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
