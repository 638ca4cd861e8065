import Foundation
public import Huey
public import Pickle

/// An example of a storage of one's own, with delivery at least once: each instance in one file, which every process locks, reads, changes
/// and replaces. It is short, and slow.
public final class OneFileStorage: AcknowledgingStorage {
    /// The file cannot be read or written now; nothing was changed.
    struct Failure: StorageFailure {
        let reason: String
        var isTransient: Bool { true }
        var mayHaveHappened: Bool { false }
    }

    private let directory: String
    private let path: String
    /// What waits for the file's lock, and for the disk, must not do so on Swift's cooperative pool.
    private let thread = DispatchQueue(label: "one-file-storage")

    public init(directory: String, name: String = "huey") {
        self.directory = directory
        path = directory + "/" + (name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "huey")
    }

    public func bound(to name: String) -> any Storage { OneFileStorage(directory: directory, name: name) }

    /// Runs `body` with what is in the file while nobody else does, and writes what it changed.
    func change<Value: Sendable>(_ body: @escaping @Sendable (inout FileContents) throws -> Value) async throws -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            thread.async { [path] in continuation.resume(with: Result { try withFile(path, body) }) }
        }
    }

    public func commit(_ effects: [StorageEffect]) async throws {
        try await change { contents in for effect in effects { try contents.apply(effect) } }
    }

    public func bury(_ letter: DeadLetter) async throws { try await commit([.bury(letter)]) }

    // The queue. A delivery's token is all that is needed to give it back.

    public func enqueue(_ data: [UInt8], priority: Double?) async throws {
        try await commit([.enqueue(data, priority: priority)])
    }
    public func dequeue() async throws -> [UInt8]? { try await dequeue(upTo: 1, wait: .zero).first?.data }
    public func dequeue(upTo count: Int, wait: Duration) async throws -> [Delivery] {
        try await change { contents in
            try contents.take(count).map { Delivery(data: Array($0.data), token: Array(try JSONEncoder().encode($0))) }
        }
    }
    public func giveBack(_ deliveries: [Delivery]) async throws {
        let entries = try deliveries.map { try JSONDecoder().decode(FileContents.Entry.self, from: Data($0.token)) }
        try await change { $0.queue += entries }
    }
    public func queueSize() async throws -> Int { try await change { $0.queue.count } }
    public func enqueuedItems(limit: Int?) async throws -> [[UInt8]] {
        try await change { $0.queue.sorted().first(limit) }
    }
    public func flushQueue() async throws { try await change { $0.queue = [] } }

    // The schedule.

    public func addToSchedule(_ data: [UInt8], at moment: PickleDateTime) async throws {
        try await commit([.schedule(data, at: moment)])
    }
    public func readSchedule(dueAt moment: PickleDateTime) async throws -> [[UInt8]] {
        let time = try moment.pythonTimestamp()
        return try await change { contents in
            defer { contents.schedule.removeAll { $0.rank <= time } }
            return contents.schedule.filter { $0.rank <= time }.sorted().first(nil)
        }
    }
    public func scheduleSize() async throws -> Int { try await change { $0.schedule.count } }
    public func scheduledItems(limit: Int?) async throws -> [[UInt8]] {
        try await change { $0.schedule.sorted().first(limit) }
    }
    public func flushSchedule() async throws { try await change { $0.schedule = [] } }

    // Values and counters.

    public func putData(_ value: [UInt8], forKey key: String, isResult: Bool) async throws {
        try await commit([.put(value, key: key, isResult: isResult)])
    }
    public func peekData(_ key: String) async throws -> [UInt8]? {
        try await change { $0.values[key].map { Array($0) } }
    }
    public func popData(_ key: String) async throws -> [UInt8]? {
        try await change { $0.values.removeValue(forKey: key).map { Array($0) } }
    }
    public func hasData(forKey key: String) async throws -> Bool { try await change { $0.values[key] != nil } }
    public func putIfEmpty(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool {
        guard ttl == nil else { throw HueyError(.notSupported, "ttl is not supported by this storage.") }
        return try await change { contents in
            defer { contents.values[key] = contents.values[key] ?? Data(value) }
            return contents.values[key] == nil
        }
    }
    public func increment(_ key: String, by amount: Int) async throws -> Int {
        try await change { $0.add(amount, to: key) }
    }
    public func deleteCounter(_ key: String) async throws { try await commit([.deleteCounter(key: key)]) }
    public func resultStoreSize() async throws -> Int { try await change { $0.values.count } }
    public func resultItems() async throws -> [String: [UInt8]] {
        try await change { $0.values.mapValues { Array($0) } }
    }
    public func flushResults() async throws { try await change { $0.values = [:] } }
    public func flushCounters() async throws { try await change { $0.counters = [:] } }

    public func acknowledgingChannel(_ options: DeliveryOptions) async throws -> any DeliveryChannel {
        OneFileChannel(storage: self, lease: options.lease)
    }
}

private func withFile<Value>(_ path: String, _ body: (inout FileContents) throws -> Value) throws -> Value {
    let lock = open(path + ".lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    defer { if lock >= 0 { close(lock) } }
    guard lock >= 0, flock(lock, LOCK_EX) == 0 else { throw OneFileStorage.Failure(reason: "no lock: errno \(errno)") }
    let data = FileManager.default.contents(atPath: path)
    var contents = FileContents()
    if let data { contents = try JSONDecoder().decode(FileContents.self, from: data) }
    let value = try body(&contents)
    let changed = try JSONEncoder().encode(contents)
    do { if changed != data { try changed.write(to: URL(fileURLWithPath: path), options: .atomic) } } catch {
        throw OneFileStorage.Failure(reason: "\(error)")
    }
    return value
}
