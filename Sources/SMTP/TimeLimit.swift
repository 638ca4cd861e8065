/// What was waited for took too long.
struct TimeLimitExceeded: Error {}

/// Runs `work`. When it takes longer than `limit`, or whoever waits is cancelled, calls `abandon`, which must make `work` end.
///
/// - Throws: what `work` throws, ``TimeLimitExceeded``, or `CancellationError`, whatever `work` made of being abandoned.
func bounded<Value: Sendable>(
    by limit: Duration,
    on clock: any Clock<Duration>,
    abandon: @escaping @Sendable () -> Void,
    _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await withTaskCancellationHandler(operation: work, onCancel: abandon) }
        group.addTask {
            try await clock.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        do {
            guard let first = try await group.next(), let value = first else { throw TimeLimitExceeded() }
            return value
        } catch  where Task.isCancelled {
            throw CancellationError()
        }
    }
}
