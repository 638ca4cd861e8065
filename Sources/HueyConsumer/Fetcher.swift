import Huey
import Logging
import Synchronization

/// Keeps the workers supplied: one wait on the queue for all of them, and batches that grow while tasks are fast.
struct Fetcher: Sendable {
    let huey: Huey
    let channel: any DeliveryChannel
    let buffer: WorkBuffer
    let inFlight: InFlight
    let options: ConsumerOptions
    let logger: Logger
    /// Where it does what takes long, or what the storage has no executor for.
    let upkeep: ThreadExecutor
    let liveness: Liveness
    /// Has the effects of finished tasks written now.
    let writeEffects: @Sendable () -> Void
    /// What was enqueued here while messages were on their way.
    private let overtaken = Overtaking()
    private let flight = Flight()
    private let owed = Owed()
    /// Messages on their way back to the queue: whoever looks at the queue waits until they are there.
    private let returns = UnderWay()

    private enum Bound {
        /// What is in hand is lost with its consumer where nothing is acknowledged: less then.
        static func batch(acknowledged: Bool) -> Int { acknowledged ? 512 : 256 }
        /// So many bytes of messages are fetched ahead at once, if they are as large as the last ones.
        static let bytes = 1 << 22
        /// A fetch of fewer bytes tells nothing of the connection's speed.
        static let measuredBytes = 1 << 18
        /// One fetch is to take no longer than this on a slow connection.
        static let transfer = 1.0
        /// From this size on the next batch is fetched while workers are busy with the last.
        static let deepBatch = 32
        /// A message that has waited this long behind a running task goes back, for whoever is idle elsewhere.
        static let patience = Duration.milliseconds(2)
        /// Where tasks take no longer than this, more workers than half of the processors are only in each other's way.
        static let quick = Duration.microseconds(10)
        static let quickWorkers = max(1, ProcessIdentity.processors / 2)
        /// From so many messages on their revocations are looked at while the next batch is on its way.
        static let longLook = 16
        /// How many bytes of messages are decoded without a change of threads.
        static let decodedAtOnce = 1 << 16
        /// The longest pause after a failure: work goes on within a second once the storage is back.
        static let failurePause = Duration.milliseconds(500)
        /// How long a consumer that stops tries to put back what it holds.
        static let returnLimit = Duration.seconds(5)
        /// A step of the loop that takes longer, beyond its wait for messages, is stuck. Every command has a limit far below.
        static let step = Duration.seconds(60)
    }

    /// How many messages are fetched ahead: the window grows while tasks are fast.
    private struct PrefetchWindow {
        /// So much at most.
        let most: Int
        /// How many messages are fetched beyond those that workers wait for.
        var size = 0
        /// Whether the queue had as many when it was last asked.
        var isQueueDeep = false
        /// Whether the last tasks were over in no time.
        var isQuick = false
        /// What had come to its end when that was last looked at.
        var ended = InFlight.Totals()
        /// No more is asked for at once, after a failure; nil long after one.
        var ceiling: Int?
        /// How many bytes are fetched at once: fewer where the connection is slow.
        var bytes = Bound.bytes

        /// From how few waiting messages on more are fetched while all workers are busy, so that none has to wait for the next batch.
        func lowWater(_ limit: Int?) -> Int {
            limit == nil && isQueueDeep && size >= Bound.deepBatch ? size : -1
        }

        /// How many of so many workers are left idle when messages come: where a queue is deep and tasks are quick.
        mutating func idleWorkers(of workers: Int, _ limit: Int?, ended now: InFlight.Totals) -> Int {
            if let mean = now.mean(since: ended) { isQuick = mean <= Bound.quick }
            ended = now
            return isQuick && lowWater(limit) > 0 ? max(0, workers - Bound.quickWorkers) : 0
        }

        /// - Parameter elapsed: how long the fetch took.
        mutating func grow(after deliveries: [Delivery], in elapsed: Duration) {
            let byteCount = deliveries.byteCount
            if byteCount >= Bound.measuredBytes {
                let rate = Double(byteCount) / max(elapsed.inSeconds, 0.001)
                bytes = Int(min(Double(Bound.bytes), rate * Bound.transfer))
            } else if bytes < Bound.bytes, elapsed.inSeconds < Bound.transfer / 2 {
                // What seemed slow was a wait, or is over.
                bytes = min(Bound.bytes, max(1, bytes) * 2)
            }
            let fitting = bytes * deliveries.count / max(1, byteCount)
            size = min(most, max(1, fitting), max(1, size * 2))
        }

        /// Takes in how a fetch of up to `wanted` messages ended.
        mutating func note(_ result: Result<Fetched, any Error>, of wanted: Int) throws -> Fetched {
            switch result {
            case .success(let fetched):
                recover()
                return fetched
            case .failure(let error):
                shrink(after: wanted)
                throw error
            }
        }

        /// What is asked for instead of `wanted`: less after a failure, because so much may have been what failed.
        func limit(_ wanted: Int) -> Int { ceiling.map { min($0, wanted) } ?? wanted }

        /// After a fetch that failed: the next asks for half as much.
        mutating func shrink(after wanted: Int) {
            ceiling = max(1, limit(wanted) / 2)
            size = 0
        }

        /// After a fetch that succeeded: by and by as much again as before.
        mutating func recover() {
            guard let ceiling else { return }
            let next = ceiling + max(1, ceiling / 8)
            self.ceiling = next > 2 * most ? nil : next
        }
    }

    /// Messages, and how long it took to get them.
    private typealias Fetched = (deliveries: [Delivery], elapsed: Duration)

    private enum Wanted {
        case demand(Demand)
        case stuck
    }

    /// Fetches until the buffer is stopped.
    func run() async {
        await withDiscardingTaskGroup { looks in await run(&looks) }
    }

    private func run(_ looks: inout DiscardingTaskGroup) async {
        var window = PrefetchWindow(most: Bound.batch(acknowledged: channel.acknowledges))
        var pause = options.initialDelay
        var isFailing = false
        while true {
            let recalls = flight.recalls
            let count: Int
            liveness.isBack(.fetch)
            let wanted = await wanted(window.lowWater(options.prefetch))
            liveness.expect(.fetch, within: Bound.step)
            switch wanted {
            case .demand(.stopped): return
            case .demand(.withdrawn), .stuck:
                window.size = 0
                writeEffects()
                await handBack()
                continue
            case .demand(.low): count = 0
            case .demand(.workers(let idle)): count = idle
            }
            do {
                if count > 0 {
                    try await fetch(for: count, &window, &pause, &looks)
                } else {
                    try await fetchAhead(&window, since: recalls, &looks)
                }
                if isFailing { logger.info("Reading from the queue again.") }
                isFailing = false
            } catch {
                if !isFailing { logger.error("Error reading from queue", metadata: ["reason": "\(error)"]) }
                isFailing = true
                await sleep(&pause, atMost: Bound.failurePause)
            }
        }
    }

    /// Fetches for idle workers, and as much beyond as the window says. Waits for the first message.
    private func fetch(
        for idle: Int,
        _ window: inout PrefetchWindow,
        _ pause: inout Duration,
        _ looks: inout DiscardingTaskGroup
    ) async throws {
        let limit = window.limit(idle + min(window.size, options.prefetch ?? window.most))
        overtaken.begin()
        let (deliveries, elapsed) = try await dequeue(upTo: limit, wait: .seconds(1), &window)
        window.isQueueDeep = deliveries.count == limit
        guard !deliveries.isEmpty else {
            window.size = 0
            if !channel.isBlocking { await sleep(&pause) }
            return
        }
        pause = options.initialDelay
        window.grow(after: deliveries, in: elapsed)
        await giveBack(await supply(deliveries, &window, &looks))
    }

    /// Fetches while all workers are busy, one batch while another is decoded, as long as batches are full and workers keep up.
    private func fetchAhead(
        _ window: inout PrefetchWindow,
        since recalls: Int,
        _ looks: inout DiscardingTaskGroup
    ) async throws {
        guard flight.begin(since: recalls) else { return window.size = 0 }
        defer { flight.end() }
        var limit = window.limit(window.size)
        overtaken.begin()
        // Messages that wait must not wait for others to come.
        var (deliveries, elapsed) = try await dequeue(upTo: limit, wait: .zero, &window)
        while !deliveries.isEmpty {
            window.isQueueDeep = deliveries.count == limit
            window.grow(after: deliveries, in: elapsed)
            limit = window.limit(window.size)
            guard flight.recalls == recalls else {
                window.size = 0
                return await giveBack(deliveries)
            }
            let next = mayFetchNext(window) ? fetchNext(limit) : nil
            let late = await supply(deliveries, &window, &looks)
            guard let next else { return await giveBack(late) }
            let following = await next.result
            // In their order: what stands behind goes back with them.
            if !late.isEmpty { await giveBack(late + ((try? following.get().0) ?? [])) }
            (deliveries, elapsed) = try window.note(following, of: limit)
            if !late.isEmpty { return }
        }
        window.isQueueDeep = false
    }

    private func mayFetchNext(_ window: PrefetchWindow) -> Bool {
        // Where messages have priorities, what is enqueued meanwhile may have to overtake.
        window.isQueueDeep && !huey.storage.supportsPriority && !buffer.isStopped
            && buffer.backlog <= window.size
    }

    private func fetchNext(_ limit: Int) -> Task<Fetched, any Error> {
        Task(executorPreference: huey.storage.executor ?? upkeep) { try await dequeue(upTo: limit, wait: .zero) }
    }

    private func dequeue(upTo limit: Int, wait: Duration, _ window: inout PrefetchWindow) async throws -> Fetched {
        let result: Result<Fetched, any Error>
        do {
            result = .success(try await dequeue(upTo: limit, wait: wait))
        } catch {
            result = .failure(error)
        }
        return try window.note(result, of: limit)
    }

    private func dequeue(upTo limit: Int, wait: Duration) async throws -> Fetched {
        liveness.expect(.fetch, within: wait + Bound.step)
        let start = ContinuousClock.now
        let deliveries = try await channel.dequeue(upTo: limit, wait: wait)
        return (deliveries, start.duration(to: .now))
    }

    /// Hands messages out. Returns what is to be put back.
    private func supply(
        _ deliveries: [Delivery],
        _ window: inout PrefetchWindow,
        _ looks: inout DiscardingTaskGroup
    ) async -> [Delivery] {
        let block = await block(of: deliveries)
        if block.count < Bound.longLook {
            await block.lookAtRevocations()
        } else {
            looks.addTask { await block.lookAtRevocations() }
        }
        // Noted before a look into the buffer, or in the buffer when it is looked into: nothing slips through between.
        let idle = window.idleWorkers(of: options.workers, options.prefetch, ended: inFlight.totals)
        let isInTime = buffer.supply(block, leavingIdle: idle) { block in
            guard let priority = overtaken.priority else { return true }
            return !block.holds(below: priority)
        }
        return isInTime ? [] : block.reclaim()
    }

    /// What has to be decoded for that, and is of many bytes, elsewhere: others on this thread need not wait.
    private func block(of deliveries: [Delivery]) async -> MessageBlock {
        guard deliveries.byteCount > Bound.decodedAtOnce else { return MessageBlock(huey, deliveries) }
        return await withTaskExecutorPreference(upkeep) { MessageBlock(huey, deliveries) }
    }

    /// Waits for an idle worker, or notices that messages wait behind a task that takes its time.
    private func wanted(_ lowWater: Int) async -> Wanted {
        let waiting = buffer.backlog
        if waiting == 0 { return .demand(await buffer.demand()) }
        return await withTaskGroup(of: Wanted?.self) { group in
            group.addTask { .demand(await buffer.demand(lowWater: lowWater)) }
            group.addTask {
                var backlog = waiting
                while (try? await Task.sleep(for: Bound.patience)) != nil {
                    let left = buffer.backlog
                    if left == 0 { return nil }
                    if left == backlog {
                        buffer.withdrawDemand()
                        return .stuck
                    }
                    backlog = left
                }
                return nil
            }
            var answer = Wanted.stuck
            for await wanted in group {
                guard let wanted else { continue }
                if case .demand(.withdrawn) = wanted { continue }
                answer = wanted
                group.cancelAll()
            }
            return answer
        }
    }

    /// Whether a message is held, or may be on its way, that comes behind one of this priority in the queue.
    func holds(below priority: Double) -> Bool {
        overtaken.note(priority)
        return buffer.holds(below: priority)
    }

    /// Puts back what no worker has started.
    func handBack() async {
        returns.begin()
        await flight.recall()
        await giveBack(buffer.reclaim())
        returns.end()
        await returns.wait()
    }

    /// Puts back what the buffer held when it was stopped, in front of what was still on its way to it.
    func handBack(_ unstarted: [Delivery]) async {
        await flight.recall()
        await giveBack(unstarted)
    }

    /// Puts messages back to the head of the queue.
    func giveBack(_ deliveries: [Delivery]) async {
        guard !deliveries.isEmpty else { return }
        owed.batches.add(1, ordering: .relaxed)
        defer { owed.batches.subtract(1, ordering: .relaxed) }
        var isUncertain = false
        var isFirst = true
        var stopped: ContinuousClock.Instant?
        while true {
            do {
                if isUncertain {
                    try await setAside(deliveries)
                } else {
                    try await channel.giveBack(deliveries)
                }
                if !isFirst { logger.info("Messages that were not started are put back.") }
                return
            } catch {
                let failure = error as? any StorageFailure
                if buffer.isStopped { stopped = stopped ?? .now }
                let isLate = stopped.map { $0.duration(to: .now) > returnLimit } ?? false
                // What is held would run nowhere: it goes back as soon as the server takes it.
                guard failure?.isWorthWaiting == true || channel.acknowledges, !isLate else {
                    if !isUncertain, await keep(deliveries, because: error) { return }
                    let metadata: Logger.Metadata = ["count": "\(deliveries.count)", "reason": "\(error)"]
                    return logger.error("Messages could not be put back", metadata: metadata)
                }
                if isFirst { logger.error("Messages wait to be put back", metadata: ["reason": "\(error)"]) }
                isFirst = false
                isUncertain = isUncertain || (failure?.mayHaveHappened == true && !channel.acknowledges)
                try? await Task.sleep(for: Bound.failurePause)
            }
        }
    }

    /// Whether messages have to go back to the queue that are held nowhere else.
    var isOwing: Bool { !channel.acknowledges && (buffer.backlog > 0 || owed.batches.load(ordering: .relaxed) > 0) }

    /// How long a consumer that stops tries to put back what it holds: not at all where the server has it anyway.
    private var returnLimit: Duration {
        channel.acknowledges ? .zero : options.shutdownTimeout ?? Bound.returnLimit
    }

    /// Keeps messages as dead letters of which nobody knows whether they were put back: in the queue they could run twice.
    private func setAside(_ deliveries: [Delivery]) async throws {
        let detail = "the answer to its return was lost; it may be in the queue, or may have run"
        let time = huey.time.microseconds()
        try await huey.storage.commit(
            deliveries.map { .bury(DeadLetter(data: $0.data, reason: .unconfirmed, detail: detail, time: time)) }
        )
    }

    /// Keeps messages as dead letters that the queue does not take back, and that are held nowhere else.
    ///
    /// - Returns: whether that was done.
    private func keep(_ deliveries: [Delivery], because error: any Error) async -> Bool {
        guard !channel.acknowledges else { return false }
        let time = huey.time.microseconds()
        let letters = deliveries.map { delivery in
            StorageEffect.bury(DeadLetter(data: delivery.data, reason: .unwritable, detail: "\(error)", time: time))
        }
        guard (try? await huey.storage.commit(letters)) != nil else { return false }
        logger.error("Messages that the queue does not take back are put aside", metadata: ["reason": "\(error)"])
        return true
    }

    private func sleep(_ pause: inout Duration, atMost limit: Duration? = nil) async {
        pause = min(pause, options.maxDelay, limit ?? options.maxDelay)
        await buffer.sleep(for: pause)
        pause = pause * options.backoff
    }
}

extension [Delivery] {
    fileprivate var byteCount: Int { reduce(0) { $0 + $1.data.count } }
}

/// How many batches of messages are being put back.
private final class Owed: Sendable {
    let batches = Atomic(0)
}

/// The highest priority that was enqueued by this consumer's own tasks while it fetched.
private final class Overtaking: Sendable {
    private let highest = Mutex<Double?>(nil)

    func begin() { highest.withLock { $0 = nil } }

    func note(_ priority: Double) { highest.withLock { $0 = max($0 ?? priority, priority) } }

    var priority: Double? { highest.withLock { $0 } }
}
