package import Logging
import Pickle

/// Runs one message from the queue and brings about what follows: huey's `Huey.execute` and `_execute`.
package struct Executor: Sendable {
    /// What became of a message.
    package enum Completion: Sendable {
        /// It is accounted for.
        case settled
        /// Its task was interrupted, and nothing follows from that.
        case interrupted
    }

    enum Bound {
        /// After a task that took longer, somebody may have revoked those behind it.
        static let fast = Duration.milliseconds(1)
    }

    package let huey: Huey
    let sink: any EffectSink
    let gatherer: (any GatheringSink)?
    let inFlight: InFlight
    /// Where synchronous handlers run; nil for wherever the message is run.
    private let threads: ThreadExecutor?
    let slot: InFlight.WorkerSlot
    package var policy: MessagePolicy
    package var logger: Logger

    package init(
        huey: Huey,
        sink: any EffectSink,
        inFlight: InFlight,
        threads: ThreadExecutor? = nil,
        policy: MessagePolicy = MessagePolicy(),
        logger: Logger
    ) {
        self.huey = huey
        self.sink = sink
        gatherer = sink as? any GatheringSink
        self.inFlight = inFlight
        self.threads = threads
        slot = inFlight.slot()
        self.policy = policy
        self.logger = logger
    }

    /// Runs a message that its caller has claimed. Whatever is wrong with it, it does not vanish: it is buried with the reason.
    ///
    /// - Throws: the storage's error; then nothing is known of the task's effects.
    @discardableResult
    package nonisolated(nonsending) func run(_ block: MessageBlock, _ place: Int) async throws -> Completion {
        await block.waitForLook()
        // What is odd about a message stays as it came, to be reported.
        guard let start = block.read(place) else { return try await run(block.deliveries[place]) }
        return try await run(start)
    }

    /// The same for a message as it came.
    @discardableResult
    package func run(_ delivery: Delivery) async throws -> Completion {
        guard delivery.redeliveries > 0 else { return try await readAndRun(delivery) }
        var isAlone = false
        defer { if isAlone { inFlight.leaveAlone() } }
        if let end = try await readmit(delivery, &isAlone) { return end }
        return try await readAndRun(delivery)
    }

    private func readAndRun(_ delivery: Delivery) async throws -> Completion {
        guard let cost = huey.messageCodec.cost(of: delivery.data) else { return try await decodeAndRun(delivery) }
        // Large messages wait for each other's memory.
        do {
            try await inFlight.decodingMemory.take(cost)
        } catch {
            return .interrupted
        }
        var taken = cost
        defer { inFlight.decodingMemory.giveBack(taken) }
        return try await decodeAndRun(delivery) { size in
            let surplus = max(0, taken - size)
            inFlight.decodingMemory.giveBack(surplus)
            taken -= surplus
        }
    }

    /// - Parameter noteSize: is told how many bytes of memory the decoded message takes.
    private func decodeAndRun(_ delivery: Delivery, noteSize: (Int) -> Void = { _ in }) async throws -> Completion {
        let message: Message
        do {
            let view = try huey.messageCodec.view(delivery.data)
            noteSize(view.document.memorySize)
            message = try huey.resolvedMessage(from: view)
        } catch {
            logger.error("Error reading from queue", metadata: ["reason": "\(error)"])
            return try await bury(delivery, .undecodable, "\(error)")
        }
        let task = huey.registry.task(named: message.name)
        let unknown = task == nil ? message.name : huey.unknownFollowUp(of: message)
        guard let task, unknown == nil else {
            let name = unknown ?? message.name
            return try await handleUnknown(delivery, message, "\(name.bounded()) not found in TaskRegistry")
        }
        let block = MessageBlock(huey, [delivery], isLookedAt: false)
        return try await run(ReadyTask(block, 0, message: message, task: task))
    }

    /// Buries a message whose run cannot come to an end: again it would come to the same.
    private nonisolated(nonsending) func run(_ start: ReadyTask) async throws -> Completion {
        try await burying(start) { try await execute(start) }
    }

    private nonisolated(nonsending) func burying(
        _ start: ReadyTask,
        _ run: () async throws -> Completion
    ) async throws -> Completion {
        do {
            return try await run()
        } catch  where error is HueyError || error is PickleException || error is PickleError {
            return try await bury(start, error)
        }
    }

    private nonisolated(nonsending) func bury(_ start: ReadyTask, _ error: any Error) async throws -> Completion {
        // An exception's own text may quote arguments.
        let reason = error is PickleException ? "\(type(of: error))" : "\(error)"
        let id = start.id.bounded()
        logger.error("Unhandled error during execution of task \(id).", metadata: ["reason": "\(reason)"])
        return try await bury(start.delivery, .unwritable, reason, start.message)
    }

    /// What is stored of a value; nil where nothing is.
    private func stored(_ value: RegisteredTask.Value, of start: ReadyTask) throws -> [UInt8]? {
        guard huey.options.results, huey.options.storeNone || !TaskRun.isNone(value, of: start.task) else {
            return nil
        }
        let limit = huey.options.maximumResultSize
        return try TaskRun.encoded(value, of: start, with: huey.serializer, limit: limit)
    }

    /// Notes that a task has ended, and how long it took.
    func note(_ failure: (any Error)?, _ context: TaskContext, took duration: Duration) {
        if duration > Bound.fast { huey.revocationGeneration.advance() }
        if let failure { log(failure, context) } else { logEnd(context.start.summary, took: duration) }
    }

    func interrupted(_ start: ReadyTask) -> Completion {
        logger.warning("Received exit signal, \(start.id.bounded()) did not finish.")
        return .interrupted
    }

    // MARK: what cannot run

    func bury(
        _ delivery: Delivery,
        _ reason: DeadLetter.Reason,
        _ detail: String,
        _ message: Message? = nil
    ) async throws -> Completion {
        let letter = DeadLetter(data: delivery.data, reason: reason, detail: detail, time: huey.time.microseconds())
        let release = message?.uniqueRelease.map { [$0] } ?? []
        try await sink.submit(Settlement(of: delivery, [.bury(letter)] + release, isFinal: true))
        return .settled
    }

    private func handleUnknown(_ delivery: Delivery, _ message: Message, _ detail: String) async throws -> Completion {
        switch policy.unknownTasks {
        case .deadLetter:
            logger.error("Error reading from queue", metadata: ["reason": "\(detail)"])
            return try await bury(delivery, .unknownTask, detail, message)
        case .drop:
            logger.error("Error reading from queue", metadata: ["reason": "\(detail)"])
            let release = message.uniqueRelease.map { [$0] } ?? []
            try await sink.submit(Settlement(of: delivery, release, isFinal: true))
        case .giveBack(let returns):
            // Python's consumers may know it: any scheduler brings it back to the queue, its bytes untouched.
            let delay = returns.delay(for: message.id)
            logger.info("Task \(message.summary) is not known here; back in the queue in \(delay)")
            let moment = try huey.now().adding(seconds: delay.inSeconds)
            try await sink.submit(Settlement(of: delivery, [.schedule(delivery.data, at: moment)], isFinal: true))
        }
        return .settled
    }

    /// What a message's own times say.
    private enum Timeliness {
        case notYet
        case now
        case expired
    }

    private func timeliness(_ start: ReadyTask, at now: PickleDateTime) -> Timeliness {
        if start.isPlain { return .now }
        let message = start.message
        if let eta = message.eta, !eta.isNotAfter(now) { return .notYet }
        if let expires = message.expiresResolved, !now.isNotAfter(expires) { return .expired }
        return .now
    }

    /// Mirrors `Huey.execute`: not yet, revoked, expired, or now.
    ///
    /// What is done where the task does not run has functions of its own: this one's frame lies in memory as long as the handler runs.
    private nonisolated(nonsending) func execute(_ start: ReadyTask) async throws -> Completion {
        let now = huey.now()
        let timeliness = timeliness(start, at: now)
        if timeliness == .notYet { return try await putOff(start) }
        if try await isRevoked(start, at: now) { return try await skipRevoked(start) }
        if timeliness == .expired { return try await skipExpired(start) }
        logger.info("Executing \(start.summary)")
        // Before anybody hears of it: who stops the consumer because of that must find the task running.
        slot.insert(start, at: .now)
        defer { slot.remove(start) }
        guard let span = huey.startSpan(running: start) else { return try await begin(start, nil) }
        return try await begin(start, in: span)
    }

    private nonisolated(nonsending) func begin(_ start: ReadyTask, in span: TaskSpan) async throws -> Completion {
        defer { span.end() }
        return try await span.activate { try await begin(start, span) }
    }

    private nonisolated(nonsending) func putOff(_ start: ReadyTask) async throws -> Completion {
        try await perform([.reschedule(start.message)], TaskRun(start))
        return .settled
    }

    private nonisolated(nonsending) func skipRevoked(_ start: ReadyTask) async throws -> Completion {
        logger.warning("Task \(start.summary) was revoked, not executing")
        try await skip(TaskRun(start.decoded), .revoked)
        return .settled
    }

    private nonisolated(nonsending) func skipExpired(_ start: ReadyTask) async throws -> Completion {
        logger.info("Task \(start.summary) expired, not executing.")
        try await skip(TaskRun(start), .expired)
        return .settled
    }

    private nonisolated(nonsending) func begin(_ start: ReadyTask, _ span: TaskSpan?) async throws -> Completion {
        if huey.listens(to: .executing) {
            try await perform([.emit(.executing)], TaskRun(start.decoded), isFinal: false)
        }
        return try await call(start, span)
    }

    private func skip(_ run: TaskRun, _ signal: Signal) async throws {
        var effects: [TaskEffect] = [.emit(signal)]
        if let chord = run.message.pipelineChord { effects.append(.reportSkipped(chord)) }
        try await perform(effects, run)
    }

    /// Mirrors `is_revoked(task, timestamp, peek=False)`.
    private nonisolated(nonsending) func isRevoked(_ start: ReadyTask, at now: PickleDateTime) async throws -> Bool {
        let revocations = try await start.revocations(generation: { huey.revocationGeneration.current }) { ids, names in
            try await patiently(start.id) { try await huey.storage.peekRevocations(ofTasks: ids, named: names) }
        }
        for (key, value) in revocations {
            // A result that somebody stored under a revocation's key revokes nothing.
            guard let revocation = try huey.revocation(in: value) else { continue }
            let (isRevoked, isSpent) = revocation.verdict(at: now)
            guard isSpent else { return isRevoked }
            // At once, not with the next batch: the next task must not find what this one has used up.
            huey.revocationGeneration.advance()
            let isOurs = try await patiently(start.id) { try await huey.storage.deleteData(key) }
            if isRevoked, isOurs { return true }
        }
        return false
    }

    /// Tries again while the storage cannot be reached: the task has not begun, and is nowhere else any more.
    func patiently<Value: Sendable>(
        _ id: String,
        _ operation: () async throws -> Value
    ) async throws -> Value {
        var isFirst = true
        while true {
            do {
                return try await operation()
            } catch let failure as any StorageFailure where failure.isWorthWaiting {
                if isFirst {
                    logger.error("Task \(id.bounded()) waits for the storage.", metadata: ["reason": "\(failure)"])
                }
                isFirst = false
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    /// Mirrors `Huey._execute`.
    private nonisolated(nonsending) func call(_ start: ReadyTask, _ span: TaskSpan?) async throws -> Completion {
        let begin = ContinuousClock.now
        let (lateness, limit) = start.isPlain ? (nil, nil) : timing(start)
        let context = TaskContext(
            huey: huey,
            start: start,
            deadline: limit.map { begin.advanced(by: .bounded(seconds: $0.double)) },
            logger: logger
        )
        do {
            try await runPreExecute(context)
        } catch {
            try await skip(TaskRun(start.decoded), .canceled)
            return .settled
        }
        if let limit, !limit.isNumber { throw HueyError.malformedMessage("a timeout that is no number") }
        let outcome = await outcome(of: context, start.task, huey.immediate ? nil : limit)
        let duration = begin.duration(to: .now)
        slot.remove(start)
        guard let outcome else {
            span?.recordInterruption()
            return interrupted(start)
        }
        slot.add(1, duration)
        note(outcome.failure, context, took: duration)
        return try await conclude(outcome, context, span, took: duration, lateness: lateness)
    }

    /// By how many microseconds a task starts after its own time, if it has one, and the limit of its run.
    private func timing(_ start: ReadyTask) -> (lateness: Int?, limit: PythonNumber?) {
        let message = start.message
        let lateness = message.eta.map {
            max(0, huey.now().naiveMicroseconds.saturatingAdded(to: $0.naiveMicroseconds.saturatingNegated))
        }
        let timeout = message.timeout ?? start.task.settings.timeout
        return (lateness, timeout.flatMap { $0.isTrue ? $0 : nil })
    }

    /// What follows from a run in place that did not end with a value that is stored.
    ///
    /// - Throws: as ``run(_:_:)``.
    package nonisolated(nonsending) func conclude(_ call: PlainLoop.OpenCall) async throws {
        _ = try await burying(call.context.start) {
            try await conclude(.failure(call.error), call.context, nil, took: call.duration, lateness: nil)
        }
    }

    /// Hands a plain task's value over, about which nothing else is to be decided.
    ///
    /// - Returns: whether so much waits by now that it had better be written; nil where there is more to be done, or the value cannot be written:
    ///   then nothing has happened.
    private func complete(_ outcome: TaskOutcome, _ start: ReadyTask, took duration: Duration) -> Bool? {
        guard let gatherer, start.isPlain, start.delivery.redeliveries == 0, huey.hooks.isQuiet,
            case .value(let value) = outcome,
            case .success(let data) = Result(catching: { try stored(value, of: start) })
        else { return nil }
        start.task.metrics.record(start.task.name, took: duration, lateness: nil, effects: [])
        return start.withUTF8OfID { id in
            let message = (start.block, start.place)
            guard let data else { return gatherer.complete(id, nil, of: message, at: .now) }
            return data.withUnsafeBufferPointer { gatherer.complete(id, $0, of: message, at: .now) }
        }
    }

    /// What follows from a task's outcome.
    private nonisolated(nonsending) func conclude(
        _ outcome: TaskOutcome,
        _ context: TaskContext,
        _ span: TaskSpan?,
        took duration: Duration,
        lateness: Int?
    ) async throws -> Completion {
        if let isFull = complete(outcome, context.start, took: duration) {
            span?.record(outcome)
            if isFull { try await sink.flush() }
            return .settled
        }
        let start = context.start.decoded
        var run = TaskRun(start)
        let (message, task) = (start.message, start.task)
        run.context = context
        run.outcome = outcome
        do {
            try run.encodeValue(with: huey.serializer, limit: huey.options.maximumResultSize)
        } catch {
            // A value that cannot be written is the task's failure, and the producer is told so.
            run.outcome = .failure(error)
            logUnwritable(error, start)
        }
        let decision = OutcomeContext(
            settings: task.settings,
            isPeriodic: task.isPeriodic,
            options: huey.options,
            now: huey.now(),
            isNone: run.isNone
        )
        span?.record(run.outcome ?? outcome)
        let effects = try OutcomeTable.effects(of: run.outcome ?? outcome, for: message, in: decision)
        task.metrics.record(message.name, took: duration, lateness: lateness, effects: effects)
        let isKept = policy.keepsFailedTasks || run.outcome?.failure is UnknownContainer
        try await perform(effects, run, keepingFailure: isKept)
        return .settled
    }

    /// Nil when the consumer interrupted the task.
    private nonisolated(nonsending) func outcome(
        of context: TaskContext,
        _ task: RegisteredTask,
        _ limit: PythonNumber?
    ) async -> TaskOutcome? {
        do {
            guard let limit else { return .value(try await callHandler(of: task, context)) }
            try limit.checkTimer()
            return .value(
                try await withTimeout(.bounded(seconds: limit.double)) {
                    try await callHandler(of: task, context)
                } onTimeout: {
                    TaskTimeout("timeout (\(limit)s)")
                }
            )
        } catch is CancellationError where Task.isCancelled {
            return nil
        } catch {
            return .failure(error)
        }
    }

    /// Calls a task's handler where it belongs: a synchronous one on a thread of the consumer's own, any other on the cooperative pool.
    private nonisolated(nonsending) func callHandler(
        of task: RegisteredTask,
        _ context: TaskContext
    ) async throws -> RegisteredTask.Value {
        let isOnThread = threads?.isCurrent ?? false
        switch task.handler {
        case .synchronous(let handler, _):
            guard let threads, !isOnThread else { return try handler(context) }
            return try await withTaskExecutorPreference(threads) { try handler(context) }
        case .asynchronous(let handler):
            guard isOnThread else { return try await handler(context) }
            return try await withTaskExecutorPreference(globalConcurrentExecutor) { try await handler(context) }
        }
    }

    private func runPreExecute(_ context: TaskContext) async throws {
        for (name, hook) in huey.hooks.withState({ $0.preExecute }) {
            do {
                try await hook(context)
            } catch let error as CancelExecution {
                logger.warning("Task \(context.message.summary) cancelled by \(name) (pre-execute).")
                throw error
            } catch {
                logger.error("Unhandled exception calling pre-execute hook \(name): \(error)")
            }
        }
    }
}

/// Runs `body`, cancelling it when the time is over.
private func withTimeout<Value: Sendable>(
    _ limit: Duration,
    _ body: @escaping @Sendable () async throws -> Value,
    onTimeout error: @escaping @Sendable () -> any Error
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw error()
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}
