public import Huey
public import Logging
public import ServiceLifecycle
import Synchronization

/// Runs the tasks of a ``Huey``: workers, a scheduler, and an orderly end. Mirrors `huey_consumer`.
///
/// As a service it stops gracefully when its service group does; ``ConsumerCommand`` makes an executable of it.
public final class Consumer: Service {
    /// How a consumer is asked to stop.
    public enum Stop: Sendable {
        /// Running tasks finish, within the shutdown timeout.
        case graceful
        /// Running tasks are cancelled.
        case interrupt
    }

    private enum Event: Sendable {
        case stop(Stop)
        case shutdownTimeout
        case workersDone
    }

    public let huey: Huey
    public let options: ConsumerOptions
    let logger: Logger
    private let onReady: (@Sendable () -> Void)?
    private let events: AsyncStream<Event>
    private let eventSource: AsyncStream<Event>.Continuation
    let inFlight = InFlight()
    /// Where everything runs that keeps a consumer alive, whatever handlers do to the cooperative pool and to their own threads.
    let upkeep = ThreadExecutor(limit: 4)
    private let stopRequested = Gate()
    private let liveness = Liveness()
    private let buffer = WorkBuffer()

    /// - Parameters:
    ///   - huey: the instance, its tasks registered.
    ///   - options: how to work.
    ///   - logger: where to log to; huey's lines.
    ///   - onReady: called once, as soon as messages can be consumed.
    public init(
        _ huey: Huey,
        options: ConsumerOptions = ConsumerOptions(),
        logger: Logger = Logger(label: "huey.consumer"),
        onReady: (@Sendable () -> Void)? = nil
    ) {
        self.huey = huey
        self.options = options
        self.logger = logger
        self.onReady = onReady
        (events, eventSource) = AsyncStream.makeStream()
    }

    /// Asks the consumer to stop: no task starts any more once this has returned. Asked twice for a graceful stop, it interrupts.
    public func stop(_ stop: Stop) {
        stopRequested.open()
        liveness.stop()
        buffer.stop()
        eventSource.yield(.stop(stop))
    }

    /// Consumes until asked to stop. Waits as long as the storage cannot be reached.
    ///
    /// - Throws: ``HueyError`` for options or registrations that make no sense, the storage's error when it refuses us.
    public func run() async throws {
        try options.validate()
        try huey.checkRegistrations()
        guard !huey.immediate else {
            throw HueyError(.invalidConfiguration, "a consumer cannot run on an instance in immediate mode")
        }
        try await withTaskCancellationOrGracefulShutdownHandler {
            // A task of its own: one that is cancelled could not see the stop through.
            try await Task(executorPreference: upkeep) { try await self.consumeWatched() }.value
        } onCancelOrGracefulShutdown: { stop in
            self.stop(stop)
        }
    }

    private func consumeWatched() async throws {
        let health = try await HealthWatch(options, liveness, logger)
        let executors =
            [(Liveness.Part.workers, globalConcurrentExecutor as any TaskExecutor)]
            + (huey.storage.executor.map { [(.connections, $0)] } ?? [])
        let watch = Task(executorPreference: upkeep) { if health.isWanted { await health.run(probing: executors) } }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await consume()) } catch { outcome = .failure(error) }
        watch.cancel()
        await watch.value
        await health.close()
        try outcome.get()
    }

    private func consume() async throws {
        guard let channel = try await openChannel() else { return }
        announce()
        await warn()
        await flushLocks()
        let parts = Parts(self, channel)
        huey.attach(parts.storageBuffer)
        // What is due already comes before whatever is enqueued once we say that we are ready.
        await parts.scheduler.begin()
        onReady?()
        let leases = Task(executorPreference: upkeep) {
            guard channel.acknowledges else { return await channel.run() }
            await self.liveness.watch(.heartbeat) { await channel.run() }
        }
        let workers = Task { await parts.runWorkers() }
        // Both do little but wait for the storage.
        let executor = huey.storage.executor ?? upkeep
        let fetcher = Task(executorPreference: executor) {
            await self.liveness.watch(.fetch) { await parts.fetcher.run() }
        }
        let scheduler = Task(executorPreference: upkeep) {
            await self.liveness.watch(.scheduler) { await parts.scheduler.run() }
        }
        let committer = Task(executorPreference: executor) {
            await self.liveness.watch(.commits) {
                await parts.committer.run(retryDelay: self.options.initialDelay)
            }
        }
        let watch = Task(executorPreference: upkeep) {
            await workers.value
            self.eventSource.yield(.workersDone)
        }
        let watchdog = Task(executorPreference: upkeep) { [inFlight, logger, options] in
            if options.checkWorkerHealth { await PoolWatchdog(inFlight: inFlight, logger: logger).run() }
        }
        defer { watchdog.cancel() }
        let stop = await supervise(parts, workers)
        scheduler.cancel()
        let ending = Ending(
            consumer: self,
            fetcher: parts.fetcher,
            isAway: await stop.question.isStorageAway(),
            deadline: stop.deadline
        )
        await ending.finish(fetching: [fetcher, scheduler] + stop.returns)
        parts.committer.close()
        await ending.finish(commits: committer)
        huey.detach(parts.storageBuffer)
        // Whatever is not acknowledged by now goes back: tasks that did not heed their interruption, too.
        leases.cancel()
        await ending.finish(
            closing: Task(executorPreference: upkeep) {
                await leases.value
                await channel.close()
            }
        )
        watch.cancel()
        logger.info("Consumer exiting.")
    }

    /// What a stop leaves to be waited for: messages that go back to the queue, and until when.
    private typealias Stopped = (
        returns: [Task<Void, Never>], question: PresenceQuestion, deadline: ContinuousClock.Instant
    )

    private func newStop() -> Stopped {
        let deadline = ContinuousClock.now.advanced(by: options.shutdownTimeout ?? Ending.patience)
        return ([], PresenceQuestion(to: huey.storage, on: upkeep), deadline)
    }

    /// Waits for the request to stop and sees it through.
    private func supervise(_ parts: Parts, _ workers: Task<Void, Never>) async -> Stopped {
        var isStopping = false
        var stopped: Stopped?
        /// What was fetched and is not started goes back; where the storage does not answer, not before what follows.
        func stopFetching() async {
            var current = stopped ?? newStop()
            let returns = Task(executorPreference: upkeep) { await parts.stopFetching() }
            current.returns.append(returns)
            stopped = current
            _ = await finishes(returns, within: Ending.answer)
        }
        var timer: Task<Void, Never>?
        defer { timer?.cancel() }
        for await event in events {
            switch event {
            case .workersDone:
                logger.info("All workers have stopped.")
                return stopped ?? newStop()
            case .stop(.graceful) where !isStopping:
                isStopping = true
                logger.info("Shutting down gracefully...")
                await stopFetching()
                timer = options.shutdownTimeout.map { timeout in
                    Task(executorPreference: upkeep) {
                        if (try? await Task.sleep(for: timeout)) != nil { self.eventSource.yield(.shutdownTimeout) }
                    }
                }
            case .stop, .shutdownTimeout:
                if case .shutdownTimeout = event {
                    logger.warning("Shutdown timeout elapsed, interrupting workers.")
                } else if isStopping {
                    logger.info("Received request to shut down now.")
                }
                await stopFetching()
                await inFlight.notifyInterrupted(huey)
                workers.cancel()
                logger.info("Shutting down")
                // A task that does not heed its cancellation is left behind; the process is about to end.
                _ = await finishes(workers, within: .seconds(1))
                return stopped ?? newStop()
            }
        }
        return stopped ?? newStop()
    }

    /// Whether a task of ours ends within the time given.
    func finishes(_ task: Task<Void, Never>, within limit: Duration) async -> Bool {
        let done = Gate()
        let watch = Task(executorPreference: upkeep) {
            await task.value
            done.open()
        }
        defer { watch.cancel() }
        return await done.wait(atMost: limit)
    }

    /// The channel, as soon as the storage answers; nil when the consumer is asked to stop before.
    private func openChannel() async throws -> (any DeliveryChannel)? {
        var pause = options.initialDelay
        var isFirst = true
        while true {
            do {
                try await huey.storage.ping()
                let channel = try await huey.channel(
                    options.delivery,
                    DeliveryOptions(lease: options.lease),
                    logger: logger
                )
                try await channel.open()
                return channel
            } catch {
                // A wrong password stays wrong: only what may pass is waited for.
                if error is HueyError { throw error }
                if let failure = error as? any StorageFailure, !failure.isTransient { throw failure }
                if isFirst { logger.error("Waiting for the storage", metadata: ["reason": "\(error)"]) }
                isFirst = false
            }
            if await stopRequested.wait(atMost: min(pause, .seconds(1))) { return nil }
            pause = pause * options.backoff
        }
    }

    private func announce() {
        let process = ProcessIdentity.pid
        logger.info("Huey consumer started with \(options.workers) swift, PID \(process) at \(huey.now())")
        logger.info("Scheduler runs every \(options.schedulerInterval) second(s).")
        logger.info("Periodic tasks are \(options.periodic ? "enabled" : "disabled").")
        let commands = huey.taskNames.map { "+ \($0)" }
        logger.info(
            "The following commands are available:",
            metadata: ["lines": .stringConvertible(LogLines(commands))]
        )
    }

    /// Settings of the server under which messages may be lost.
    private func warn() async {
        guard let storage = huey.storage as? any AdvisingStorage else { return }
        for advice in await storage.advice() { logger.warning("\(advice)") }
    }

    private func flushLocks() async {
        guard options.flushLocks || !options.extraLocks.isEmpty else { return }
        logger.debug("Flushing locks before starting up.")
        do {
            let flushed = try await huey.flushLocks(options.extraLocks)
            if !flushed.isEmpty {
                logger.warning("Found stale locks: \(flushed.sorted().joined(separator: ", "))")
            }
        } catch {
            logger.error("Locks could not be flushed", metadata: ["reason": "\(error)"])
        }
    }

    /// What one run of the consumer is made of.
    private struct Parts: Sendable {
        let consumer: Consumer
        let channel: any DeliveryChannel
        let buffer: WorkBuffer
        /// Where synchronous handlers run: a thread for each worker at most.
        let threads: ThreadExecutor
        let committer: Committer
        let fetcher: Fetcher
        let scheduler: Scheduler<ContinuousClock>
        /// What others have to know of before they look at the storage.
        let storageBuffer: ConsumerBuffer

        init(_ consumer: Consumer, _ channel: any DeliveryChannel) {
            let (huey, options, logger) = (consumer.huey, consumer.options, consumer.logger)
            self.consumer = consumer
            self.channel = channel
            buffer = consumer.buffer
            threads = ThreadExecutor(limit: options.workers)
            let committer = Committer(channel: channel, now: huey.time.microseconds, logger: logger)
            self.committer = committer
            let fetcher = Fetcher(
                huey: huey,
                channel: channel,
                buffer: buffer,
                inFlight: consumer.inFlight,
                options: options,
                logger: logger.part("Worker"),
                upkeep: consumer.upkeep,
                liveness: consumer.liveness,
                writeEffects: { committer.writeSoon() }
            )
            self.fetcher = fetcher
            scheduler = Scheduler(
                huey: huey,
                interval: .seconds(options.schedulerInterval),
                periodic: options.periodic,
                once: options.periodicOnce,
                catchUp: options.catchUpPeriodic,
                deathLimit: options.messagePolicy.deathLimit,
                clock: ContinuousClock(),
                logger: logger.part("Scheduler")
            )
            storageBuffer = ConsumerBuffer(fetcher, committer)
        }

        func runWorkers() async {
            await withDiscardingTaskGroup { group in
                for index in 1...consumer.options.workers {
                    group.addTask {
                        await Worker(
                            consumer,
                            name: "Worker-\(index)",
                            buffer: buffer,
                            committer: committer,
                            fetcher: fetcher,
                            threads: threads
                        ).run()
                    }
                }
            }
        }

        /// What was fetched and is not started goes back.
        func stopFetching() async {
            buffer.stop()
            await channel.interruptDequeue()
            await fetcher.handBack(buffer.reclaim())
        }
    }
}

extension Logger {
    fileprivate func part(_ name: String) -> Logger {
        var logger = self
        logger[metadataKey: "worker"] = "\(name)"
        return logger
    }
}

/// Passes both ways of ending a service on: a graceful shutdown and a cancellation.
private func withTaskCancellationOrGracefulShutdownHandler(
    _ operation: @Sendable () async throws -> Void,
    onCancelOrGracefulShutdown handler: @escaping @Sendable (Consumer.Stop) -> Void
) async throws {
    try await withTaskCancellationHandler {
        try await withGracefulShutdownHandler {
            try await operation()
        } onGracefulShutdown: {
            handler(.graceful)
        }
    } onCancel: {
        handler(.interrupt)
    }
}
