import Huey
import Pickle

/// A storage that keeps some promises of a ``MemoryStorage``, and breaks others.
final class ForgetfulStorage: Storage {
    private let memory = MemoryStorage()
    private let answers: Bool

    init(answers: Bool) { self.answers = answers }

    func ping() async throws {
        guard !answers else { return }
        for await _ in AsyncStream<Void>.makeStream().stream {}
    }
    /// Forgets what it is given.
    func giveBack(_ deliveries: [Delivery]) async throws {}
    /// Looks and stores in two steps.
    func putIfEmpty(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool {
        guard try await !hasData(forKey: key) else { return false }
        for _ in 0..<100 { await Task.yield() }
        try await putData(value, forKey: key, isResult: false)
        return true
    }

    func enqueue(_ data: [UInt8], priority: Double?) async throws { try await memory.enqueue(data, priority: priority) }
    func dequeue() async throws -> [UInt8]? { try await memory.dequeue() }
    func queueSize() async throws -> Int { try await memory.queueSize() }
    func enqueuedItems(limit: Int?) async throws -> [[UInt8]] { try await memory.enqueuedItems(limit: limit) }
    func flushQueue() async throws { try await memory.flushQueue() }
    func addToSchedule(_ data: [UInt8], at moment: PickleDateTime) async throws {
        try await memory.addToSchedule(data, at: moment)
    }
    func readSchedule(dueAt moment: PickleDateTime) async throws -> [[UInt8]] {
        try await memory.readSchedule(dueAt: moment)
    }
    func scheduleSize() async throws -> Int { try await memory.scheduleSize() }
    func scheduledItems(limit: Int?) async throws -> [[UInt8]] { try await memory.scheduledItems(limit: limit) }
    func flushSchedule() async throws { try await memory.flushSchedule() }
    func putData(_ value: [UInt8], forKey key: String, isResult: Bool) async throws {
        try await memory.putData(value, forKey: key, isResult: isResult)
    }
    func peekData(_ key: String) async throws -> [UInt8]? { try await memory.peekData(key) }
    func popData(_ key: String) async throws -> [UInt8]? { try await memory.popData(key) }
    func hasData(forKey key: String) async throws -> Bool { try await memory.hasData(forKey: key) }
    func increment(_ key: String, by amount: Int) async throws -> Int { try await memory.increment(key, by: amount) }
    func deleteCounter(_ key: String) async throws { try await memory.deleteCounter(key) }
    func resultStoreSize() async throws -> Int { try await memory.resultStoreSize() }
    func resultItems() async throws -> [String: [UInt8]] { try await memory.resultItems() }
    func flushResults() async throws { try await memory.flushResults() }
    func flushCounters() async throws { try await memory.flushCounters() }
}
