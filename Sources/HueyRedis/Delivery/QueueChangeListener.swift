import Redis
import Synchronization

/// Tells when a key has changed, where no command waits for that: one connection reads the key and has the server keep track of it
/// (`CLIENT TRACKING`), the news come on another. Where the server refuses that, the key is taken to change again and again.
final class QueueChangeListener: Sendable {
    /// How a wait ended.
    enum Ending: Sendable {
        case changed
        case over
        case interrupted
    }

    private struct State {
        var reader: RedisConnection?
        var subscriber: RedisConnection?
        /// Whether the server refused to keep track.
        var isRefused = false
        /// After which pause the key is taken to have changed, where the server does not tell.
        var pause = QueueChangeListener.shortestPause
        /// What happened while nobody waited.
        var pending: Ending?
        var waiter: (number: Int, continuation: CheckedContinuation<Ending, Never>)?
        var number = 0
    }

    private static let shortestPause = Duration.milliseconds(2)
    private static let longestPause = Duration.milliseconds(20)

    private let client: RedisClient
    private let state = Mutex(State())

    init(client: RedisClient) { self.client = client }

    /// Runs a script on the connection whose reads are kept track of. One at a time.
    ///
    /// - Throws: the connection's error; the next call connects anew.
    func evaluate(
        _ script: RedisScript,
        keys: [RedisArgument],
        arguments: [RedisArgument]
    ) async throws -> RedisReply {
        let reader = try await reader()
        do {
            var batch = RedisBatch()
            batch.evaluate(script, keys: keys, arguments: arguments)
            let reply = try await execute(batch, on: reader)
            guard reply.error?.prefix == "NOSCRIPT" else { return try reply.get() }
            batch = RedisBatch()
            batch.evaluate(sourceOf: script, keys: keys, arguments: arguments)
            return try await execute(batch, on: reader).get()
        } catch {
            if reader.isClosed { await close() }
            throw error
        }
    }

    private func execute(_ batch: RedisBatch, on connection: RedisConnection) async throws -> RedisReply {
        try await connection.execute(batch, timeout: client.configuration.commandTimeout)[0]
    }

    /// The connection that reads, set up together with the one that hears.
    private func reader() async throws -> RedisConnection {
        let (reader, subscriber, isRefused) = state.withLock { ($0.reader, $0.subscriber, $0.isRefused) }
        if let reader, !reader.isClosed, isRefused || subscriber?.isClosed == false { return reader }
        await close()
        let fresh = try await client.connect()
        let listener =
            isRefused ? nil : try await client.listener(for: fresh, hearing: { [weak self] _ in self?.end(.changed) })
        state.withLock { state in
            state.reader = fresh
            state.subscriber = listener
            state.isRefused = listener == nil
        }
        return fresh
    }

    /// Waits until the key has changed, for `limit` at most.
    func wait(for limit: Duration) async -> Ending {
        let (number, pause) = state.withLock { state in
            state.number += 1
            guard state.isRefused else { return (state.number, limit) }
            defer { state.pause = min(state.pause * 1.5, Self.longestPause) }
            return (state.number, min(limit, state.pause))
        }
        let timer = Task(executorPreference: client.executor) { [client] in
            try? await client.pause(for: pause)
            if !Task.isCancelled { self.end(.over, ifStillAt: number) }
        }
        defer { timer.cancel() }
        let ending = await withCheckedContinuation { continuation in
            let pending = state.withLock { state in
                defer { state.pending = nil }
                if state.pending == nil { state.waiter = (number, continuation) }
                return state.pending
            }
            if let pending { continuation.resume(returning: pending) }
        }
        return ending
    }

    private func end(_ ending: Ending, ifStillAt number: Int? = nil) {
        let waiter = state.withLock { state -> CheckedContinuation<Ending, Never>? in
            if let number, state.waiter?.number != number { return nil }
            if ending == .interrupted { state.pause = Self.shortestPause }
            defer { state.waiter = nil }
            if state.waiter == nil, state.pending != .interrupted { state.pending = ending }
            return state.waiter?.continuation
        }
        waiter?.resume(returning: ending)
    }

    /// Forgets earlier changes, and begins with short pauses again: there was something.
    func rest() {
        state.withLock { state in
            state.pause = Self.shortestPause
            if state.pending == .changed { state.pending = nil }
        }
    }

    /// Ends a wait, or the next one that would begin.
    func interrupt() { end(.interrupted) }

    func close() async {
        let (reader, subscriber) = state.withLock { state in
            defer { (state.reader, state.subscriber) = (nil, nil) }
            return (state.reader, state.subscriber)
        }
        await reader?.close()
        await subscriber?.close()
    }
}
