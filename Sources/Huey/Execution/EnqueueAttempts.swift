/// A message that could not be enqueued within the time allowed.
public struct EnqueueFailure: StorageFailure, CustomStringConvertible {
    /// The id of the task.
    public let id: String
    /// Whether the message may be in the queue nevertheless: the answer to some attempt was lost.
    public let mayHaveHappened: Bool
    /// What the last attempt failed with; nil if it had no outcome in time.
    public let reason: (any Error)?

    public var isTransient: Bool { true }

    /// In words, without arguments of the task.
    public var description: String {
        let doubt = mayHaveHappened ? ", or nobody knows" : ""
        return "task \(id) was not enqueued in time\(doubt)" + (reason.map { ": \($0)" } ?? "")
    }
}

/// Enqueues one message, again and again while the storage cannot be reached, until the time is over.
struct EnqueueAttempts<C: Clock<Duration>>: Sendable {
    private struct OutOfTime: Error {}

    /// The task's id.
    let id: String
    let budget: Duration
    /// Whether an attempt may follow one that may have happened.
    let isIdempotent: Bool
    let clock: C

    /// - Throws: ``EnqueueFailure`` when the time is over, the storage's error where trying again makes no sense, `CancellationError`.
    func run(_ attempt: @escaping @Sendable () async throws -> Void) async throws {
        let deadline = clock.now.advanced(by: budget)
        var pause = Duration.milliseconds(50)
        var isUncertain = false
        while true {
            do {
                return try await bounded(by: deadline, attempt)
            } catch is OutOfTime {
                throw EnqueueFailure(id: id, mayHaveHappened: true, reason: nil)
            } catch let failure as any StorageFailure where failure.isTransient {
                isUncertain = isUncertain || failure.mayHaveHappened
                // Half of it random, so that many producers do not come back at the same moment.
                let rest = pause * .random(in: 0.5...1)
                let isOver = clock.now.advanced(by: rest) >= deadline || (isUncertain && !isIdempotent)
                guard !isOver else { throw EnqueueFailure(id: id, mayHaveHappened: isUncertain, reason: failure) }
                try await clock.sleep(for: rest)
                pause = min(pause * 2, .seconds(1))
            }
        }
    }

    private func bounded(
        by deadline: C.Instant,
        _ operation: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await operation() }
            group.addTask {
                try await clock.sleep(until: deadline, tolerance: nil)
                throw OutOfTime()
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
