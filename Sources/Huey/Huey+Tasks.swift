public import Pickle

extension Huey {
    // MARK: synchronous handlers

    /// Registers a task whose handler does not suspend, under the name that Python gives it (`module.function`).
    ///
    /// A consumer runs the handler on a thread of its own, as many at once as it has workers: it may block, or compute for long. It has the
    /// running Swift task's values, and `Task.isCancelled` tells it that the consumer stops or that its time is over; nothing else ends it.
    ///
    /// A producer's call is bound to the parameters as Python would bind it, with Python's errors for a wrong one, and each value
    /// is decoded to the type that the handler declares. Two tasks of one name, or impossible parameters, are reported by
    /// ``checkRegistrations()`` and when a consumer starts.
    ///
    /// - Parameters:
    ///   - name: the task's name on the wire.
    ///   - parameters: the parameters that Python would declare, in order; as many as the handler takes.
    ///   - settings: the defaults for what a call leaves open.
    ///   - handler: what runs.
    /// - Returns: the task, to be called.
    @discardableResult
    public func task<each Argument: PickleCodable & Sendable, Output: PickleEncodable & Sendable>(
        _ name: String,
        parameters: Parameter...,
        settings: TaskSettings = TaskSettings(),
        handler: @escaping @Sendable (repeat each Argument) throws -> Output
    ) -> LocalTask<Output, repeat each Argument> {
        register(name, parameters, settings, mayReturnNone: TaskRun.mayBeNone(Output.self)) { signature in
            .synchronous(signature) { arguments in
                try handler(repeat try arguments.next(as: (each Argument).self))
            }
        }
        return LocalTask(huey: self, name: name) { _, arguments in try handler(repeat each arguments) }
    }

    /// Registers a task whose handler does not suspend and returns nothing, Python's None.
    @discardableResult
    public func task<each Argument: PickleCodable & Sendable>(
        _ name: String,
        parameters: Parameter...,
        settings: TaskSettings = TaskSettings(),
        handler: @escaping @Sendable (repeat each Argument) throws -> Void
    ) -> LocalTask<PickleValue, repeat each Argument> {
        task(name, parameters: parameters, settings: settings, handler: handler)
    }

    /// Registers a task whose handler does not suspend and returns nothing, its parameters in an array.
    @discardableResult
    public func task<each Argument: PickleCodable & Sendable>(
        _ name: String,
        parameters: [Parameter],
        settings: TaskSettings = TaskSettings(),
        handler: @escaping @Sendable (repeat each Argument) throws -> Void
    ) -> LocalTask<PickleValue, repeat each Argument> {
        register(name, parameters, settings) { signature in
            .synchronous(signature) { arguments in
                try handler(repeat try arguments.next(as: (each Argument).self))
                return PickleValue.none
            }
        }
        return LocalTask(huey: self, name: name) { _, arguments in
            try handler(repeat each arguments)
            return PickleValue.none
        }
    }

    /// Registers a task that is told about itself first, and does not suspend. Mirrors `task(context=True)`.
    @discardableResult
    public func contextTask<each Argument: PickleCodable & Sendable, Output: PickleEncodable & Sendable>(
        _ name: String,
        parameters: Parameter...,
        settings: TaskSettings = TaskSettings(),
        handler: @escaping @Sendable (TaskContext, repeat each Argument) throws -> Output
    ) -> LocalTask<Output, repeat each Argument> {
        register(name, parameters, settings, takesTask: true) { signature in
            .synchronous(
                { context in
                    var arguments = try signature.bind(context)
                    return try handler(context, repeat try arguments.next(as: (each Argument).self))
                },
                inPlace: nil
            )
        }
        return LocalTask(huey: self, name: name) { context, arguments in
            try handler(context, repeat each arguments)
        }
    }

    /// Registers a periodic task whose handler does not suspend. Mirrors `periodic_task(context=True)`.
    public func periodicTask<Output: PickleEncodable & Sendable>(
        _ name: String,
        _ schedule: Crontab,
        settings: TaskSettings = TaskSettings(),
        handler: @escaping @Sendable (TaskContext) throws -> Output
    ) {
        register(name, [], settings, takesTask: true, isDue: { schedule.matches($0) }) { signature in
            .synchronous(
                { context in
                    _ = try signature.bind(context)
                    return try handler(context)
                },
                inPlace: nil
            )
        }
    }

    /// Registers a periodic task whose handler does not suspend and returns nothing, Python's None.
    public func periodicTask(
        _ name: String,
        _ schedule: Crontab,
        settings: TaskSettings = TaskSettings(),
        handler: @escaping @Sendable (TaskContext) throws -> Void
    ) {
        register(name, [], settings, takesTask: true, isDue: { schedule.matches($0) }) { signature in
            .synchronous(
                { context in
                    _ = try signature.bind(context)
                    try handler(context)
                    return PickleValue.none
                },
                inPlace: nil
            )
        }
    }

    // MARK: asynchronous handlers

    /// Registers a task whose handler may suspend, under the name that Python gives it (`module.function`).
    ///
    /// A consumer runs the handler on Swift's cooperative pool, which has one thread a processor: it must not block. What blocks or computes
    /// belongs into a synchronous handler. Cancellation and timeouts end it where it suspends.
    ///
    /// Calls are bound as they are for a synchronous handler.
    @discardableResult
    public func task<each Argument: PickleCodable & Sendable, Output: PickleEncodable & Sendable>(
        _ name: String,
        parameters: Parameter...,
        settings: TaskSettings = TaskSettings(),
        handler: @escaping @Sendable (repeat each Argument) async throws -> Output
    ) -> LocalTask<Output, repeat each Argument> {
        register(name, parameters, settings, mayReturnNone: TaskRun.mayBeNone(Output.self)) { signature in
            .asynchronous { context in
                var arguments = try signature.bind(context)
                return try await handler(repeat try arguments.next(as: (each Argument).self))
            }
        }
        return LocalTask(huey: self, name: name) { _, arguments in
            try await handler(repeat each arguments)
        }
    }

    /// Registers a task that returns nothing, Python's None.
    @discardableResult
    public func task<each Argument: PickleCodable & Sendable>(
        _ name: String,
        parameters: Parameter...,
        settings: TaskSettings = TaskSettings(),
        handler: @escaping @Sendable (repeat each Argument) async throws -> Void
    ) -> LocalTask<PickleValue, repeat each Argument> {
        task(name, parameters: parameters, settings: settings, handler: handler)
    }

    /// Registers a task that returns nothing, its parameters in an array.
    @discardableResult
    public func task<each Argument: PickleCodable & Sendable>(
        _ name: String,
        parameters: [Parameter],
        settings: TaskSettings = TaskSettings(),
        handler: @escaping @Sendable (repeat each Argument) async throws -> Void
    ) -> LocalTask<PickleValue, repeat each Argument> {
        register(name, parameters, settings) { signature in
            .asynchronous { context in
                var arguments = try signature.bind(context)
                try await handler(repeat try arguments.next(as: (each Argument).self))
                return PickleValue.none
            }
        }
        return LocalTask(huey: self, name: name) { _, arguments in
            try await handler(repeat each arguments)
            return PickleValue.none
        }
    }

    /// Registers a task that is told about itself first. Mirrors `task(context=True)`.
    @discardableResult
    public func contextTask<each Argument: PickleCodable & Sendable, Output: PickleEncodable & Sendable>(
        _ name: String,
        parameters: Parameter...,
        settings: TaskSettings = TaskSettings(),
        handler: @escaping @Sendable (TaskContext, repeat each Argument) async throws -> Output
    ) -> LocalTask<Output, repeat each Argument> {
        register(name, parameters, settings, takesTask: true) { signature in
            .asynchronous { context in
                var arguments = try signature.bind(context)
                return try await handler(context, repeat try arguments.next(as: (each Argument).self))
            }
        }
        return LocalTask(huey: self, name: name) { context, arguments in
            try await handler(context, repeat each arguments)
        }
    }

    /// Registers a task that a consumer enqueues whenever its schedule matches. Mirrors `periodic_task(context=True)`.
    ///
    /// Its value is never stored; what follows the task and the post-execute hooks receive it.
    public func periodicTask<Output: PickleEncodable & Sendable>(
        _ name: String,
        _ schedule: Crontab,
        settings: TaskSettings = TaskSettings(),
        handler: @escaping @Sendable (TaskContext) async throws -> Output
    ) {
        register(name, [], settings, takesTask: true, isDue: { schedule.matches($0) }) { signature in
            .asynchronous { context in
                _ = try signature.bind(context)
                return try await handler(context)
            }
        }
    }

    /// Registers a periodic task that returns nothing, Python's None.
    public func periodicTask(
        _ name: String,
        _ schedule: Crontab,
        settings: TaskSettings = TaskSettings(),
        handler: @escaping @Sendable (TaskContext) async throws -> Void
    ) {
        register(name, [], settings, takesTask: true, isDue: { schedule.matches($0) }) { signature in
            .asynchronous { context in
                _ = try signature.bind(context)
                try await handler(context)
                return PickleValue.none
            }
        }
    }

    /// Registers a task that binds nothing: it finds its arguments in the message, as they are on the wire.
    package func unboundTask(
        _ name: String,
        settings: TaskSettings = TaskSettings(),
        handler: @escaping @Sendable (TaskContext) async throws -> any PickleEncodable & Sendable
    ) {
        registry.register(
            RegisteredTask(name: name, settings: settings, isDue: nil, handler: .asynchronous { try await handler($0) })
        )
    }

    /// Declares a task that runs elsewhere.
    public func remoteTask<Output: PickleDecodable & Sendable>(
        _ name: String,
        returning output: Output.Type = PickleValue.self
    ) -> RemoteTask<Output> {
        RemoteTask(huey: self, name: name)
    }

    /// Takes a task out of the registry; whether it was there. Mirrors `TaskWrapper.unregister`.
    @discardableResult
    public func unregister(_ name: String) -> Bool { registry.unregister(name) }

    private func register(
        _ name: String,
        _ parameters: [Parameter],
        _ settings: TaskSettings,
        takesTask: Bool = false,
        isDue: (@Sendable (PickleDateTime) -> Bool)? = nil,
        mayReturnNone: Bool = true,
        makeHandler: (Signature) -> RegisteredTask.Handler
    ) {
        do {
            let signature = try Signature(name: name, parameters: parameters, takesTask: takesTask)
            registry.register(
                RegisteredTask(
                    name: name,
                    settings: settings,
                    isDue: isDue,
                    needsMessage: takesTask,
                    mayReturnNone: mayReturnNone,
                    handler: makeHandler(signature)
                )
            )
        } catch let error as HueyError {
            registry.fail(error)
        } catch {
            registry.fail(HueyError(.invalidConfiguration, "\(name): \(error)"))
        }
    }
}
