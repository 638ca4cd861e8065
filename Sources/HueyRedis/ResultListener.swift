import Redis
import Synchronization

/// One way of looking at a result.
struct ResultLook: Sendable {
    /// The list that gets an element when the result is stored.
    let notification: String
    /// Adds the commands that look.
    let add: @Sendable (inout RedisBatch) -> Void
    /// What their replies, the last of a batch, say.
    let found: @Sendable (RedisReplies) -> [UInt8]?
}

/// Waits for results by their notifications, any number of waiters on two connections: one looks at a result's notification list and
/// has the server remember that (`CLIENT TRACKING`), the news that it has changed comes on the other.
///
/// huey blocks a connection of its own in `BLPOP` for each wait. The lists and what remains of them are the same.
final class ResultListener: Sendable {
    enum Ending: Sendable {
        case found([UInt8])
        /// There was a notification and no result: somebody else has taken it.
        case notified
        /// The time is over.
        case nothing
        /// The server does not tell of changes, or not us.
        case refused
    }

    private enum News: Sendable {
        case changed
        case over
    }

    private struct Waiter {
        var continuation: CheckedContinuation<News, Never>?
        /// What came before it waited.
        var news: News?
    }

    private struct State {
        var reader: RedisConnection?
        var subscriber: RedisConnection?
        var isRefused = false
        /// By the notification's key, and their numbers.
        var waiters: [String: [Int: Waiter]] = [:]
        var number = 0
    }

    /// A connection that is gone tells nothing: so often everybody looks again.
    private static let patience = Duration.seconds(2)

    private let client: RedisClient
    private let state = Mutex(State())
    private let setup = AsyncLock()

    init(client: RedisClient) { self.client = client }

    /// Waits until there is a result, for `timeout` at most.
    ///
    /// - Throws: the connection's error, `CancellationError`.
    func wait(for look: ResultLook, timeout: Duration?) async throws -> Ending {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        while true {
            guard let reader = try await reader() else { return .refused }
            let number = register(look.notification)
            defer { unregister(look.notification, number) }
            var batch = RedisBatch()
            batch.append("CLIENT", "CACHING", "YES")
            batch.append("LLEN", .init(look.notification))
            look.add(&batch)
            let replies = try await reader.execute(batch, timeout: client.configuration.commandTimeout)
            if let error = replies.firstError { throw error }
            if let data = look.found(replies) { return .found(data) }
            if let count = replies[1].integer, count > 0 { return try await take(look) ?? .notified }
            let rest = deadline.map { ContinuousClock.now.duration(to: $0) }
            if let rest, rest <= .zero { return .nothing }
            let news = await listen(look.notification, number, for: min(rest ?? Self.patience, Self.patience))
            try Task.checkCancellation()
            // What has changed may be that another waiter took it, or that it has expired.
            if news == .changed, let ending = try await take(look) { return ending }
        }
    }

    /// Takes the notification away and the result with it; nil when neither was there.
    private func take(_ look: ResultLook) async throws -> Ending? {
        var batch = RedisBatch()
        batch.append("DEL", .init(look.notification))
        look.add(&batch)
        let replies = try await client.run(batch)
        if let data = look.found(replies) { return .found(data) }
        return replies[0].integer == 0 ? nil : .notified
    }

    // MARK: waiters

    private func register(_ key: String) -> Int {
        state.withLock { state in
            state.number += 1
            state.waiters[key, default: [:]][state.number] = Waiter()
            return state.number
        }
    }

    private func unregister(_ key: String, _ number: Int) {
        state.withLock { state in
            state.waiters[key]?[number] = nil
            if state.waiters[key]?.isEmpty == true { state.waiters[key] = nil }
        }
    }

    private func listen(_ key: String, _ number: Int, for limit: Duration) async -> News {
        let timer = client.schedule(after: limit) { [weak self] in self?.tell(.over, key, number) }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let news = state.withLock { state -> News? in
                    guard let waiter = state.waiters[key]?[number] else { return .over }
                    if waiter.news == nil { state.waiters[key]?[number]?.continuation = continuation }
                    return waiter.news
                }
                if let news { continuation.resume(returning: news) }
            }
        } onCancel: {
            tell(.over, key, number)
        }
    }

    private func tell(_ news: News, _ key: String, _ number: Int) {
        let continuation = state.withLock { state -> CheckedContinuation<News, Never>? in
            guard let waiter = state.waiters[key]?[number], waiter.news == nil else { return nil }
            state.waiters[key]?[number] = Waiter(continuation: nil, news: news)
            return waiter.continuation
        }
        continuation?.resume(returning: news)
    }

    /// Tells whoever waits for one of these keys; everybody when the server forgot them all.
    private func hear(_ keys: RedisReply?) {
        let changed = keys?.elements.map { $0.compactMap(\.string) }
        let numbers = state.withLock { state in
            (changed ?? Array(state.waiters.keys)).flatMap { key in
                (state.waiters[key] ?? [:]).keys.map { (key, $0) }
            }
        }
        for (key, number) in numbers { tell(.changed, key, number) }
    }

    // MARK: connections

    /// The connection that looks, set up together with the one that hears; nil where the server refuses.
    private func reader() async throws -> RedisConnection? {
        if let known = known() { return known.reader }
        return try await setup.withLock {
            if let known = known() { return known.reader }
            await close()
            let reader = try await client.connect()
            let subscriber = try await client.listener(
                for: reader,
                optIn: true,
                hearing: { [weak self] in self?.hear($0) }
            )
            guard let subscriber else {
                await reader.close()
                state.withLock { $0.isRefused = true }
                return nil
            }
            state.withLock { state in
                state.reader = reader
                state.subscriber = subscriber
            }
            return reader
        }
    }

    private func known() -> (reader: RedisConnection?, Void)? {
        state.withLock { state in
            if state.isRefused { return (nil, ()) }
            guard let reader = state.reader, !reader.isClosed, state.subscriber?.isClosed == false else { return nil }
            return (reader, ())
        }
    }

    func close() async {
        let (reader, subscriber) = state.withLock { state in
            defer { (state.reader, state.subscriber) = (nil, nil) }
            return (state.reader, state.subscriber)
        }
        await reader?.close()
        await subscriber?.close()
    }
}

/// One at a time, those who wait in order.
final class AsyncLock: Sendable {
    private struct State {
        var isTaken = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func withLock<Value: Sendable>(_ body: () async throws -> Value) async rethrows -> Value {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isTaken { state.waiters.append(continuation) }
                defer { state.isTaken = true }
                return !state.isTaken
            }
            if isFree { continuation.resume() }
        }
        defer {
            let next = state.withLock { state in
                if state.waiters.isEmpty { state.isTaken = false }
                return state.waiters.isEmpty ? nil : state.waiters.removeFirst()
            }
            next?.resume()
        }
        return try await body()
    }
}
