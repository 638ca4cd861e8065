package import Logging

/// How messages reach a consumer, and how it gives account of them: a storage's promise about both.
///
/// The plain channel hands out what it has removed for good, as huey does (``AtMostOnceChannel``). A channel that acknowledges keeps
/// a message on the server until the write that stores what became of it, so that a message whose consumer died comes back.
public protocol DeliveryChannel: Sendable {
    /// Whether a message stays on the server until it is settled.
    var acknowledges: Bool { get }
    /// Whether ``dequeue(upTo:wait:)`` waits for a message, so that nobody has to poll.
    var isBlocking: Bool { get }

    /// Makes ready for the first message; recovers what an earlier process of this host left behind.
    ///
    /// - Throws: the storage's error.
    func open() async throws
    /// Does what has to be done from time to time, until cancelled: heartbeats, recovery of what dead consumers held.
    func run() async
    /// Returns everything that is not settled to the queue and ends the channel.
    func close() async

    /// Up to `count` messages; waits up to `wait` for the first one where the storage can.
    func dequeue(upTo count: Int, wait: Duration) async throws -> [Delivery]
    /// Ends a wait in ``dequeue(upTo:wait:)`` early; the messages that were under way are still returned.
    func interruptDequeue() async
    /// Puts messages that are not settled back to the head of the queue, in their order.
    func giveBack(_ deliveries: [Delivery]) async throws
    /// Notes that the task of a message that came back is about to start, so that its consumer's death counts against it.
    func noteStart(of delivery: Delivery) async throws
    /// Carries out settlements, in order, each one entirely or not at all.
    ///
    /// - Parameter number: grows with each call; a repeated number is the same settlements again, whose answer was lost.
    /// - Throws: the storage's error; ``HueyError`` for an effect that cannot be written, before anything was.
    func commit(_ settlements: [Settlement], number: Int) async throws
    /// Counts a member of a chord, once, and acknowledges its message with that where the channel acknowledges.
    func count(_ report: ChordReport, of delivery: Delivery) async throws -> ChordProgress
}

/// What a message brought about, entirely or so far.
public struct Settlement: Sendable {
    /// The message; nil for effects that belong to none.
    public var delivery: Delivery?
    public var effects: [StorageEffect]
    /// Whether the message is done with: it is acknowledged in the same write.
    public var isFinal: Bool

    public init(of delivery: Delivery?, _ effects: [StorageEffect], isFinal: Bool) {
        self.delivery = delivery
        self.effects = effects
        self.isFinal = isFinal
    }
}

extension Settlement {
    /// The same for each task by itself, where it is about several that came to their ends: what a channel that knows no batches commits.
    public var single: [Settlement] {
        guard delivery == nil, effects.count == 1, case .complete(let tasks) = effects[0] else { return [self] }
        return tasks.settlements
    }
}

/// What a member of a chord reports: its value, its error, or that it was skipped.
public struct ChordReport: Sendable {
    /// The key under which the report is kept until the callback takes it.
    public let key: String
    /// The key of the chord's counter.
    public let counterKey: String
    /// How many members the chord has.
    public let size: Int
    public let value: [UInt8]
    /// What else the member brought about, and must not bring about again: part of the write that acknowledges its message; empty where
    /// nothing is acknowledged.
    public var others: [StorageEffect] = []

    package init(key: String, counterKey: String, size: Int, value: [UInt8], others: [StorageEffect] = []) {
        self.key = key
        self.counterKey = counterKey
        self.size = size
        self.value = value
        self.others = others
    }
}

/// What counting a chord's member came to.
public enum ChordProgress: Sendable {
    /// It was counted; others are missing.
    case counted
    /// All others were counted before: the callback is due, and is the caller's to enqueue. Where the channel acknowledges, nothing was
    /// written yet: the member's own report is not there, and its message is still held.
    case last
    /// The message belongs to another consumer by now; nothing was written.
    case lost
}

/// Whether a message that a dead consumer held is delivered again.
public enum DeliveryGuarantee: Sendable, Hashable {
    /// A message stays on the server until its outcome is stored; what a dead consumer held runs again. Tasks should bear running twice.
    /// It takes an ``AcknowledgingStorage``.
    case atLeastOnce
    /// huey's own contract: what a dead consumer held is lost.
    case atMostOnce
}

/// What is asked of a channel.
public struct DeliveryOptions: Sendable {
    /// How long a consumer's heartbeat must be gone until others take over what it held.
    public var lease: Duration

    public init(lease: Duration = .seconds(30)) { self.lease = lease }
}

/// A storage that can deliver at least once.
public protocol AcknowledgingStorage: Storage {
    /// A channel for one consumer's life.
    ///
    /// - Throws: ``HueyError`` `.notSupported` where the server cannot: then a consumer that was not asked for it delivers at most once.
    func acknowledgingChannel(_ options: DeliveryOptions) async throws -> any DeliveryChannel
}

extension Huey {
    /// The channel for a consumer; nil asks for the best that the storage has, and tells of it in a warning where that is at most once.
    ///
    /// - Throws: ``HueyError`` `.notSupported` where the storage cannot promise what is asked for; the storage's error.
    package func channel(
        _ guarantee: DeliveryGuarantee?,
        _ options: DeliveryOptions,
        logger: Logger
    ) async throws -> any DeliveryChannel {
        guard guarantee != .atMostOnce else { return AtMostOnceChannel(storage: storage, now: time.microseconds) }
        do {
            guard let storage = storage as? any AcknowledgingStorage else {
                throw HueyError(.notSupported, "\(type(of: storage)) cannot deliver at least once")
            }
            return try await storage.acknowledgingChannel(options)
        } catch let error as HueyError where error.code == .notSupported && guarantee == nil {
            logger.warning(
                "Delivery is at most once: what a consumer holds when it dies is lost.",
                metadata: ["reason": "\(error)"]
            )
            return AtMostOnceChannel(storage: storage, now: time.microseconds)
        }
    }
}
