import Huey
import Logging

/// One of a consumer's workers: takes messages and runs their tasks, one at a time.
///
/// It works on the cooperative pool while handlers are asynchronous, and on a thread of the consumer's own while they are synchronous.
final class Worker {
    private let consumer: Consumer
    private let buffer: WorkBuffer<HeldMessage>
    private let committer: Committer
    private let fetcher: Fetcher
    private let threads: ThreadExecutor
    private let executor: Executor
    private let logger: Logger
    /// huey's own bound: who holds nothing else has at most one task to lose.
    private let holdsNothingElse: Bool
    /// How many tasks it has run since its last start.
    private var count = 0
    /// How long it rests after a message that could not be run.
    private var pause: Duration

    init(
        _ consumer: Consumer,
        name: String,
        buffer: WorkBuffer<HeldMessage>,
        committer: Committer,
        fetcher: Fetcher,
        threads: ThreadExecutor
    ) {
        self.consumer = consumer
        self.buffer = buffer
        self.committer = committer
        self.fetcher = fetcher
        self.threads = threads
        var logger = consumer.huey.logger
        logger[metadataKey: "worker"] = "\(name)"
        self.logger = logger
        holdsNothingElse = consumer.options.prefetch == 0 && !committer.acknowledges
        pause = consumer.options.initialDelay
        executor = Executor(
            huey: consumer.huey,
            sink: committer,
            inFlight: consumer.inFlight,
            threads: threads,
            policy: consumer.options.messagePolicy,
            logger: logger
        )
    }

    /// Works until no message is handed out any more.
    nonisolated(nonsending) func run() async {
        await consumer.huey.runLifecycleHooks(.startup)
        var message = await next()
        while let first = message {
            if first.isSynchronous == true {
                message = await withTaskExecutorPreference(threads) { await runAll(from: first, areSynchronous: true) }
            } else {
                message = await runAll(from: first, areSynchronous: false)
            }
        }
        await consumer.huey.runLifecycleHooks(.shutdown)
    }

    /// Runs a message and those that follow, as long as their handlers are of that kind.
    ///
    /// - Returns: the first message of the other kind; nil when the consumer stops.
    private nonisolated(nonsending) func runAll(from first: HeldMessage, areSynchronous: Bool) async -> HeldMessage? {
        var message: HeldMessage? = first
        while let current = message {
            // Where that is not known, the executor goes where the handler belongs.
            guard current.isSynchronous ?? areSynchronous == areSynchronous else { return current }
            await run(current)
            if let limit = consumer.options.maxTasks, limit > 0, count >= limit { await restart(after: limit) }
            message = await next()
        }
        return nil
    }

    private nonisolated(nonsending) func run(_ message: HeldMessage) async {
        count += 1
        do {
            // What was interrupted goes back when the channel closes, where it is held.
            if let ending = executor.runPlainly(message) {
                if case .settled = ending { return }
                try await executor.conclude(ending)
            } else {
                try await executor.run(message)
            }
            pause = consumer.options.initialDelay
        } catch {
            logger.error("Unhandled error during execution of a task", metadata: ["reason": "\(error)"])
            guard committer.acknowledges, !Task.isCancelled else { return }
            // The reason may last: whoever is next has a rest first.
            await buffer.sleep(for: pause)
            pause = min(pause * 2, consumer.options.maxDelay)
            await fetcher.giveBack([message.delivery])
        }
    }

    private nonisolated(nonsending) func restart(after limit: Int) async {
        logger.info("Worker reached max tasks (\(limit)), restarting.")
        count = 0
        await consumer.huey.runLifecycleHooks(.shutdown)
        await consumer.huey.runLifecycleHooks(.startup)
    }

    /// The next message, waited for; nil when the consumer stops. What was finished is written before a wait, and before a message behind
    /// which nothing waits: it may take its time.
    private nonisolated(nonsending) func next() async -> HeldMessage? {
        if holdsNothingElse { try? await committer.flush() }
        if let (message, isLast) = buffer.take() {
            if isLast { committer.writeSoon() }
            return await executor.claim(message)
        }
        committer.writeSoon()
        guard let message = await buffer.next() else { return nil }
        return await executor.claim(message)
    }
}
