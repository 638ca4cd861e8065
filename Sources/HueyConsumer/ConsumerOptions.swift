public import Huey

/// How a consumer works. The names and defaults are huey_consumer's.
public struct ConsumerOptions: Sendable {
    /// How many tasks run at once.
    public var workers: Int = 1
    /// Whether periodic tasks are enqueued.
    public var periodic = true
    /// The first pause after an empty or failed look at a storage that cannot block.
    public var initialDelay: Duration = .milliseconds(100)
    /// The factor by which that pause grows.
    public var backoff = 1.15
    /// The longest such pause.
    public var maxDelay: Duration = .seconds(10)
    /// How often the schedule is looked at, in seconds: a factor of 60.
    public var schedulerInterval = 1
    /// Whether the consumer looks every second whether asynchronous handlers keep Swift's cooperative pool, and names them in the log.
    public var checkWorkerHealth = true
    /// Whether the locks that this process knows are released at the start.
    public var flushLocks = false
    /// Names of further locks to release at the start.
    public var extraLocks: [String] = []
    /// After how many tasks a worker starts anew; never when nil.
    public var maxTasks: Int?
    /// How long a graceful stop waits for running tasks; for ever when nil.
    public var shutdownTimeout: Duration?
    /// How many messages may be held beyond the running ones; adaptive when nil, huey's own bound when 0.
    public var prefetch: Int?
    /// Whether a message whose consumer died is delivered again. Where `.atLeastOnce` is asked for and the storage cannot promise it, the
    /// consumer refuses to start. When nil it is at least once where the storage can, and at most once, with a warning, where it cannot.
    public var delivery: DeliveryGuarantee?
    /// How long a consumer's heartbeat must be gone until others take over what it held.
    public var lease: Duration = .seconds(30)
    /// What happens to messages that cannot simply run.
    public var messagePolicy = MessagePolicy()
    /// Whether each periodic task is enqueued once a minute however many consumers of ours run; each one enqueues it otherwise, as
    /// huey's do. Python's consumers know nothing of it: they need `-n`.
    public var periodicOnce = true
    /// Whether a consumer that starts enqueues each periodic task once that should have run while no consumer did. Needs
    /// ``periodicOnce``, and a storage that remembers.
    public var catchUpPeriodic = false
    /// A file that is touched every second while the consumer moves: fetching, the pool on which workers run, the connections' thread,
    /// heartbeat, scheduler and commits. It is removed at the end. A consumer that waits for its storage moves: it tries again and again.
    public var healthFile: String?
    /// A port on 127.0.0.1 that answers every HTTP request with 200 while the consumer moves, and with 503 and what is stuck else.
    public var healthPort: Int?

    public init() {}

    /// - Throws: ``HueyError`` `.invalidConfiguration` with huey's words.
    public func validate() throws {
        func require(_ condition: Bool, _ message: String) throws {
            if !condition { throw HueyError(.invalidConfiguration, message) }
        }
        try require(workers >= 1, "There must be at least one worker.")
        try require(backoff >= 1, "The backoff must be at least 1.")
        try require(
            (1...60).contains(schedulerInterval),
            "The scheduler must run at least once per minute, and at most once per second (1-60)."
        )
        try require(
            60 % schedulerInterval == 0,
            "The scheduler interval must be a factor of 60: 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, or 60"
        )
        try require(maxTasks == nil || checkWorkerHealth, "max_tasks requires check_worker_health be enabled.")
        try require((prefetch ?? 0) >= 0, "The prefetch must not be negative.")
        try require(healthFile?.isEmpty != true, "The health file must have a name.")
        try require((1...65535).contains(healthPort ?? 1), "The health port must be from 1 to 65535.")
        try require(lease >= .seconds(1), "The lease must be at least one second.")
    }
}
