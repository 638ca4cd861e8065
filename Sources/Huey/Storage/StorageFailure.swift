/// What a storage's error tells about trying again.
public protocol StorageFailure: Error {
    /// Whether the same call may succeed later: the server cannot be reached, starts, or is full.
    var isTransient: Bool { get }
    /// Whether the storage refuses us, and so did nothing: a password or permission that somebody can set right.
    var isRefusal: Bool { get }
    /// Whether the call may have been carried out, its answer lost.
    var mayHaveHappened: Bool { get }
}

extension StorageFailure {
    public var isRefusal: Bool { false }

    /// Whether a consumer that runs keeps what it has and tries again: giving up would lose it.
    package var isWorthWaiting: Bool { isTransient || isRefusal }
}

extension StorageEffect {
    /// The effect as it may be tried again when nobody knows whether it happened: setting twice is setting once, but a message
    /// enqueued twice runs twice, so it is kept aside instead.
    package func afterLostAnswer(at time: Int) -> StorageEffect {
        guard case .enqueue(let data, _) = self else { return self }
        let detail = "the answer to its enqueueing was lost; it may be in the queue, or may have run"
        return .bury(DeadLetter(data: data, reason: .unconfirmed, detail: detail, time: time))
    }
}
