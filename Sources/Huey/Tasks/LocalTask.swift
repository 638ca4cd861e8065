public import Pickle

/// A task that runs here: call it to enqueue it.
public struct LocalTask<Output: Sendable, each Argument: PickleCodable & Sendable>: Sendable {
    /// The instance that the task was registered with.
    public let huey: Huey
    /// The task's wire name.
    public let name: String
    /// What is asked for at enqueue; see ``with(_:)``.
    public var options = TaskOptions()
    /// The handler itself.
    let body: @Sendable (TaskContext, (repeat each Argument)) async throws -> Output

    /// Enqueues the task. Mirrors `TaskWrapper.__call__`.
    ///
    /// - Throws: as ``Huey/enqueue(_:)``.
    @discardableResult
    public func callAsFunction(_ argument: repeat each Argument) async throws -> TaskResult<Output> {
        let message = try s(repeat each argument)
        try await huey.enqueue(message)
        return TaskResult(huey: huey, message: message)
    }

    /// The message for a call, to be enqueued later or put into a pipeline. Mirrors `TaskWrapper.s`.
    ///
    /// - Throws: ``HueyError`` `.dateOutOfRange` for an impossible start.
    public func s(_ argument: repeat each Argument) throws -> Message {
        var positional: [TaskArguments.Value] = []
        for value in repeat each argument { positional.append(value) }
        return try huey.message(name, TaskArguments(positional), options: options)
    }

    /// The same task with other options for its calls: when to run, retries, priority, expiry.
    public func with(_ options: TaskOptions) -> Self {
        var copy = self
        copy.options = options
        return copy
    }
}

/// A task that runs in Python, or in another Swift process: call it to enqueue it.
public struct RemoteTask<Output: Sendable>: Sendable {
    public let huey: Huey
    /// The task's wire name.
    public let name: String
    /// What is asked for at enqueue; see ``with(_:)``.
    public var options = TaskOptions()

    /// Enqueues the task with positional and keyword arguments of any types that can be pickled.
    ///
    /// - Throws: as ``Huey/enqueue(_:)``.
    @discardableResult
    public func callAsFunction(
        _ arguments: any PickleEncodable & Sendable...,
        keywords: KeyValuePairs<String, any PickleEncodable & Sendable> = [:]
    ) async throws -> TaskResult<Output> {
        let message = try huey.message(name, TaskArguments(arguments, keywords: keywords), options: options)
        try await huey.enqueue(message)
        return TaskResult(huey: huey, message: message)
    }

    /// The message for a call, to be enqueued later or put into a pipeline.
    ///
    /// - Throws: ``HueyError`` `.dateOutOfRange` for an impossible start.
    public func s(
        _ arguments: any PickleEncodable & Sendable...,
        keywords: KeyValuePairs<String, any PickleEncodable & Sendable> = [:]
    ) throws -> Message {
        try huey.message(name, TaskArguments(arguments, keywords: keywords), options: options)
    }

    /// The same task with other options for its calls.
    public func with(_ options: TaskOptions) -> Self {
        var copy = self
        copy.options = options
        return copy
    }
}
