import Huey
import Redis

/// How the messages of a queue lie on Redis.
protocol RedisQueue: Sendable {
    var supportsPriority: Bool { get }

    /// Adds messages, in order.
    ///
    /// - Throws: ``HueyError`` `.priorityNotSupported`.
    func append(_ messages: [(data: [UInt8], priority: Double?)], to batch: inout RedisBatch) throws
    /// Pops up to `count` messages: the first with a wait of so many seconds where one is given.
    func pop(_ count: Int, wait: Double?) -> RedisBatch
    /// What ``pop(_:wait:)`` brought.
    func deliveries(in replies: RedisReplies) -> [Delivery]
    /// Puts messages back to where they came from.
    func giveBack(_ deliveries: [Delivery], to batch: inout RedisBatch)
    func size(_ batch: inout RedisBatch)
    /// Asks for the messages, next first; all without a limit.
    func items(_ limit: Int?, _ batch: inout RedisBatch)
    /// What ``items(_:_:)`` asked for.
    func items(in reply: RedisReply?) -> [[UInt8]]
    /// How at-least-once delivery takes messages out and puts them back.
    var deliveryScripts: DeliveryScripts { get }
    /// The key from which a blocking move can take messages; nil where there is no such command.
    var blockingMove: String? { get }
    /// The message of what those scripts hold.
    func delivery(ofEntry entry: [UInt8]) -> Delivery
    /// Moves up to `count` messages into a batch, in three commands; the last one asks for them.
    func move(_ count: Int, to batch: String, _ commands: inout RedisBatch)
    /// The messages in the last reply of ``move(_:to:_:)``, oldest first.
    func deliveries(ofBatch reply: RedisReply) -> [Delivery]
    /// Removes the oldest messages of a batch, so that `count` of them are left.
    func shorten(_ batch: String, to count: Int, _ commands: inout RedisBatch)
    /// The script that takes messages out of the schedule and adds what becomes of them. KEYS: schedule, queue. ARGV: the moment up to
    /// which they are due, then ``promotionArguments(_:)``.
    var promotion: RedisScript { get }
    /// The script's arguments for each message.
    ///
    /// - Throws: ``HueyError`` `.priorityNotSupported`.
    func promotionArguments(_ moves: [ScheduleMove]) throws -> [RedisArgument]
}

/// A message that leaves the schedule, and what it becomes in the queue; only removed when that is nil.
struct ScheduleMove: Sendable {
    var old: [UInt8]
    var new: (data: [UInt8], priority: Double?)?
}

extension RedisScript {
    /// A ``RedisQueue/promotion``. Being in the schedule, and due, is the claim: what another scheduler has moved, or somebody has put off,
    /// stays as it is. A message is added first and removed then, because Redis does not roll back; before both something is
    /// removed that is not there, because a server that is full refuses scripts that begin by adding.
    ///
    /// - Parameters:
    ///   - step: how many arguments a message has, itself at `ARGV[i]`.
    ///   - add: adds what becomes of it.
    init(promoting step: Int, _ add: String) {
        self.init(
            """
            local moved, due = 0, tonumber(ARGV[1])
            redis.call('ZREMRANGEBYRANK', KEYS[1], 1, 0)
            for i = 2, #ARGV, \(step) do
                local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
                if score and tonumber(score) <= due then
                    \(add)
                    redis.call('ZREM', KEYS[1], ARGV[i])
                    moved = moved + 1
                end
            end
            return moved
            """
        )
    }
}
