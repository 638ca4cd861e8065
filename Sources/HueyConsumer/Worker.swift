import Huey
import Logging

/// One of a consumer's workers: claims messages and runs their tasks, one at a time.
///
/// It works on a thread of the consumer's own while handlers are synchronous, and on the cooperative pool while they are asynchronous.
final class Worker {
    /// A message that it has claimed.
    private struct Claim {
        let block: MessageBlock
        let place: Int

        /// Whether its handler is synchronous; nil where that is not known yet.
        var isSynchronous: Bool? { block.isSynchronous(place) }
    }

    private let consumer: Consumer
    private let buffer: WorkBuffer
    private let committer: Committer
    private let fetcher: Fetcher
    private let threads: ThreadExecutor
    private let executor: Executor
    private let loop: PlainLoop
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
        buffer: WorkBuffer,
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
            sink: committer.outbox(),
            inFlight: consumer.inFlight,
            threads: threads,
            policy: consumer.options.messagePolicy,
            logger: logger
        )
        loop = PlainLoop(executor)
    }

    /// Works until no message is handed out any more.
    nonisolated(nonsending) func run() async {
        await consumer.huey.runLifecycleHooks(.startup)
        var claim: Claim?
        var areSynchronous = false
        repeat {
            claim =
                areSynchronous
                ? await withTaskExecutorPreference(threads) { [claim] in await work(from: claim, areSynchronous: true) }
                : await work(from: claim, areSynchronous: false)
            areSynchronous.toggle()
        } while claim != nil
        await consumer.huey.runLifecycleHooks(.shutdown)
    }

    /// Runs a message and those that follow, as long as their handlers are of that kind.
    ///
    /// - Returns: the first message of the other kind; nil when the consumer stops.
    private nonisolated(nonsending) func work(from first: Claim?, areSynchronous: Bool) async -> Claim? {
        if let first { await run(first) }
        while let work = await next() {
            if let claim = await self.work(on: work, areSynchronous) { return claim }
        }
        return nil
    }

    /// Runs a message and those of its block that it can claim, until one is of the other kind, which it returns.
    private nonisolated(nonsending) func work(on work: WorkBuffer.Work, _ areSynchronous: Bool) async -> Claim? {
        let block = work.block
        await block.waitForLook()
        var next: Int? = work.place
        while let place = next {
            var claim = Claim(block: block, place: place)
            if areSynchronous {
                let limit = holdsNothingElse ? 1 : tasksLeft
                let (end, ran) = loop.run(block, from: place, atMost: limit, isLast: work.isLast)
                count += ran
                if ran > 0 { pause = consumer.options.initialDelay }
                await restartIfDue()
                switch end {
                case .done: return nil
                case .full: try? await committer.flush()
                case .open(let call): await attempt(call.delivery) { try await executor.conclude(call) }
                case .message(let place): claim = Claim(block: block, place: place)
                }
                guard case .message = end else {
                    next = holdsNothingElse ? nil : block.claim()
                    continue
                }
            }
            // Where that is not known, the executor goes where the handler belongs.
            guard claim.isSynchronous ?? areSynchronous == areSynchronous else { return claim }
            if work.isLast, block.remaining == 0 { committer.writeSoon() }
            await run(claim)
            next = holdsNothingElse ? nil : block.claim()
        }
        return nil
    }

    private nonisolated(nonsending) func run(_ claim: Claim) async {
        count += 1
        await attempt(claim.block.deliveries[claim.place]) { try await executor.run(claim.block, claim.place) }
        await restartIfDue()
    }

    /// What was interrupted goes back when the channel closes, where it is held.
    private nonisolated(nonsending) func attempt(
        _ delivery: Delivery,
        _ operation: () async throws -> Void
    ) async {
        do {
            try await operation()
            pause = consumer.options.initialDelay
        } catch {
            logger.error("Unhandled error during execution of a task", metadata: ["reason": "\(error)"])
            guard committer.acknowledges, !Task.isCancelled else { return }
            // The reason may last: whoever is next has a rest first.
            await buffer.sleep(for: pause)
            pause = min(pause * 2, consumer.options.maxDelay)
            await fetcher.giveBack([delivery])
        }
    }

    /// How many tasks it may run before it starts anew.
    private var tasksLeft: Int {
        guard let limit = consumer.options.maxTasks, limit > 0 else { return .max }
        return max(1, limit - count)
    }

    private nonisolated(nonsending) func restartIfDue() async {
        guard let limit = consumer.options.maxTasks, limit > 0, count >= limit else { return }
        logger.info("Worker reached max tasks (\(limit)), restarting.")
        count = 0
        await consumer.huey.runLifecycleHooks(.shutdown)
        await consumer.huey.runLifecycleHooks(.startup)
    }

    /// The next messages, waited for; nil when the consumer stops. What was finished is written before a wait.
    private nonisolated(nonsending) func next() async -> WorkBuffer.Work? {
        if holdsNothingElse { try? await committer.flush() }
        if let work = buffer.take() { return work }
        committer.writeSoon()
        return await buffer.next()
    }
}
