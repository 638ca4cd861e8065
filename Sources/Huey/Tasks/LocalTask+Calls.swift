import Pickle

extension LocalTask {
    /// Enqueues one task for each element, in few writes. Mirrors `TaskWrapper.map`.
    ///
    /// - Parameter arguments: the arguments of each call: a value where the task takes one argument, a tuple where it takes more.
    /// - Returns: the results, in order; `asCompleted()` gives them as they come.
    /// - Throws: as ``Huey/enqueue(contentsOf:)``.
    @discardableResult
    public func map(_ arguments: some Sequence<(repeat each Argument)>) async throws -> [TaskResult<Output>] {
        var messages: [Message] = []
        for argument in arguments { messages.append(try s(repeat each argument)) }
        try await huey.enqueue(contentsOf: messages)
        return messages.map { TaskResult(huey: huey, message: $0) }
    }

    /// Calls the handler here and now, without the queue, hooks, signals or retries. Mirrors `TaskWrapper.call_local`.
    ///
    /// A task that is told about itself gets a message that was never enqueued.
    ///
    /// - Throws: what the handler throws.
    public func callLocal(_ argument: repeat each Argument) async throws -> Output {
        let context = TaskContext(
            huey: huey,
            start: ReadyTask(
                MessageBlock(huey, [Delivery(data: [])], isLookedAt: false),
                0,
                message: try s(repeat each argument),
                task: huey.registry.task(named: name)
                    ?? RegisteredTask(
                        name: name,
                        settings: TaskSettings(),
                        isDue: nil,
                        handler: .synchronous({ _ in PickleValue.none }, inPlace: nil)
                    )
            ),
            deadline: nil,
            logger: huey.logger
        )
        return try await body(context, (repeat each argument))
    }
}
