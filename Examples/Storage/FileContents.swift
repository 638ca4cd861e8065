import Foundation
import Huey

/// What is in the file of a ``OneFileStorage``.
struct FileContents: Codable, Sendable {
    /// A message of the queue or the schedule.
    struct Entry: Codable, Sendable, Comparable {
        /// Its priority, negated; or its time. What is smallest comes first.
        var rank: Double
        var order: Int
        var data: Data
        var redeliveries = 0
        var deaths = 0
        var isStarted = false

        static func < (one: Entry, other: Entry) -> Bool { (one.rank, one.order) < (other.rank, other.order) }
    }

    /// What a consumer holds, by the order of messages.
    struct Session: Codable, Sendable {
        var heartbeat = 0
        var lastCommit = 0
        var held: [Int: Entry] = [:]
    }

    var lastNumber = 0
    var queue: [Entry] = []
    var schedule: [Entry] = []
    var values: [String: Data] = [:]
    var counters: [String: Int] = [:]
    var sessions: [Int: Session] = [:]

    mutating func nextNumber() -> Int {
        lastNumber += 1
        return lastNumber
    }

    mutating func take(_ count: Int) -> [Entry] {
        queue.sort()
        defer { queue.removeFirst(min(queue.count, max(0, count))) }
        return Array(queue.prefix(max(0, count)))
    }

    mutating func add(_ amount: Int, to key: String) -> Int {
        let (sum, overflow) = counters[key, default: 0].addingReportingOverflow(amount)
        counters[key] = overflow ? (amount < 0 ? .min : .max) : sum
        return counters[key] ?? 0
    }

    mutating func apply(_ effect: StorageEffect) throws {
        switch effect {
        case .put(let value, let key, _): values[key] = Data(value)
        case .delete(let key): values[key] = nil
        case .deleteCounter(let key): counters[key] = nil
        case .enqueue(let data, let priority):
            queue.append(Entry(rank: -(priority ?? 0), order: nextNumber(), data: Data(data)))
        case .schedule(let data, let moment):
            schedule.append(Entry(rank: try moment.pythonTimestamp(), order: nextNumber(), data: Data(data)))
        case .complete(let tasks): for effect in tasks.effects { try apply(effect) }
        case .bury(let letter): values["dead.\(nextNumber())"] = Data(try DeadLetterEntry(letter).stored)
        case .releaseUnique: break
        }
    }

    /// Ends a session; what it holds returns to where it stood.
    mutating func end(_ session: Int, isDeath: Bool) {
        for var entry in sessions.removeValue(forKey: session)?.held.values.map({ $0 }) ?? [] {
            if isDeath { entry.redeliveries += 1 }
            if isDeath, entry.isStarted { entry.deaths += 1 }
            entry.isStarted = false
            queue.append(entry)
        }
    }
}

extension [FileContents.Entry] {
    /// So many messages; 0 is no limit.
    func first(_ limit: Int?) -> [[UInt8]] {
        prefix(limit.flatMap { $0 > 0 ? $0 : nil } ?? .max).map { [UInt8]($0.data) }
    }
}
