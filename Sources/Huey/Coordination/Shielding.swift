/// Runs `body` to its end where the caller may have been cancelled: what was taken must be given back.
package func withoutCancellation<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await Task { try await body() }.value
}

extension Huey {
    /// Counts a lock among those that this process knows, as huey's `_locks` does.
    package func rememberLock(_ name: String) { knownLocks.insert(name) }
}
