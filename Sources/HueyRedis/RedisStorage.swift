public import Huey
public import Logging
public import Redis

/// huey's key layout on Redis, the list kind: a list for the queue, a sorted set for the schedule, hashes for results and
/// counters. Mirrors huey's `RedisStorage`; several instances can share one client.
public final class RedisStorage: Storage {
    let client: RedisClient
    let keys: RedisKeys
    let options: RedisStorageOptions
    let popper: BlockingPopper
    private let logger: Logger

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
        keys = RedisKeys(name: options.nameCleaning.clean(name))
        popper = BlockingPopper(client: client)
    }

    public func bound(to name: String) -> any Storage {
        RedisStorage(client: client, name: name, options: options, logger: logger)
    }

    /// A storage on the same client for another instance: the list kind with huey's defaults.
    public func neighbour() -> RedisStorage { RedisStorage(client: client, logger: logger) }

    public var isBlocking: Bool { options.blocking }
    public var supportsPriority: Bool { false }

    /// Closes the client's connections, those of other instances on the same client included.
    public func close() async {
        await popper.close()
        await client.shutdown()
    }

    public func ping() async throws { _ = try await client.command("PING") }
}

// MARK: the queue

extension RedisStorage {
    public func enqueue(_ data: [UInt8], priority: Double?) async throws {
        try Self.refuse(priority)
        _ = try await client.command("LPUSH", .init(keys.queue), .init(data))
    }

    static func refuse(_ priority: Double?) throws {
        if let priority, priority != 0 {
            throw HueyError(.priorityNotSupported, "Task priorities are not supported by this storage.")
        }
    }

    public func dequeue() async throws -> [UInt8]? {
        try await dequeue(upTo: 1, wait: options.readTimeout).first?.data
    }

    /// A blocking pop and a counted one in one write: the first message as soon as there is one, and what stands behind it.
    public func dequeue(upTo count: Int, wait: Duration) async throws -> [Delivery] {
        guard count > 0 else { return [] }
        guard options.blocking else {
            return try await list("RPOP", .init(keys.queue), .init(count)).map { Delivery(data: $0) }
        }
        var batch = RedisBatch()
        batch.append("BRPOP", .init(keys.queue), .init(max(0.001, min(wait, options.readTimeout).seconds)))
        if count > 1 { batch.append("RPOP", .init(keys.queue), .init(count - 1)) }
        guard let replies = try await popper.execute(batch) else { return [] }
        // BRPOP answers the key and the message, RPOP messages only.
        var messages = replies.first?.elements?.dropFirst().compactMap(\.bytes) ?? []
        if count > 1 { messages += replies.last?.elements?.compactMap(\.bytes) ?? [] }
        if messages.isEmpty, let error = replies.firstError { throw error }
        return messages.map { Delivery(data: $0) }
    }

    public func interruptDequeue() async { await popper.interrupt() }

    /// Back to the head of the queue, first in front.
    public func giveBack(_ deliveries: [Delivery]) async throws {
        guard !deliveries.isEmpty else { return }
        var batch = RedisBatch()
        batch.append("RPUSH", [.init(keys.queue)] + deliveries.reversed().map { .init($0.data) })
        try await run(batch)
    }

    public func queueSize() async throws -> Int { try await integer("LLEN", .init(keys.queue)) }

    public func enqueuedItems(limit: Int?) async throws -> [[UInt8]] {
        let start = limit.flatMap { $0 > 0 ? -$0 : nil } ?? 0
        return try await list("LRANGE", .init(keys.queue), .init(start), -1).reversed()
    }

    public func flushQueue() async throws { _ = try await client.command("DEL", .init(keys.queue)) }
}

// MARK: counters, and what is not worth a file

extension RedisStorage {
    public func increment(_ key: String, by amount: Int) async throws -> Int {
        try await integer("HINCRBY", .init(keys.counters), .init(key), .init(amount))
    }

    public func deleteCounter(_ key: String) async throws {
        _ = try await client.command("HDEL", .init(keys.counters), .init(key))
    }

    public func flushCounters() async throws { _ = try await client.command("DEL", .init(keys.counters)) }

    func integer(_ name: StaticString, _ arguments: RedisArgument...) async throws -> Int {
        var batch = RedisBatch()
        batch.append(name, arguments)
        return try await run(batch).first?.integer ?? 0
    }

    func list(_ name: StaticString, _ arguments: RedisArgument...) async throws -> [[UInt8]] {
        var batch = RedisBatch()
        batch.append(name, arguments)
        return try await run(batch).first?.elements?.compactMap(\.bytes) ?? []
    }

    /// Carries out a batch whose every command must succeed.
    ///
    /// - Throws: the first error reply, or the connection's error.
    @discardableResult
    func run(_ batch: RedisBatch) async throws -> RedisReplies {
        let replies = try await client.execute(batch)
        if let error = replies.firstError { throw error }
        return replies
    }
}

extension Duration {
    /// The duration in seconds.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
