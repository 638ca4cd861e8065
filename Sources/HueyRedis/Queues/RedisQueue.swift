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
    func message(ofEntry entry: [UInt8]) -> [UInt8]
    /// The script that takes messages out of the schedule and adds what becomes of them. KEYS: schedule, queue.
    var promotion: RedisScript { get }
    /// The script's arguments.
    ///
    /// - Throws: ``HueyError`` `.priorityNotSupported`.
    func promotionArguments(_ moves: [ScheduleMove]) throws -> [RedisArgument]
}

/// A message that leaves the schedule, and what it becomes in the queue; only removed when that is nil.
struct ScheduleMove: Sendable {
    var old: [UInt8]
    var new: (data: [UInt8], priority: Double?)?
}
