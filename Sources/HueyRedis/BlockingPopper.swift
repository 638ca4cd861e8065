import Redis
import Synchronization

/// The connection on which a consumer waits in blocking pops. It is its own, so that nobody queues behind the wait, and is made
/// anew when it breaks.
final class BlockingPopper: Sendable {
    private struct State {
        var connection: RedisConnection?
        var isWaiting = false
        var isInterrupted = false
    }

    private let client: RedisClient
    private let state = Mutex(State())

    init(client: RedisClient) { self.client = client }

    /// Carries out a batch whose commands block for up to `wait`; nil when it was interrupted before it began. One at a time.
    ///
    /// - Throws: the connection's error; the next call connects anew.
    func execute(_ batch: RedisBatch, blockingFor wait: Duration) async throws -> RedisReplies? {
        let connection = try await connection()
        let mayWait = state.withLock { state in
            state.isWaiting = !state.isInterrupted
            state.isInterrupted = false
            return state.isWaiting
        }
        guard mayWait else { return nil }
        defer { state.withLock { $0.isWaiting = false } }
        do {
            return try await connection.execute(batch, blockingFor: wait)
        } catch {
            state.withLock { $0.connection = nil }
            await connection.close()
            throw error
        }
    }

    /// Waits without asking the server; whether the wait was interrupted before or meanwhile.
    func pause(for duration: Duration) async -> Bool {
        try? await client.pause(for: duration)
        return state.withLock { state in
            defer { state.isInterrupted = false }
            return state.isInterrupted
        }
    }

    private func connection() async throws -> RedisConnection {
        if let connection = state.withLock({ $0.connection }), !connection.isClosed { return connection }
        let connection = try await client.connect()
        state.withLock { $0.connection = connection }
        return connection
    }

    /// Ends a wait, or the next one that would begin: the pop answers that there is nothing, and no message is lost.
    func interrupt() async {
        let connection = state.withLock { state -> RedisConnection? in
            state.isInterrupted = !state.isWaiting
            return state.isWaiting ? state.connection : nil
        }
        await connection?.unblock()
    }

    func close() async {
        let connection = state.withLock { state in
            defer { state.connection = nil }
            return state.connection
        }
        await connection?.close()
    }
}
