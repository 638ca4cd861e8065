public import Pickle
import Synchronization

/// A handle on the result of a task. Mirrors `huey.api.Result`: reading takes the result out of the store (an expiring storage
/// leaves it), and the handle remembers what it read.
public final class TaskResult<Value: Sendable>: Sendable {
    let huey: Huey
    /// The task as it was enqueued.
    public let message: Message
    private let cached = Mutex<PickleView?>(nil)

    init(huey: Huey, message: Message) {
        self.huey = huey
        self.message = message
    }

    /// The task's id.
    public var id: String { message.id }

    /// Forgets what was read. Mirrors `reset`.
    public func reset() { cached.withLock { $0 = nil } }

    /// Whether there is a result; it is taken out of the store as reading does. Mirrors `is_ready`.
    public func isReady() async throws -> Bool { try await read(preserve: false) != nil }

    /// The result as it is pickled, or nil when there is none yet.
    ///
    /// - Parameter preserve: leaves the result in the store.
    /// - Throws: ``TaskException`` when the task failed, or the storage's error.
    public func peekView(preserve: Bool = false) async throws -> PickleView? {
        guard let view = try await read(preserve: preserve) else { return nil }
        return try Self.checked(view)
    }

    /// Whether the result has been read: it is known without the storage.
    var isKnown: Bool { cached.withLock { $0 != nil } }

    /// Waits for the result. Mirrors `get(blocking=True)`.
    ///
    /// - Parameters:
    ///   - timeout: how long to wait; nil for ever.
    ///   - preserve: leaves the result in the store.
    ///   - revokeOnTimeout: keeps the task from running, once, when nothing came in time.
    ///   - backoff: the factor by which the pauses between two looks at the storage grow.
    ///   - maxDelay: the longest pause.
    /// - Throws: ``TaskException`` when the task failed, ``HueyError`` `.resultTimeout` when nothing came in time.
    public func view(
        timeout: Duration? = nil,
        preserve: Bool = false,
        revokeOnTimeout: Bool = false,
        backoff: Double = 1.15,
        maxDelay: Duration = .seconds(1)
    ) async throws -> PickleView {
        guard huey.options.results else {
            throw HueyError(.resultsDisabled, "this instance stores no results")
        }
        if let view = cached.withLock({ $0 }) { return try Self.checked(view) }
        let data = try await huey.flushedStorage().awaitData(
            id,
            preserve: preserve,
            timeout: timeout,
            backoff: backoff,
            maxDelay: maxDelay
        )
        if let data { return try Self.checked(keep(data)) }
        if revokeOnTimeout { try await revoke() }
        throw HueyError(.resultTimeout, "timed out waiting for result")
    }

    private func read(preserve: Bool) async throws -> PickleView? {
        if let view = cached.withLock({ $0 }) { return view }
        let storage = try await huey.flushedStorage()
        guard let data = preserve ? try await storage.peekData(id) : try await storage.popData(id) else { return nil }
        return try keep(data)
    }

    private func keep(_ data: [UInt8]) throws -> PickleView {
        let view = try huey.serializer.deserialize(data)
        cached.withLock { $0 = view }
        return view
    }

    private static func checked(_ view: PickleView) throws -> PickleView {
        guard ErrorResult.matches(view) else { return view }
        let result = try ErrorResult(pickle: view)
        throw TaskException(
            error: result.error,
            retries: result.retries,
            traceback: result.traceback,
            taskID: result.taskID
        )
    }
}

extension TaskResult where Value: PickleDecodable {
    /// Waits for the result.
    ///
    /// - Parameters:
    ///   - timeout: how long to wait; nil for ever.
    ///   - preserve: leaves the result in the store.
    ///   - revokeOnTimeout: keeps the task from running, once, when nothing came in time.
    ///   - backoff: the factor by which the pauses between two looks at the storage grow.
    ///   - maxDelay: the longest pause.
    /// - Throws: ``TaskException`` when the task failed, ``HueyError`` `.resultTimeout` when nothing came in time,
    ///   ``PickleError`` when the result is of another type.
    public func value(
        timeout: Duration? = nil,
        preserve: Bool = false,
        revokeOnTimeout: Bool = false,
        backoff: Double = 1.15,
        maxDelay: Duration = .seconds(1)
    ) async throws -> Value {
        let view = try await view(
            timeout: timeout,
            preserve: preserve,
            revokeOnTimeout: revokeOnTimeout,
            backoff: backoff,
            maxDelay: maxDelay
        )
        return try Value(pickle: view)
    }

    /// The result if it is there, without waiting; it stays in the store.
    ///
    /// - Throws: as ``value(timeout:preserve:revokeOnTimeout:backoff:maxDelay:)``.
    public func peek() async throws -> Value? {
        try await peekView(preserve: true).map(Value.init(pickle:))
    }
}

extension TaskResult {
    /// Keeps the task from running: once, or until ``restore()``. Mirrors `Result.revoke`.
    public func revoke(once: Bool = true) async throws { try await huey.revoke(id: id, once: once) }

    /// Takes a revocation back; whether there was one. Mirrors `Result.restore`.
    @discardableResult
    public func restore() async throws -> Bool { try await huey.restore(id: id) }
}

extension Huey {
    /// A handle on the result of a task enqueued anywhere. Mirrors `Huey.result`.
    public func result<Value: Sendable>(id: String, of type: Value.Type = PickleValue.self) -> TaskResult<Value> {
        TaskResult(huey: self, message: Message(id: id, name: ""))
    }
}

/// The results of several tasks, in order. Mirrors `huey.api.ResultGroup`.
public struct ResultGroup: Sendable, RandomAccessCollection {
    private let results: [TaskResult<PickleValue>]

    init(_ results: [TaskResult<PickleValue>]) { self.results = results }

    public var startIndex: Int { results.startIndex }
    public var endIndex: Int { results.endIndex }
    public subscript(position: Int) -> TaskResult<PickleValue> { results[position] }

    /// Waits for all results, `timeout` for each.
    ///
    /// - Throws: as ``TaskResult/value(timeout:preserve:revokeOnTimeout:backoff:maxDelay:)``.
    public func values(timeout: Duration? = nil) async throws -> [PickleValue] {
        var values: [PickleValue] = []
        for result in results { values.append(try await result.value(timeout: timeout)) }
        return values
    }
}
