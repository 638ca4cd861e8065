public import Pickle

/// Where tasks wait and results are kept: huey's `BaseStorage`, method by method, and what a fast and careful consumer needs
/// beyond it.
///
/// A storage of one's own needs the methods of the first part, and ``giveBack(_:)``; the second part has defaults that are built from them. One
/// that is blocking has ``dequeue(upTo:wait:)`` and ``interruptDequeue()`` of its own. The module `HueyStorageConformance` checks all of it.
/// All data are opaque bytes. Every method throws the storage's own error when the storage cannot be reached.
public protocol Storage: Sendable {
    // MARK: huey's BaseStorage

    /// The storage as the instance of that name sees it: its keys carry the name. Called once, by ``Huey``.
    func bound(to name: String) -> any Storage
    /// Whether ``dequeue()`` waits for a message, so that nobody has to poll. Mirrors `BaseStorage.blocking`.
    var isBlocking: Bool { get }
    /// Whether tasks may have a priority. Mirrors `BaseStorage.priority`.
    var supportsPriority: Bool { get }

    /// Releases connections and handles. Mirrors `close`.
    func close() async

    /// Adds a message to the queue; higher priorities come out first. Mirrors `enqueue`.
    ///
    /// - Throws: ``HueyError`` `.priorityNotSupported` for a priority that the storage cannot honour.
    func enqueue(_ data: [UInt8], priority: Double?) async throws
    /// Removes the next message, atomically; nil when there is none (a blocking storage waits a while first). Mirrors `dequeue`.
    func dequeue() async throws -> [UInt8]?
    /// How many messages are in the queue. Mirrors `queue_size`.
    func queueSize() async throws -> Int
    /// The messages in the queue, next first, not removed. Mirrors `enqueued_items`.
    func enqueuedItems(limit: Int?) async throws -> [[UInt8]]
    /// Empties the queue. Mirrors `flush_queue`.
    func flushQueue() async throws

    /// Keeps a message until a naive moment, in the instance's own kind of time. Mirrors `add_to_schedule`.
    func addToSchedule(_ data: [UInt8], at moment: PickleDateTime) async throws
    /// Removes and returns the messages that are due at a naive moment, soonest first. Mirrors `read_schedule`.
    func readSchedule(dueAt moment: PickleDateTime) async throws -> [[UInt8]]
    /// How many messages are scheduled. Mirrors `schedule_size`.
    func scheduleSize() async throws -> Int
    /// The scheduled messages, soonest first, not removed. Mirrors `scheduled_items`.
    func scheduledItems(limit: Int?) async throws -> [[UInt8]]
    /// Forgets all scheduled messages. Mirrors `flush_schedule`.
    func flushSchedule() async throws

    /// Stores a value, over what was there. A result may be volatile, other values may not. Mirrors `put_data`.
    func putData(_ value: [UInt8], forKey key: String, isResult: Bool) async throws
    /// The value, left where it is; nil when there is none. Mirrors `peek_data`.
    func peekData(_ key: String) async throws -> [UInt8]?
    /// The values of several keys at once; nil where there is none. Mirrors `peek_many`.
    func peekMany(_ keys: [String]) async throws -> [[UInt8]?]
    /// The value, removed (an expiring storage leaves it); nil when there is none. Mirrors `pop_data`.
    func popData(_ key: String) async throws -> [UInt8]?
    /// Waits until there is a value for the key; false when the time allowed is over. Mirrors `wait_result`.
    func waitResult(_ key: String, timeout: Duration?, backoff: Double, maxDelay: Duration) async throws -> Bool
    /// Removes the value; whether there was one. Mirrors `delete_data`.
    func deleteData(_ key: String) async throws -> Bool
    /// Whether there is a value. Mirrors `has_data_for_key`.
    func hasData(forKey key: String) async throws -> Bool
    /// Stores a value only where there is none, atomically; whether it did. Mirrors `put_if_empty`.
    ///
    /// - Throws: ``HueyError`` `.notSupported` for a time to live that the storage or its server cannot give.
    func putIfEmpty(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool
    /// Adds to a counter, atomically, and returns its new value. Mirrors `incr`.
    func increment(_ key: String, by amount: Int) async throws -> Int
    /// Removes a counter. Mirrors `delete_counter`.
    func deleteCounter(_ key: String) async throws
    /// How many values are stored. Mirrors `result_store_size`.
    func resultStoreSize() async throws -> Int
    /// All values by key. Mirrors `result_items`.
    func resultItems() async throws -> [String: [UInt8]]
    /// Removes all values. Mirrors `flush_results`.
    func flushResults() async throws
    /// Removes all counters. Mirrors `flush_counters`.
    func flushCounters() async throws

    // MARK: beyond huey

    /// Adds messages to the queue, in order, in as few steps as there can be.
    ///
    /// - Throws: as ``enqueue(_:priority:)``.
    func enqueue(contentsOf messages: [(data: [UInt8], priority: Double?)]) async throws

    /// Where the storage's own work is done, if that is a place of its own: a task that prefers it
    /// (`Task(executorPreference:)`) waits for the storage without a change of threads. It must not block there, or compute for long.
    var executor: (any TaskExecutor)? { get }

    /// The value of a key, waited for and read as a result is: taken away unless it is to be preserved; nil when the time allowed is over.
    func awaitData(
        _ key: String,
        preserve: Bool,
        timeout: Duration?,
        backoff: Double,
        maxDelay: Duration
    ) async throws -> [UInt8]?

    /// The revocations of tasks by their ids, and of all tasks of a name, where there are any: by the place of the id among the ids, or of
    /// the name among the names, which count on behind the ids.
    func peekRevocations(ofTasks ids: TaskIDs, named names: [String]) async throws -> [Int: [UInt8]]

    /// Returns once the storage answers, throws when it does not.
    func ping() async throws
    /// Removes up to `count` messages for a consumer; waits up to `wait` for the first one where the storage can, not at all for zero.
    func dequeue(upTo count: Int, wait: Duration) async throws -> [Delivery]
    /// Ends a wait in ``dequeue(upTo:wait:)`` early; the messages that were under way are still returned.
    func interruptDequeue() async
    /// Puts messages that were not started back to where they came from, in their order.
    func giveBack(_ deliveries: [Delivery]) async throws
    /// Carries out what finished tasks brought about, in order, each task's effects together.
    func commit(_ effects: [StorageEffect]) async throws
    /// Moves due messages to the queue, `limit` at most; what becomes of each is up to `transform`. Returns how many were due.
    ///
    /// A message leaves the schedule only together with its arrival in the queue where the storage can do that.
    func promoteSchedule(
        dueAt moment: PickleDateTime,
        limit: Int,
        transform: @Sendable ([UInt8]) async throws -> [StorageEffect]
    ) async throws -> Int
    /// Keeps a message that cannot be run, with the reason, under a key of our own.
    func bury(_ letter: DeadLetter) async throws
}

/// A message on its way through a consumer.
public struct Delivery: Sendable {
    /// The message as it stood in the queue.
    public var data: [UInt8]
    /// What the storage needs to put it back or to acknowledge it; empty where that is nothing.
    public var token: [UInt8]
    /// How often the message was delivered before, to consumers that died; 0 where nobody counts.
    public var redeliveries = 0
    /// How many of those died while the message's task ran, as far as that is known.
    public var deaths = 0
    /// By what an acknowledging channel knows the message again; nil where nothing is acknowledged.
    public var receipt: Receipt?

    /// What a channel gives a message with, to find it again when it is acknowledged. Only the channel knows what the numbers mean.
    public struct Receipt: Sendable, Hashable {
        /// The channel's session that took the message: what a session took before it was given up belongs to somebody else.
        public let session: Int
        /// The message's number in that session.
        public let number: Int

        public init(session: Int, number: Int) {
            self.session = session
            self.number = number
        }
    }

    public init(data: [UInt8], token: [UInt8] = []) {
        self.data = data
        self.token = token
    }
}

/// One change that a finished task makes to the storage.
public enum StorageEffect: Sendable {
    /// ``Storage/putData(_:forKey:isResult:)``
    case put([UInt8], key: String, isResult: Bool)
    /// ``Storage/deleteData(_:)``
    case delete(key: String)
    /// ``Storage/deleteCounter(_:)``
    case deleteCounter(key: String)
    /// ``Storage/enqueue(_:priority:)``
    case enqueue([UInt8], priority: Double?)
    /// ``Storage/addToSchedule(_:at:)``
    case schedule([UInt8], at: PickleDateTime)
    /// Tasks came to their ends: their own revocations are forgotten, and their values stored as their results. What most tasks bring
    /// about, and therefore in one piece for all of them.
    case complete(Completions)
    /// ``Storage/bury(_:)``
    indirect case bury(DeadLetter)
    /// ``UniqueStorage/releaseUnique(_:id:)``
    case releaseUnique(String, id: String)
}

/// The ends of tasks of which no more is to be told than their values.
///
/// Ids and values lie in one piece of memory each, and messages are held until all is written: memory that came with a batch goes with a
/// batch, on the thread that reads and writes, and workers need not give it back piece by piece.
public struct Completions: Sendable {
    /// The tasks' ids, in the order in which they ended.
    public private(set) var ids = TaskIDs()
    private var bytes: [UInt8] = []
    /// Where each value ends among the bytes, and the next one begins.
    private var ends: [(end: Int, isStored: Bool)] = []
    private var messages: [Messages] = []

    /// Where the messages of tasks are.
    private enum Messages {
        case single(Delivery)
        /// Some of a block, one behind the other.
        case part(MessageBlock, Range<Int>)
    }

    public init() {}

    /// With room for as much as others are.
    package init(likely others: Completions) {
        ids = TaskIDs(likely: others.ids)
        bytes.reserveCapacity(others.bytes.count)
        ends.reserveCapacity(others.count)
    }

    public var count: Int { ids.count }

    /// The tasks' messages in the order of their ids, each acknowledged in the write that stores its value.
    public var deliveries: [Delivery] {
        var deliveries: [Delivery] = []
        deliveries.reserveCapacity(count)
        for part in messages {
            switch part {
            case .single(let delivery): deliveries.append(delivery)
            case .part(let block, let places): deliveries += block.deliveries[places]
            }
        }
        return deliveries
    }

    /// How many bytes the values have together.
    package var byteCount: Int { bytes.count }

    /// How many of the values are stored.
    public private(set) var stored = 0

    /// Adds a task by the UTF-8 of its id.
    package mutating func append(
        _ id: UnsafeBufferPointer<UInt8>,
        _ value: UnsafeBufferPointer<UInt8>?,
        of delivery: Delivery
    ) {
        append(UnsafeRawBufferPointer(id), value.map { UnsafeRawBufferPointer($0) })
        messages.append(.single(delivery))
    }

    /// The same with the value as an array.
    package mutating func append(_ id: String, _ value: [UInt8]?, of delivery: Delivery) {
        var id = id
        id.withUTF8 { id in
            guard let value else { return append(id, nil, of: delivery) }
            value.withUnsafeBufferPointer { append(id, $0, of: delivery) }
        }
    }

    /// The same for a message of a block.
    package mutating func append(
        _ id: UnsafeBufferPointer<UInt8>,
        _ value: UnsafeBufferPointer<UInt8>?,
        of block: MessageBlock,
        at place: Int
    ) {
        append(UnsafeRawBufferPointer(id), value.map { UnsafeRawBufferPointer($0) })
        if case .part(let last, let places)? = messages.last, last === block, places.upperBound == place {
            messages[messages.count - 1] = .part(last, places.lowerBound..<place + 1)
        } else {
            messages.append(.part(block, place..<place + 1))
        }
    }

    private mutating func append(_ id: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) {
        ids.append(id)
        if let value {
            stored += 1
            bytes += value
        }
        ends.append((bytes.count, value != nil))
    }

    /// Calls `body` for each task with its id's UTF-8 and its value as it is stored, nil where none is. Both are valid only while `body`
    /// runs.
    public func forEach(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer?) throws -> Void) rethrows {
        try bytes.withUnsafeBytes { bytes in
            var (start, index) = (0, 0)
            try ids.forEach { id in
                let (end, isStored) = ends[index]
                try body(id, isStored ? UnsafeRawBufferPointer(rebasing: bytes[start..<end]) : nil)
                (start, index) = (end, index + 1)
            }
        }
    }

    /// The same as effects of single tasks, for a storage that has no better way.
    public var effects: [StorageEffect] { settlements.flatMap(\.effects) }

    /// Each task by itself, for a channel that has no better way.
    public var settlements: [Settlement] {
        let deliveries = deliveries
        var settlements: [Settlement] = []
        forEach { bytes, value in
            let (id, delivery) = (String(decoding: bytes, as: UTF8.self), deliveries[settlements.count])
            let end: [StorageEffect] = [.delete(key: Message.revocationKey(id))]
            let value = value.map { StorageEffect.put(Array($0), key: id, isResult: true) }
            settlements.append(Settlement(of: delivery, end + (value.map { [$0] } ?? []), isFinal: true))
        }
        return settlements
    }

    /// Groups of so many tasks at most, those left out whose messages one does not hold any more.
    package func groups(of size: Int, heldIn session: Int) -> [Completions] {
        let deliveries = deliveries
        if count <= size, deliveries.allSatisfy({ $0.receipt?.session == session }) { return count > 0 ? [self] : [] }
        var groups: [Completions] = []
        var group = Completions()
        var index = 0
        forEach { id, value in
            defer { index += 1 }
            guard deliveries[index].receipt?.session == session else { return }
            group.append(id, value)
            group.messages.append(.single(deliveries[index]))
            if group.count == size {
                groups.append(group)
                group = Completions()
            }
        }
        if group.count > 0 { groups.append(group) }
        return groups
    }
}

/// A message that cannot be run: nothing vanishes.
public struct DeadLetter: Sendable {
    /// The message as it stood in the queue.
    public var data: [UInt8]
    public var reason: Reason
    /// For people; never holds arguments.
    public var detail: String
    /// Microseconds since the epoch.
    public var time: Int

    /// Why a message was put aside.
    public enum Reason: String, Sendable {
        /// It cannot be decoded.
        case undecodable
        /// No task of that name is registered.
        case unknownTask = "unknown-task"
        /// What follows from it cannot be written.
        case unwritable
        /// Nobody knows whether it was enqueued.
        case unconfirmed
        /// Its task ran in too many consumers that died.
        case workerDied = "worker-died"
        /// Its last retry failed, and failed tasks are kept.
        case failed
    }

    public init(data: [UInt8], reason: Reason, detail: String, time: Int) {
        self.data = data
        self.reason = reason
        self.detail = detail
        self.time = time
    }
}
