/// How a ``RedisStorage`` behaves. Mirrors the keywords of huey's `RedisStorage.__init__`.
public struct RedisStorageOptions: Sendable {
    /// Which of huey's kinds of storage it is.
    public var kind: RedisStorageKind
    /// Seconds until a result is gone, in the kinds that expire.
    public var expireTime: Int
    /// Whether a consumer waits in a blocking pop; it polls otherwise.
    public var blocking: Bool
    /// How long one blocking pop waits. huey's `read_timeout`.
    public var readTimeout: Duration
    /// Whether a list `huey.notify.…` tells waiting producers that a result is there.
    public var notifyResult: Bool
    /// How long a notification stays that nobody takes.
    public var notifyResultTTL: Duration
    /// How the instance's name becomes part of the keys.
    public var nameCleaning: NameCleaning
    /// How many dead letters are kept; the oldest go first.
    public var deadLetterLimit: Int
    /// How long dead letters are kept; 90 days. A list to which nothing was added for so long is gone as a whole.
    public var deadLetterAge: Duration

    public init(
        kind: RedisStorageKind = .redis,
        expireTime: Int = 86_400,
        blocking: Bool = true,
        readTimeout: Duration = .seconds(1),
        notifyResult: Bool = false,
        notifyResultTTL: Duration = .seconds(60),
        nameCleaning: NameCleaning = .huey3,
        deadLetterLimit: Int = 10_000,
        deadLetterAge: Duration = .seconds(90 * 86_400)
    ) {
        self.kind = kind
        self.expireTime = expireTime
        self.blocking = blocking
        self.readTimeout = readTimeout
        self.notifyResult = notifyResult
        self.notifyResultTTL = notifyResultTTL
        self.nameCleaning = nameCleaning
        self.deadLetterLimit = deadLetterLimit
        self.deadLetterAge = deadLetterAge
    }
}
