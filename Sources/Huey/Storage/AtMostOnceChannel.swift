import Synchronization

/// huey's contract: a message is removed when it is handed out, and lost with the consumer that holds it.
public final class AtMostOnceChannel: DeliveryChannel {
    private static let upkeepInterval = Duration.seconds(60)

    private let storage: any Storage
    /// Microseconds since the epoch.
    private let now: @Sendable () -> Int
    /// The number of the last commit that began.
    private let lastNumber = Mutex(-1)

    public init(storage: any Storage, now: @escaping @Sendable () -> Int) {
        self.storage = storage
        self.now = now
    }

    public var acknowledges: Bool { false }
    public var isBlocking: Bool { storage.isBlocking }

    public func open() async throws {}

    public func run() async {
        guard let storage = storage as? any DeadLetterStorage else { return }
        while (try? await Task.sleep(for: Self.upkeepInterval)) != nil {
            // What cannot be done now can be done later; who cannot reach the storage says so elsewhere.
            _ = try? await storage.dropOldDeadLetters()
        }
    }

    public func close() async {}

    public func dequeue(upTo count: Int, wait: Duration) async throws -> [Delivery] {
        try await storage.dequeue(upTo: count, wait: wait)
    }

    public func interruptDequeue() async { await storage.interruptDequeue() }

    public func giveBack(_ deliveries: [Delivery]) async throws { try await storage.giveBack(deliveries) }

    public func noteStart(of delivery: Delivery) async throws {}

    /// Nobody knows whether a write whose answer was lost happened. Setting twice is setting once, but a message enqueued twice runs
    /// twice: repeated, it is kept aside instead.
    public func commit(_ settlements: [Settlement], number: Int) async throws {
        let isRepeated = lastNumber.withLock { last in
            defer { last = number }
            return last == number
        }
        var effects = settlements.flatMap(\.effects)
        if isRepeated { effects = effects.map { $0.afterLostAnswer(at: now()) } }
        if !effects.isEmpty { try await storage.commit(effects) }
    }

    /// Mirrors the first half of `_check_chord`.
    public func count(_ report: ChordReport, of delivery: Delivery) async throws -> ChordProgress {
        try await storage.putData(report.value, forKey: report.key, isResult: true)
        return try await storage.increment(report.counterKey, by: 1) == report.size ? .last : .counted
    }
}
