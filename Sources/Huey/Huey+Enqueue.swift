import Pickle

extension Huey {
    /// A message for a task, with the options resolved as huey's `.s()` and `.schedule()` do.
    ///
    /// - Throws: ``HueyError`` `.dateOutOfRange` or `.invalidConfiguration` for a start that cannot be expressed.
    public func message(
        _ name: String,
        _ arguments: TaskArguments = TaskArguments(),
        options: TaskOptions = TaskOptions()
    ) throws -> Message {
        var message = Message(id: options.id ?? Self.makeID(), name: name, arguments: arguments)
        message.eta = try options.start.map(moment(of:))
        message.retries = options.retries
        message.retryDelay = options.retryDelay
        message.retryBackoff = options.retryBackoff
        message.priority = options.priority
        message.expires = options.expires
        message.timeout = options.timeout
        return message
    }

    /// A new task id: a random UUID in Python's spelling.
    static func makeID() -> String { RandomID.make() }

    /// The naive moment for a start. Mirrors `normalize_time`.
    func moment(of start: TaskOptions.Start) throws -> PickleDateTime {
        switch start {
        case .delay(let seconds): try now().adding(seconds: seconds.double)
        case .eta(let moment): try moment.normalized(utc: options.utc)
        }
    }

    /// Adds a task to the queue, to be run by whichever consumer is first.
    ///
    /// - Returns: results of the task and of its pipeline, in order.
    /// - Throws: ``HueyError`` for what cannot be written; when the storage cannot be reached its error, or ``EnqueueFailure`` if the
    ///   options have an ``HueyOptions/enqueueBudget``.
    @discardableResult
    public func enqueue(_ message: Message) async throws -> ResultGroup {
        try await enqueue(message, budget: options.enqueueBudget)
    }

    /// Adds a task to the queue, and tries again for so long while the storage cannot be reached.
    ///
    /// On an ``IdempotentStorage`` a retry never enqueues twice, also when the answer to an earlier attempt was lost. That does not
    /// outlive the producer: who dies meanwhile and begins again needs a task id of its own making (``TaskOptions/id``).
    ///
    /// - Returns: results of the task and of its pipeline, in order.
    /// - Throws: ``HueyError`` for what cannot be written, ``EnqueueFailure`` when the time is over.
    @discardableResult
    public func enqueue(_ message: Message, retryingFor budget: Duration) async throws -> ResultGroup {
        try await enqueue(message, budget: budget)
    }

    private func enqueue(_ message: Message, budget: Duration?) async throws -> ResultGroup {
        try await traced(message) { message in
            let prepared = try prepare(message)
            if listens(to: .enqueued) { await emit(.enqueued, prepared) }
            if immediate {
                try await runImmediately(prepared)
            } else {
                let data = try serialize(prepared)
                try await push(data, prepared, budget: budget)
            }
        }
        return ResultGroup(message.pipeline.map { TaskResult(huey: self, message: $0) })
    }

    func push(_ data: [UInt8], _ message: Message, budget: Duration?) async throws {
        let storage = try await flushedStorage()
        let priority = try queuePriority(of: message)
        guard let budget else {
            try await storage.enqueue(data, priority: priority)
            return await makeWay(for: priority)
        }
        let once = storage as? any IdempotentStorage
        let id = message.id
        // An attempt that was given up may still be on its way: longer than the producer tries, the storage remembers.
        let memory = budget + .seconds(60)
        let attempts = EnqueueAttempts(id: id, budget: budget, isIdempotent: once != nil, clock: ContinuousClock())
        try await attempts.run {
            if let once {
                try await once.enqueue(data, priority: priority, onceFor: id, memory: memory)
            } else {
                try await storage.enqueue(data, priority: priority)
            }
        }
        await makeWay(for: priority)
    }

    /// The message as it goes on the queue: a registered task's own priority and expiry filled in, the expiry resolved.
    func prepare(_ message: Message) throws -> Message {
        var message = message
        try prepare(&message)
        return message
    }

    func prepare(_ message: inout Message) throws {
        if let settings = registry.task(named: message.name)?.settings {
            message.priority = message.priority ?? settings.priority
            message.expires = message.expires ?? settings.expires
        }
        if let expires = message.expires, expires.isTrue {
            message.expiresResolved = try resolve(expires)
        }
    }

    /// The priority as the storage's queue sorts by it.
    ///
    /// huey's storages refuse one only when they are given the message, after `enqueued` has been emitted.
    ///
    /// - Throws: ``HueyError`` `.priorityNotSupported`, `.invalidConfiguration` for what is no number.
    func queuePriority(of message: Message) throws -> Double? {
        guard let priority = message.priority else { return nil }
        guard storage.supportsPriority || immediate else {
            guard !priority.isTrue else {
                throw HueyError(.priorityNotSupported, "Task priorities are not supported by this storage.")
            }
            return 0
        }
        guard !priority.double.isNaN else { throw HueyError(.invalidConfiguration, "a priority that is no number") }
        return priority.double
    }

    /// Mirrors `normalize_expire_time`.
    private func resolve(_ expires: Expiry) throws -> PickleDateTime {
        switch expires {
        case .seconds(let seconds): try now().adding(seconds: seconds.double)
        case .timedelta(let delta): try now().adding(microseconds: delta.duration.wholeMicroseconds)
        case .datetime(let moment): try moment.normalized(utc: options.utc)
        case .other(let view): throw HueyError.malformedMessage("an expiry that is \(view.briefType)")
        }
    }

    func enqueueEffect(_ prepared: Message) throws -> StorageEffect {
        .enqueue(try serialize(prepared), priority: try queuePriority(of: prepared))
    }

    /// Keeps a task until its time has come. Mirrors `add_schedule`: without an eta that is the epoch, at once.
    func scheduleEffect(_ message: Message) throws -> StorageEffect {
        let moment: PickleDateTime
        if let eta = message.eta {
            moment = eta
        } else {
            let epoch = TimeSource { 0 }
            moment = .now(epoch, utc: false)
        }
        return .schedule(try serialize(message), at: moment)
    }
}
