import Huey
import Pickle
import TestSupport
import Testing

@testable import HueyConsumer

/// A storage on which some effects are refused, whatever they come with.
private final class RefusingStorage: Storage {
    struct Refused: StorageFailure {
        var isTransient: Bool { false }
        var isRefusal: Bool
        var mayHaveHappened: Bool { false }
    }

    let memory = MemoryStorage()
    let isRefusal: Bool
    private let refuses: @Sendable (StorageEffect) -> Bool

    init(isRefusal: Bool, refusing refuses: @escaping @Sendable (StorageEffect) -> Bool) {
        self.isRefusal = isRefusal
        self.refuses = refuses
    }

    func commit(_ effects: [StorageEffect]) async throws {
        if effects.contains(where: refuses) { throw Refused(isRefusal: isRefusal) }
        try await memory.commit(effects)
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
    func giveBack(_ deliveries: [Delivery]) async throws { try await memory.giveBack(deliveries) }
    func bury(_ letter: DeadLetter) async throws { try await memory.bury(letter) }
}

@Suite("The committer where the storage refuses one effect")
struct RefusalTests {
    private func write(_ storage: RefusingStorage, _ settlements: [Settlement]) async throws {
        let channel = AtMostOnceChannel(storage: storage, now: { 42 })
        let committer = Committer(channel: channel, now: { 42 }, logger: CollectingLog.make().logger)
        let outbox = committer.outbox()
        for settlement in settlements { try await outbox.submit(settlement) }
        let task = Task { await committer.run(retryDelay: .milliseconds(1)) }
        try await committer.flush()
        committer.close()
        await task.value
    }

    @Test("the others are written, and a message that could not be enqueued is put aside", arguments: [false, true])
    func enqueueing(isRefusal: Bool) async throws {
        let storage = RefusingStorage(isRefusal: isRefusal) { if case .enqueue([9], _) = $0 { true } else { false } }
        try await write(
            storage,
            [
                Settlement(of: Delivery(data: [1]), [.put([1], key: "a", isResult: true)], isFinal: true),
                Settlement(
                    of: Delivery(data: [2]),
                    [.enqueue([9], priority: nil), .put([2], key: "b", isResult: true)],
                    isFinal: true
                ),
                Settlement(of: nil, [.enqueue([8], priority: nil)], isFinal: true),
            ]
        )
        #expect(try await storage.resultItems().keys.sorted() == ["a", "b"])
        #expect(try await storage.enqueuedItems(limit: nil) == [[8]])
        #expect(storage.memory.deadLetters.map(\.data) == [[9]])
    }

    @Test("a dead letter that is refused for good takes nothing with it")
    func letters() async throws {
        let storage = RefusingStorage(isRefusal: false) { if case .bury = $0 { true } else { false } }
        let letter = DeadLetter(data: [7], reason: .failed, detail: "", time: 1)
        try await write(
            storage,
            [
                Settlement(of: nil, [.bury(letter)], isFinal: true),
                Settlement(of: nil, [.put([1], key: "a", isResult: true)], isFinal: true),
            ]
        )
        #expect(try await storage.resultItems().keys.sorted() == ["a"])
    }
}
