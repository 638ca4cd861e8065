public import Pickle
import Synchronization

/// Everything in this process's memory: for tests and immediate mode. Mirrors huey's `MemoryStorage`.
public final class MemoryStorage: Storage {
    private struct Queued {
        var priority: Double
        var order: Int
        var data: [UInt8]
    }

    private struct State {
        var order = 0
        var queue: [Queued] = []
        var schedule: [(moment: PickleDateTime, order: Int, data: [UInt8])] = []
        var results: [String: [UInt8]] = [:]
        var counters: [String: Int] = [:]
        /// Oldest first.
        var deadLetters: [DeadLetterEntry] = []

        mutating func removeLetter(_ entry: DeadLetterEntry) -> Bool {
            guard let index = deadLetters.lastIndex(where: { $0.stored == entry.stored }) else { return false }
            deadLetters.remove(at: index)
            return true
        }

        /// Sorted by falling priority, first in first out within one: the usual case appends.
        mutating func insert(_ item: Queued) {
            let index = queue.lastIndex {
                $0.priority > item.priority || $0.priority == item.priority && $0.order < item.order
            }
            queue.insert(item, at: index.map { $0 + 1 } ?? 0)
        }
    }

    private let state = Mutex(State())

    public init() {}

    /// What ``bury(_:)`` kept, oldest first.
    public var deadLetters: [DeadLetter] { state.withLock { $0.deadLetters.map(\.letter) } }

    public func enqueue(_ data: [UInt8], priority: Double?) async throws {
        state.withLock { state in
            state.order += 1
            state.insert(Queued(priority: priority ?? 0, order: state.order, data: data))
        }
    }

    public func dequeue() async throws -> [UInt8]? {
        state.withLock { $0.queue.isEmpty ? nil : $0.queue.removeFirst().data }
    }

    public func dequeue(upTo count: Int, wait: Duration) async throws -> [Delivery] {
        state.withLock { state in
            let taken = state.queue.prefix(max(0, count))
            state.queue.removeFirst(taken.count)
            return taken.map { item in
                let place = QueuePlace(order: Int64(item.order), priority: item.priority)
                return Delivery(data: item.data, token: place.token)
            }
        }
    }

    public func queueSize() async throws -> Int { state.withLock { $0.queue.count } }

    public func enqueuedItems(limit: Int?) async throws -> [[UInt8]] {
        state.withLock { Self.prefix($0.queue.map(\.data), limit) }
    }

    public func flushQueue() async throws { state.withLock { $0.queue = [] } }

    public func addToSchedule(_ data: [UInt8], at moment: PickleDateTime) async throws {
        state.withLock { state in
            state.order += 1
            let index = state.schedule.firstIndex { !$0.moment.isNotAfter(moment) } ?? state.schedule.endIndex
            state.schedule.insert((moment, state.order, data), at: index)
        }
    }

    public func readSchedule(dueAt moment: PickleDateTime) async throws -> [[UInt8]] {
        state.withLock { state in
            let due = state.schedule.prefix { $0.moment.isNotAfter(moment) }.map(\.data)
            state.schedule.removeFirst(due.count)
            return due
        }
    }

    public func scheduleSize() async throws -> Int { state.withLock { $0.schedule.count } }

    public func scheduledItems(limit: Int?) async throws -> [[UInt8]] {
        state.withLock { Self.prefix($0.schedule.map(\.data), limit) }
    }

    public func flushSchedule() async throws { state.withLock { $0.schedule = [] } }

    public func putData(_ value: [UInt8], forKey key: String, isResult: Bool) async throws {
        state.withLock { $0.results[key] = value }
    }

    public func peekData(_ key: String) async throws -> [UInt8]? { state.withLock { $0.results[key] } }

    public func popData(_ key: String) async throws -> [UInt8]? {
        state.withLock { $0.results.removeValue(forKey: key) }
    }

    public func hasData(forKey key: String) async throws -> Bool { state.withLock { $0.results[key] != nil } }

    public func putIfEmpty(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool {
        state.withLock { state in
            guard state.results[key] == nil else { return false }
            state.results[key] = value
            return true
        }
    }

    public func increment(_ key: String, by amount: Int) async throws -> Int {
        state.withLock { state in
            let count = state.counters[key, default: 0].saturatingAdded(to: amount)
            state.counters[key] = count
            return count
        }
    }

    public func deleteCounter(_ key: String) async throws { state.withLock { $0.counters[key] = nil } }

    public func resultStoreSize() async throws -> Int { state.withLock { $0.results.count } }

    public func resultItems() async throws -> [String: [UInt8]] { state.withLock { $0.results } }

    public func flushResults() async throws { state.withLock { $0.results = [:] } }

    public func flushCounters() async throws { state.withLock { $0.counters = [:] } }

    public func bury(_ letter: DeadLetter) async throws {
        let entry = try DeadLetterEntry(letter)
        state.withLock { $0.deadLetters.append(entry) }
    }

    /// To the places where they stood.
    public func giveBack(_ deliveries: [Delivery]) async throws {
        state.withLock { state in
            for delivery in deliveries {
                let place = QueuePlace(token: delivery.token) ?? QueuePlace(order: 0, priority: 0)
                state.insert(Queued(priority: place.priority, order: Int(place.order), data: delivery.data))
            }
        }
    }

    private static func prefix(_ items: [[UInt8]], _ limit: Int?) -> [[UInt8]] {
        guard let limit, limit > 0 else { return items }
        return Array(items.prefix(limit))
    }
}

extension MemoryStorage: DeadLetterStorage {
    public func deadLetterCount() async throws -> Int { state.withLock { $0.deadLetters.count } }

    public func deadLetterEntries(from start: Int, limit: Int) async throws -> [DeadLetterEntry] {
        guard start >= 0, limit > 0 else { return [] }
        return state.withLock { Array($0.deadLetters.reversed().dropFirst(start).prefix(limit)) }
    }

    public func requeueDeadLetter(_ entry: DeadLetterEntry, priority: Double?) async throws -> Bool {
        state.withLock { state in
            guard state.removeLetter(entry) else { return false }
            state.order += 1
            state.insert(Queued(priority: priority ?? 0, order: state.order, data: entry.letter.data))
            return true
        }
    }

    public func dropDeadLetter(_ entry: DeadLetterEntry) async throws -> Bool {
        state.withLock { $0.removeLetter(entry) }
    }
}
