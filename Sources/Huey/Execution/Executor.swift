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

    private enum Bound {
        /// After a task that took longer, somebody may have revoked those behind it.
        static let fast = Duration.milliseconds(1)
    }

    package let huey: Huey
    let sink: any EffectSink
    private let gatherer: (any GatheringSink)?
    let inFlight: InFlight
    /// Where synchronous handlers run; nil for wherever the message is run.
    private let threads: ThreadExecutor?
    private let slot: InFlight.WorkerSlot
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

    /// A plain task that has begun, see ``ReadyTask/isPlain``.
    private struct PlainCall {
        let start: ReadyTask
        let context: TaskContext
        let begin: ContinuousClock.Instant
    }

    /// What is left to do once a plain task's handler has ended.
    package enum Ending: Sendable {
        /// Nothing.
        case settled
        /// So much waits by now that it had better be written.
        case full
        case interrupted
        /// A failure, or a value that cannot be written, which is one.
        indirect case open(TaskOutcome, TaskContext, took: Duration)
    }

    /// Decodes a message, once its revocations are looked at. What is odd about it stays as it came, for ``run(_:)`` to report.
    package nonisolated(nonsending) func claim(_ message: HeldMessage) async -> HeldMessage {
        switch message {
        case .ready(let task):
            if task.isBeingLookedAt { await task.waitForLook() }
            return message
        case .fetched(let look, let place):
            if look.isUnderWay { await look.wait() }
            return huey.read(look, place).map { .ready($0) } ?? .raw(look.deliveries[place])
        case .raw:
            return message
        }
    }

    /// Runs a claimed message whose handler is synchronous, on the calling thread. Nil, and nothing has happened, where that takes more than
    /// its handler: then ``run(_:)`` runs it.
    package func runPlainly(_ message: HeldMessage) -> Ending? {
        guard case .ready(let start) = message, case .synchronous(let handler) = start.task.handler,
            let call = beginPlainly(start)
        else { return nil }
        return end(call, Result { try handler(call.context) })
    }

    /// Runs a message. Whatever is wrong with it, it does not vanish: it is buried with the reason.
    ///
    /// - Throws: the storage's error; then nothing is known of the task's effects.
    @discardableResult
    package nonisolated(nonsending) func run(_ message: HeldMessage) async throws -> Completion {
        guard case .ready(let start) = await claim(message) else { return try await run(message.delivery) }
        guard let call = beginPlainly(start) else { return try await run(start) }
        let result: Result<RegisteredTask.Value, any Error>
        do {
            result = .success(try await callHandler(of: start.task, call.context))
        } catch {
            result = .failure(error)
        }
        return try await conclude(end(call, result))
    }

    /// Does what is left to do.
    ///
    /// - Throws: as ``run(_:)``.
    @discardableResult
    package nonisolated(nonsending) func conclude(_ ending: Ending) async throws -> Completion {
        switch ending {
        case .settled:
            return .settled
        case .full:
            try await sink.flush()
            return .settled
        case .interrupted:
            return .interrupted
        case .open(let outcome, let context, let duration):
            let start = context.start
            return try await burying(start) {
                try await conclude(outcome, start.decoded, context, nil, took: duration, lateness: nil)
            }
        }
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
        huey.busyTasks.note(task)
        return try await run(ReadyTask(delivery: delivery, message: message, task: task))
    }

    private func run(_ start: ReadyTask) async throws -> Completion {
        try await burying(start) {
            let start = start.decoded
            return try await execute(TaskRun(start), start)
        }
    }

    /// Buries a message whose run cannot come to an end: again it would come to the same.
    private func burying(_ start: ReadyTask, _ run: () async throws -> Completion) async throws -> Completion {
        do {
            return try await run()
        } catch  where error is HueyError || error is PickleException || error is PickleError {
            // An exception's own text may quote arguments.
            let reason = error is PickleException ? "\(type(of: error))" : "\(error)"
            let id = start.id.bounded()
            logger.error("Unhandled error during execution of task \(id).", metadata: ["reason": "\(reason)"])
            return try await bury(start.delivery, .unwritable, reason, start.message)
        }
    }

    // MARK: plain tasks

    /// Begins a task about which nothing is to be decided but its own outcome, and nobody is to be told; nil for any other.
    private func beginPlainly(_ start: ReadyTask) -> PlainCall? {
        let begin = ContinuousClock.now
        guard start.isPlain, start.delivery.redeliveries == 0, gatherer != nil, huey.hooks.isQuiet,
            huey.tracing.sinks == nil, !huey.immediate,
            start.isKnownToRun(generation: huey.revocationGeneration.current, at: begin)
        else { return nil }
        logger.info("Executing \(start.message.summary)")
        slot.insert(start, at: begin)
        let context = TaskContext(huey: huey, start: start, deadline: nil, logger: logger)
        return PlainCall(start: start, context: context, begin: begin)
    }

    private func end(_ call: PlainCall, _ result: Result<RegisteredTask.Value, any Error>) -> Ending {
        let start = call.start
        let end = ContinuousClock.now
        let duration = call.begin.duration(to: end)
        switch result {
        case .success(let value):
            slot.remove(start, after: duration)
            note(nil, call.context, took: duration)
            guard let isFull = complete(value, start, took: duration, at: end) else {
                return .open(.value(value), call.context, took: duration)
            }
            return isFull ? .full : .settled
        case .failure(let error):
            if error is CancellationError, Task.isCancelled {
                slot.remove(start)
                _ = interrupted(start)
                return .interrupted
            }
            slot.remove(start, after: duration)
            note(error, call.context, took: duration)
            return .open(.failure(error), call.context, took: duration)
        }
    }

    /// Hands a plain task's value over; whether so much waits by now that it had better be written. Nil where the value cannot be written,
    /// and nothing has happened.
    private func complete(
        _ value: RegisteredTask.Value,
        _ start: ReadyTask,
        took duration: Duration,
        at end: ContinuousClock.Instant
    ) -> Bool? {
        guard let gatherer, case .success(let data) = Result(catching: { try stored(value, of: start) }) else {
            return nil
        }
        start.task.metrics.record(start.task.name, took: duration, lateness: nil, effects: [])
        return start.withUTF8OfID { gatherer.complete($0, data, of: start.delivery, at: end) }
    }

    /// What is stored of a value, if anything is.
    private func stored(_ value: RegisteredTask.Value, of start: ReadyTask) throws -> [UInt8]? {
        guard huey.options.results, huey.options.storeNone || !TaskRun.isNone(value, of: start.task) else {
            return nil
        }
        let limit = huey.options.maximumResultSize
        return try TaskRun.encoded(value, of: start, with: huey.serializer, limit: limit)
    }

    /// Notes that a task has ended, and how long it took.
    private func note(_ failure: (any Error)?, _ context: TaskContext, took duration: Duration) {
        if duration > Bound.fast { huey.revocationGeneration.advance() }
        if let failure { log(failure, context) } else { logEnd(context, took: duration) }
    }

    private func interrupted(_ start: ReadyTask) -> Completion {
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

    /// Mirrors `Huey.execute`: not yet, revoked, expired, or now.
    private func execute(_ run: TaskRun, _ start: ReadyTask) async throws -> Completion {
        let message = start.message
        let now = huey.now()
        if let eta = message.eta, !eta.isNotAfter(now) {
            try await perform([.reschedule(message)], run)
        } else if try await isRevoked(start, at: now) {
            logger.warning("Task \(message.summary) was revoked, not executing")
            try await skip(run, .revoked)
        } else if let expires = message.expiresResolved, !now.isNotAfter(expires) {
            logger.info("Task \(message.summary) expired, not executing.")
            try await skip(run, .expired)
        } else {
            logger.info("Executing \(message.summary)")
            // Before anybody hears of it: who stops the consumer because of that must find the task running.
            slot.insert(start, at: .now)
            defer { slot.remove(start) }
            guard let span = huey.startSpan(running: message, retries: message.retries ?? start.task.settings.retries)
            else { return try await begin(run, start, nil) }
            defer { span.end() }
            return try await span.activate { try await begin(run, start, span) }
        }
        return .settled
    }

    private func begin(_ run: TaskRun, _ start: ReadyTask, _ span: TaskSpan?) async throws -> Completion {
        if huey.listens(to: .executing) { try await perform([.emit(.executing)], run, isFinal: false) }
        return try await call(start, span)
    }

    private func skip(_ run: TaskRun, _ signal: Signal) async throws {
        var effects: [TaskEffect] = [.emit(signal)]
        if let chord = run.message.pipelineChord { effects.append(.reportSkipped(chord)) }
        try await perform(effects, run)
    }

    /// Mirrors `is_revoked(task, timestamp, peek=False)`.
    private func isRevoked(_ start: ReadyTask, at now: PickleDateTime) async throws -> Bool {
        let generation = huey.revocationGeneration.current
        let revocations = try await start.revocations(generation: generation) { ids, names in
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
    private func call(_ start: ReadyTask, _ span: TaskSpan?) async throws -> Completion {
        let (message, task) = (start.message, start.task)
        let begin = ContinuousClock.now
        let lateness = message.eta.map {
            max(0, huey.now().naiveMicroseconds.saturatingAdded(to: $0.naiveMicroseconds.saturatingNegated))
        }
        let timeout = message.timeout ?? task.settings.timeout
        let limit = timeout.flatMap { $0.isTrue ? $0 : nil }
        let context = TaskContext(
            huey: huey,
            start: start,
            deadline: limit.map { begin.advanced(by: .bounded(seconds: $0.double)) },
            logger: logger
        )
        do {
            try await runPreExecute(context)
        } catch {
            try await skip(TaskRun(start), .canceled)
            return .settled
        }
        if let limit, !limit.isNumber { throw HueyError.malformedMessage("a timeout that is no number") }
        let outcome = await outcome(of: context, task, huey.immediate ? nil : limit)
        let duration = begin.duration(to: .now)
        slot.remove(start, after: duration)
        guard let outcome else {
            span?.recordInterruption()
            return interrupted(start)
        }
        note(outcome.failure, context, took: duration)
        return try await conclude(outcome, start, context, span, took: duration, lateness: lateness)
    }

    /// What follows from a task's outcome.
    private func conclude(
        _ outcome: TaskOutcome,
        _ start: ReadyTask,
        _ context: TaskContext,
        _ span: TaskSpan?,
        took duration: Duration,
        lateness: Int?
    ) async throws -> Completion {
        var run = TaskRun(start)
        let (message, task) = (start.message, start.task)
        run.context = context
        run.outcome = outcome
        do {
            try run.encodeValue(with: huey.serializer, limit: huey.options.maximumResultSize)
        } catch {
            // A value that cannot be written is the task's failure, and the producer is told so.
            run.outcome = .failure(error)
            let id = message.id.bounded()
            logger.error("The value of task \(id) cannot be written.", metadata: ["reason": "\(error)"])
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
        case .synchronous(let handler):
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
