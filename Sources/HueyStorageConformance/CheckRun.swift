import Huey
import Pickle
import Synchronization

/// What one run of a check works with: storages under a name of its own, which are emptied and closed at the end.
final class CheckRun: Sendable {
    private struct Opened {
        var storages: [any Storage] = []
        var channels: [any DeliveryChannel] = []
        var first: (any Storage)?
    }

    let choices: StorageConformance.Choices
    let name: String
    private let open: @Sendable (String) async throws -> any Storage
    private let opened = Mutex(Opened())

    init(choices: StorageConformance.Choices, open: @escaping @Sendable (String) async throws -> any Storage) {
        self.choices = choices
        self.open = open
        name = "check" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    }

    /// The storage that the check is about; the same with every call.
    func storage() async throws -> any Storage {
        if let first = opened.withLock({ $0.first }) { return first }
        let storage = try await another()
        opened.withLock { $0.first = storage }
        return storage
    }

    /// The same data as another process sees it.
    func another() async throws -> any Storage {
        let storage = try await open(name).bound(to: name)
        opened.withLock { $0.storages.append(storage) }
        return storage
    }

    /// Two instances in one place.
    func neighbours() async throws -> (any Storage, any Storage) {
        let place = try await open(name)
        let pair = (place.bound(to: name), place.bound(to: name + "x"))
        opened.withLock { $0.storages += [pair.0, pair.1] }
        return pair
    }

    /// The storage as one of the protocols beside ``Storage``.
    func storage<Kind>(as kind: Kind.Type) async throws -> Kind {
        try require(try await storage() as? Kind, "a storage that is \(kind)")
    }

    /// Another consumer, opened; it sends no heartbeat until ``/Huey/DeliveryChannel/run()`` is called.
    func channel() async throws -> any DeliveryChannel { try await consumer().channel }

    /// Another consumer, and the storage that its process uses.
    func consumer() async throws -> (channel: any DeliveryChannel, storage: any Storage) {
        let storage = try await another()
        let kind = try require(storage as? any AcknowledgingStorage, "a storage that acknowledges")
        let channel = try await kind.acknowledgingChannel(DeliveryOptions(lease: choices.lease))
        opened.withLock { $0.channels.append(channel) }
        try await channel.open()
        return (channel, storage)
    }

    /// A consumer's process was killed: nothing of it is closed.
    func forget(_ channel: any DeliveryChannel) {
        opened.withLock { opened in opened.channels.removeAll { ($0 as AnyObject) === (channel as AnyObject) } }
    }

    func enqueue(_ texts: String...) async throws {
        let storage = try await storage()
        for text in texts { try await storage.enqueue(data(text), priority: nil) }
    }

    /// The queue, next first.
    func waiting() async throws -> [String] { try await storage().enqueuedItems(limit: nil).map(text) }

    /// Removes what was stored, and closes everything. What cannot be removed is left: the check has its result.
    func close() async {
        let all = opened.withLock { opened in
            defer { opened = Opened() }
            return opened
        }
        for channel in all.channels { await channel.close() }
        for storage in all.storages.prefix(2) { try? await storage.flushAll() }
        if let letters = all.first as? any DeadLetterStorage {
            for entry in (try? await letters.deadLetterEntries(from: 0, limit: 1000)) ?? [] {
                _ = try? await letters.dropDeadLetter(entry)
            }
        }
        for storage in all.storages { await storage.close() }
    }
}

/// Bytes for a short text.
func data(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The text of bytes.
func text(_ data: [UInt8]) -> String { String(decoding: data, as: UTF8.self) }

func texts(_ deliveries: [Delivery]) -> [String] { deliveries.map { text($0.data) } }

/// A moment of that second, far from any change of clocks, and past.
func moment(_ second: Int, _ microsecond: Int = 0) -> PickleDateTime {
    PickleDateTime(
        year: 2024,
        month: 1,
        day: 2,
        hour: 3,
        minute: second / 60,
        second: second % 60,
        microsecond: microsecond
    )
}

extension DeliveryChannel {
    /// What there is, without waiting.
    func take(_ count: Int = 100) async throws -> [Delivery] { try await dequeue(upTo: count, wait: .zero) }
}

/// Asks until the answer is there; whoever never gets it runs into the check's limit.
func eventually<Value>(_ ask: () async throws -> Value?) async throws -> Value {
    while true {
        if let value = try await ask() { return value }
        try await Task.sleep(for: .milliseconds(20))
    }
}
