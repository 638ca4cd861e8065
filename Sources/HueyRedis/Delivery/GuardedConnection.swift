import Redis
import Synchronization

/// A connection of its own for transactions that happen only while a key is there and untouched (`WATCH`). One at a time.
///
/// A transaction ends the watch; the next one begins in the same write, so that each takes one round trip. No other transaction may share the
/// connection therefore.
final class GuardedConnection: Sendable {
    enum Outcome: Sendable {
        /// The results of the commands.
        case done(RedisReplies)
        /// Nothing happened: the key is not there.
        case over
        /// Nothing happened: the server refused a command, now or for ever, or the key was touched again and again.
        case refused
    }

    private struct State {
        var connection: RedisConnection?
        /// What is watched.
        var key = ""
        /// Whether it was there when the watch began.
        var isArmed = false
        /// Whether a transaction's answer was lost: it may happen still.
        var isUncertain = false
        /// Whether the server will never let us.
        var isForbidden = false
    }

    /// So often a transaction is begun again that found the key touched, and there.
    private static let tries = 3

    private let client: RedisClient
    private let state = Mutex(State())

    init(client: RedisClient) { self.client = client }

    /// Carries out a transaction while `key` is there.
    ///
    /// - Throws: the connection's error, after which the transaction may have happened, or may happen until ``fence()``.
    func transaction(
        while key: String,
        _ commands: (inout RedisBatch) throws -> Void
    ) async throws -> Outcome {
        try await fence()
        for _ in 0..<Self.tries {
            guard !state.withLock({ $0.isForbidden }) else { return .refused }
            guard let connection = try await watch(key) else {
                return state.withLock { $0.isForbidden } ? .refused : .over
            }
            var batch = RedisBatch(reservingCapacity: 1024)
            try batch.transaction(commands)
            let count = batch.count
            Self.addWatch(key, to: &batch)
            let replies = try await execute(batch, on: connection)
            state.withLock { $0.isArmed = replies[count + 1].integer == 1 }
            if let error = replies.prefix(count).lazy.compactMap(\.error).first {
                // Of the commands the first one says why; the transaction was given up for it.
                await refuse(error)
                return .refused
            }
            if let results = replies[count - 1].elements { return .done(results) }
        }
        return .refused
    }

    /// Sees to it that no transaction happens any more whose answer was lost: touches what it watches.
    ///
    /// - Throws: the connection's error.
    func fence() async throws {
        let (isUncertain, key) = state.withLock { ($0.isUncertain, $0.key) }
        guard isUncertain else { return }
        // What takes no memory is allowed on a server that is full. Ten years are for ever.
        try await client.command("EXPIRE", .init(key), 315_360_000)
        state.withLock { $0.isUncertain = false }
    }

    func close() async {
        let connection = state.withLock { state in
            defer { state.connection = nil }
            return state.connection
        }
        await connection?.close()
    }

    private static func addWatch(_ key: String, to batch: inout RedisBatch) {
        batch.append("WATCH", .init(key))
        batch.append("EXISTS", .init(key))
    }

    /// The connection, with `key` watched; nil when it is not there, or must not be watched.
    private func watch(_ key: String) async throws -> RedisConnection? {
        let known = state.withLock { $0 }
        if let connection = known.connection, !connection.isClosed, known.key == key, known.isArmed {
            return connection
        }
        var connection = known.connection
        var batch = RedisBatch()
        if connection == nil || connection?.isClosed == true {
            connection = try await client.connect()
            // Who may not begin a transaction would carry out its commands one by one.
            batch.append("MULTI")
            batch.append("EXEC")
        }
        guard let connection else { return nil }
        batch.append("UNWATCH")
        Self.addWatch(key, to: &batch)
        state.withLock { state in
            state.connection = connection
            state.key = key
            state.isArmed = false
        }
        let replies = try await execute(batch, on: connection, mayBeLost: false)
        if let error = replies.firstError {
            await refuse(error)
            if error.isTransient { throw error }
            return nil
        }
        let isThere = replies[replies.count - 1].integer == 1
        state.withLock { $0.isArmed = isThere }
        return isThere ? connection : nil
    }

    private func execute(
        _ batch: RedisBatch,
        on connection: RedisConnection,
        mayBeLost: Bool = true
    ) async throws -> RedisReplies {
        do {
            return try await connection.execute(batch, timeout: client.configuration.commandTimeout)
        } catch {
            state.withLock { state in
                state.isUncertain = mayBeLost && (error as? RedisError)?.mayHaveExecuted == true
                state.connection = nil
            }
            await connection.close()
            throw error
        }
    }

    /// Never tries again what is not allowed, and connects anew where another server may have to be found.
    private func refuse(_ error: RedisError) async {
        state.withLock { $0.isForbidden = $0.isForbidden || !error.isTransient }
        if error.prefix != "OOM" { await close() }
    }
}
