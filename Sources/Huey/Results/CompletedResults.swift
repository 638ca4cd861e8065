public import Pickle

/// Results as they come, the first to be there first. Mirrors `ResultGroup.as_completed`.
///
/// One question to the storage asks for all results that are still missing; the pauses between the questions grow as huey's do, from 115 ms.
/// Cancelling the task that iterates ends a pause with `CancellationError`.
public struct CompletedResults<Value: Sendable>: AsyncSequence, Sendable {
    /// A result that has been read: its value is there without waiting, or its ``TaskException``.
    public typealias Element = TaskResult<Value>

    let results: [TaskResult<Value>]
    let backoff: Double
    let maxDelay: Duration

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(missing: results, backoff: backoff, maxDelay: maxDelay)
    }

    /// Asks for the results that are missing.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private var missing: [TaskResult<Value>]
        /// Results that are there and have not been handed out, last first.
        private var arrived: [TaskResult<Value>] = []
        private var delay = Duration.milliseconds(100)
        private let backoff: Double
        private let maxDelay: Duration

        init(missing: [TaskResult<Value>], backoff: Double, maxDelay: Duration) {
            self.missing = missing
            self.backoff = backoff
            self.maxDelay = maxDelay
        }

        /// The next result to be there; nil after the last.
        ///
        /// - Throws: ``HueyError`` `.resultsDisabled`, the storage's error, `CancellationError`.
        public mutating func next() async throws -> TaskResult<Value>? {
            var isFirst = true
            while arrived.isEmpty {
                if missing.isEmpty { return nil }
                if !isFirst {
                    delay = delay.grown(by: backoff, atMost: maxDelay)
                    try await Task.sleep(for: delay)
                }
                isFirst = false
                try await ask()
            }
            return arrived.removeLast()
        }

        private mutating func ask() async throws {
            var asked: [ObjectIdentifier: [Int]] = [:]
            var isThere = missing.map(\.isKnown)
            for index in missing.indices where !isThere[index] {
                asked[ObjectIdentifier(missing[index].huey), default: []].append(index)
            }
            for indices in asked.values {
                let huey = missing[indices[0]].huey
                guard huey.options.results else {
                    throw HueyError(.resultsDisabled, "this instance stores no results")
                }
                let values = try await huey.flushedStorage().peekMany(indices.map { missing[$0].id })
                for (index, value) in zip(indices, values) where value != nil {
                    // Somebody else may have taken it since.
                    isThere[index] = try await missing[index].isReady()
                }
            }
            arrived = zip(missing, isThere).filter(\.1).map(\.0).reversed()
            missing = zip(missing, isThere).filter { !$0.1 }.map(\.0)
        }
    }
}

extension ResultGroup {
    /// The results in the order in which they come, each as soon as it is there.
    ///
    /// ```swift
    /// for try await result in group.asCompleted() { print(result.id, try await result.value()) }
    /// ```
    ///
    /// - Parameters:
    ///   - backoff: the factor by which the pauses between two questions to the storage grow.
    ///   - maxDelay: the longest pause.
    public func asCompleted(
        backoff: Double = 1.15,
        maxDelay: Duration = .seconds(1)
    ) -> CompletedResults<PickleValue> {
        CompletedResults(results: Array(self), backoff: backoff, maxDelay: maxDelay)
    }
}

extension Sequence {
    /// The results in the order in which they come, as ``ResultGroup/asCompleted(backoff:maxDelay:)``.
    public func asCompleted<Value: Sendable>(
        backoff: Double = 1.15,
        maxDelay: Duration = .seconds(1)
    ) -> CompletedResults<Value> where Element == TaskResult<Value> {
        CompletedResults(results: Array(self), backoff: backoff, maxDelay: maxDelay)
    }
}
