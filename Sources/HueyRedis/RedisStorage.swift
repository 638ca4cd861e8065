public import Huey
public import Logging
public import Redis
import Synchronization

/// huey's key layout on Redis, in its kinds: a list or a sorted set for the queue, a sorted set for the schedule, hashes or expiring
/// keys for results and counters. Several instances can share one client.
public final class RedisStorage: Storage {
    let client: RedisClient
    let keys: RedisKeys
    let options: RedisStorageOptions
    let popper: BlockingPopper
    let listener: ResultListener
    let queue: any RedisQueue
    let values: any RedisValues
    let logger: Logger
    /// The session of the consumer that acknowledges on this storage, if one does.
    let sessionOfConsumer = Mutex<String?>(nil)
    /// This scheduler's mark among those that move messages.
    let schedulerMark: String
    /// For each lock that this process holds, the sessions in which it was taken: more than one where a task goes on that was taken for dead.
    let holders = Mutex<[String: [String]]>([:])
    /// Whether it was logged that this host's clock is ahead of the server's.
    let isClockReported = Atomic(false)
    /// The answer of ``isSpread()``, once it is known.
    let knownSpread = Mutex<Bool?>(nil)

    /// A storage on the server that a URL in redis-py's form names.
    ///
    /// - Throws: ``RedisError`` `.invalidURL`. Nothing is connected yet.
    public convenience init(
        url: String,
        options: RedisStorageOptions = RedisStorageOptions(),
        logger: Logger = Logger(label: "huey.redis", factory: { _ in SwiftLogNoOpLogHandler() })
    ) throws {
        let client = RedisClient(try RedisConfiguration(url: url), logger: logger)
        self.init(client: client, options: options, logger: logger)
    }

    /// A storage on a client of one's own.
    public convenience init(
        client: RedisClient,
        options: RedisStorageOptions = RedisStorageOptions(),
        logger: Logger = Logger(label: "huey.redis", factory: { _ in SwiftLogNoOpLogHandler() })
    ) {
        self.init(client: client, name: "huey", options: options, logger: logger)
    }

    private init(client: RedisClient, name: String, options: RedisStorageOptions, logger: Logger) {
        self.client = client
        self.options = options
        self.logger = logger
        schedulerMark = String(UInt64.random(in: .min ... .max), radix: 16)
        keys = RedisKeys(name: options.nameCleaning.clean(name))
        popper = BlockingPopper(client: client)
        listener = ResultListener(client: client)
        queue =
            options.kind.hasPriorities
            ? PriorityQueue(key: keys.queue, stamps: PriorityQueue.Stamps(now: TimeSource.system.microseconds))
            : ListQueue(key: keys.queue)
        values =
            options.kind.expires
            ? ExpiringValues(
                resultPrefix: keys.resultPrefix,
                counterPrefix: keys.counterPrefix,
                expireTime: options.expireTime
            )
            : HashValues(results: keys.results, counters: keys.counters)
    }

    public func bound(to name: String) -> any Storage {
        RedisStorage(client: client, name: name, options: options, logger: logger)
    }

    /// A storage on the same client for another instance: the list kind with huey's defaults.
    public func neighbour() -> RedisStorage { RedisStorage(client: client, logger: logger) }

    public var isBlocking: Bool { options.blocking }
    public var supportsPriority: Bool { queue.supportsPriority }

    /// The thread of the client's connections.
    public var executor: (any TaskExecutor)? { client.executor }

    /// Closes the client's connections, those of other instances on the same client included.
    public func close() async {
        await popper.close()
        await listener.close()
        await client.shutdown()
    }

    public func ping() async throws { _ = try await client.command("PING") }
}

// MARK: the queue

extension RedisStorage {
    public func enqueue(_ data: [UInt8], priority: Double?) async throws {
        try await client.run { try queue.append([(data, priority)], to: &$0) }
    }

    public func enqueue(contentsOf messages: [(data: [UInt8], priority: Double?)]) async throws {
        guard !messages.isEmpty else { return }
        var batch = RedisBatch(reservingCapacity: messages.reduce(64) { $0 + $1.data.count + 48 })
        try queue.append(messages, to: &batch)
        try await client.run(batch)
    }

    public func dequeue() async throws -> [UInt8]? {
        try await dequeue(upTo: 1, wait: options.readTimeout).first?.data
    }

    /// A blocking pop and a counted one in one write: the first message as soon as there is one, and what stands behind it.
    public func dequeue(upTo count: Int, wait: Duration) async throws -> [Delivery] {
        guard count > 0 else { return [] }
        guard options.blocking, wait > .zero else {
            return queue.deliveries(in: try await client.run(queue.pop(count, wait: nil)))
        }
        let wait = max(.milliseconds(1), min(wait, options.readTimeout))
        let pop = queue.pop(count, wait: wait.inSeconds)
        guard let replies = try await popper.execute(pop, blockingFor: wait) else { return [] }
        let deliveries = queue.deliveries(in: replies)
        if deliveries.isEmpty, let error = replies.firstError { throw error }
        return deliveries
    }

    public func interruptDequeue() async { await popper.interrupt() }

    public func giveBack(_ deliveries: [Delivery]) async throws {
        guard !deliveries.isEmpty else { return }
        try await client.run { queue.giveBack(deliveries, to: &$0) }
    }

    public func queueSize() async throws -> Int { try await client.run(queue.size).first?.integer ?? 0 }

    public func enqueuedItems(limit: Int?) async throws -> [[UInt8]] {
        let limit = limit.flatMap { $0 > 0 ? $0 : nil }
        return queue.items(in: try await client.run { queue.items(limit, &$0) }.first)
    }

    public func flushQueue() async throws { try await client.command("DEL", .init(keys.queue)) }
}
