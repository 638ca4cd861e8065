public import Pickle

/// A task on the wire: huey's `huey.registry.Message`, a named tuple of 10 fields (huey 2.0 to 2.3), 12 (from 2.4),
/// 14 (from 3.0) or 15 (from 3.3). All forms are read.
///
/// A field that the producer left open is `nil` (Python's None); the consumer applies the default of the task that it has
/// registered.
public struct Message: Sendable {
    /// The task's id: a UUID in text form unless the producer chose another.
    public var id: String
    /// The id as it stands on the wire, where a producer chose something else than a string.
    var wireID: PickleView?
    /// The task's name: the Python module, a dot and the name of the task class.
    public var name: String
    /// When to run, as a naive datetime: UTC, or local time with `utc: false`.
    public var eta: PickleDateTime?
    /// How many more times to run after a failure.
    public var retries: Int? { didSet { wireRetries = nil } }
    /// The retries as they stand on the wire, where a producer chose something else than an int.
    var wireRetries: PickleView?
    /// Seconds between a failure and the next try.
    public var retryDelay: PythonNumber?
    /// Higher runs first, on storages that can.
    public var priority: PythonNumber?
    public var arguments: TaskArguments
    /// The next task of the pipeline; it receives this one's result.
    public var onComplete: Next?
    /// The task that receives this one's exception.
    public var onError: Next?
    /// The expiry as the producer gave it.
    public var expires: Expiry?
    /// The expiry as a naive datetime, resolved whenever the task is enqueued.
    public var expiresResolved: PickleDateTime?
    /// Seconds that a run may take.
    public var timeout: PythonNumber?
    /// The chord that this task is a member of.
    public var chord: ChordMembership?
    /// The factor by which ``retryDelay`` grows with each retry.
    public var retryBackoff: PythonNumber?
    /// The trace that the task was enqueued in; no field of the message.
    var trace: TraceCarrier?

    /// A message inside a message.
    public final class Next: Sendable {
        public let message: Message

        public init(_ message: Message) { self.message = message }
    }

    /// A message for the task `name`, to run now.
    public init(id: String, name: String, arguments: TaskArguments = TaskArguments()) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }

    /// The key under which a revocation of this task is kept. Mirrors `Task.revoke_id`.
    var revocationKey: String { Self.revocationKey(id) }

    /// The key under which a revocation of the task of that id is kept.
    package static func revocationKey(_ id: String) -> String { "r:" + id }

    /// This message and the rest of its pipeline, in order.
    var pipeline: [Message] {
        var result = [self]
        var next = onComplete
        while let message = next?.message {
            result.append(message)
            next = message.onComplete
        }
        return result
    }

    /// Appends a task to the end of the pipeline. Mirrors `Task.then`.
    mutating func append(next message: Message) {
        guard var next = onComplete?.message else {
            onComplete = Next(message)
            return
        }
        next.append(next: message)
        onComplete = Next(next)
    }

    /// Appends a handler to the end of the chain of error handlers. Mirrors `Task.error`.
    mutating func append(errorHandler message: Message) {
        guard var next = onError?.message else {
            onError = Next(message)
            return
        }
        next.append(errorHandler: message)
        onError = Next(next)
    }
}

/// What a member of a chord carries: huey's `ChordConfig`.
public struct ChordMembership: Sendable {
    /// The chord's id.
    public var id: String
    /// How many members the chord has.
    public var size: Int
    /// Which member this is, from 0.
    public var index: Int
    /// The task that runs with the list of all results.
    public var callback: Message.Next
}
