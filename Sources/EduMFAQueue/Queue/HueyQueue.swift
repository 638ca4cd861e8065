public import Huey
package import HueyRedis
public import Logging
public import Pickle
package import Redis
import Synchronization

/// eduMFA's queue on huey and Redis: the options are the keywords of Python's `RedisHuey`, and results are not stored. Python's workers run
/// what is enqueued here, and the reverse. Mirrors eduMFA's `HueyQueue`.
public final class HueyQueue: BaseQueue {
    public let options: [String: PickleValue]
    /// The instance that the jobs are tasks of.
    public let huey: Huey
    /// The connections to Redis.
    package let client: RedisClient
    package let keys: QueueKeys
    private let logger: Logger
    private let registered = Mutex<[String: Job]>([:])

    /// - Throws: ``QueueError`` for an option that `RedisHuey` has not, or of the wrong type; the error never shows a value.
    public convenience init(options: [String: PickleValue], logger: Logger) throws {
        try self.init(options: options, storage: RedisStorageOptions(), logger: logger)
    }

    /// - Parameter storage: what the options say nothing about.
    package init(options: [String: PickleValue], storage: RedisStorageOptions, logger: Logger) throws {
        let parsed = try HueyQueueOptions(options, storage: storage)
        if !parsed.ignored.isEmpty {
            let names = parsed.ignored.sorted().joined(separator: ", ")
            logger.debug("options of the job queue without effect here: \(names)")
        }
        self.options = options
        self.logger = logger
        client = RedisClient(parsed.redis, logger: logger)
        keys = QueueKeys(name: parsed.name, cleaning: parsed.storage.nameCleaning)
        huey = Huey(
            parsed.name,
            storage: RedisStorage(client: client, options: parsed.storage, logger: logger),
            serializer: parsed.serializer,
            options: parsed.huey,
            logger: logger
        )
    }

    /// The jobs that are registered.
    public var jobs: [String: Job] { registered.withLock { $0 } }

    public func registerJob(_ job: Job) throws {
        try registered.withLock { jobs in
            guard jobs[job.name] == nil else { throw QueueError("Job function '\(job.name)' already exists") }
            jobs[job.name] = job
        }
        job.register(on: huey)
        try huey.checkRegistrations()
    }

    public func enqueue(_ name: String, _ arguments: TaskArguments) async throws {
        guard let job = jobs[name] else { throw QueueError("Unknown job: '\(name)'") }
        logger.info("Sending '\(name)' job to the queue ...")
        try await huey.enqueue(huey.message(job.taskName, arguments))
    }

    /// Releases the connections to Redis.
    public func close() async { await huey.close() }
}
