import Huey
import Pickle
import Synchronization
import TestSupport

/// A memory storage whose operations fail as a test says, and that notes what it is asked for.
final class FlakyStorage: Storage {
    struct Failure: StorageFailure {
        var isTransient = true
        var mayHaveHappened = false
    }

    private struct State {
        var commitFailures: [any Error] = []
        var failingPings = 0
        var failingDequeues = 0
        var holdCommits = false
        var heldCommits: [CheckedContinuation<Void, Never>] = []
    }

    let memory = MemoryStorage()
    /// The effects of each commit that was tried.
    let commits = Recorder<[StorageEffect]>()
    let givenBack = Recorder<[[UInt8]]>()
    let dequeues = Recorder<Int>()
    /// How many messages were asked for, each time.
    let limits = Recorder<Int>()
    private let state = Mutex(State())

    /// Each commit takes one of these, in order, and throws it.
    func failCommits(_ failures: any Error...) { state.withLock { $0.commitFailures = failures } }
    func failPings(_ count: Int) { state.withLock { $0.failingPings = count } }
    func failDequeues(_ count: Int) { state.withLock { $0.failingDequeues = count } }
    /// Commits wait for ``releaseCommits()``.
    func holdCommits() { state.withLock { $0.holdCommits = true } }

    func releaseCommits() {
        let held = state.withLock { state in
            state.holdCommits = false
            defer { state.heldCommits = [] }
            return state.heldCommits
        }
        for continuation in held { continuation.resume() }
    }

    func commit(_ effects: [StorageEffect]) async throws {
        commits.append(effects)
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                if state.holdCommits { state.heldCommits.append(continuation) }
                return state.holdCommits
            }
            if !isHeld { continuation.resume() }
        }
        let failure = state.withLock { $0.commitFailures.isEmpty ? nil : $0.commitFailures.removeFirst() }
        if let failure { throw failure }
        try await memory.commit(effects)
    }

    func ping() async throws {
        let fails = state.withLock { state in
            state.failingPings -= 1
            return state.failingPings >= 0
        }
        if fails { throw Failure() }
    }

    func dequeue(upTo count: Int, wait: Duration) async throws -> [Delivery] {
        limits.append(count)
        let fails = state.withLock { state in
            state.failingDequeues -= 1
            return state.failingDequeues >= 0
        }
        if fails { throw Failure() }
        let deliveries = try await memory.dequeue(upTo: count, wait: wait)
        if !deliveries.isEmpty { dequeues.append(deliveries.count) }
        return deliveries
    }

    func giveBack(_ deliveries: [Delivery]) async throws {
        givenBack.append(deliveries.map(\.data))
        try await memory.giveBack(deliveries)
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
    func putIfEmpty(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool {
        try await memory.putIfEmpty(value, forKey: key, ttl: ttl)
    }
    func bury(_ letter: DeadLetter) async throws { try await memory.bury(letter) }
}
