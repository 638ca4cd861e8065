/// Where what messages brought about goes: straight to the storage, or into a consumer's next batch.
package protocol EffectSink: Sendable {
    /// ``DeliveryChannel/acknowledges``
    var acknowledges: Bool { get }
    /// Takes a settlement over; settlements reach the storage in order, now or soon.
    ///
    /// - Throws: the storage's error.
    func submit(_ settlement: Settlement) async throws
    /// Returns once everything submitted is in the storage.
    ///
    /// - Throws: the storage's error.
    func flush() async throws
    /// Counts a member of a chord; what was submitted before is in the storage.
    func count(_ report: ChordReport, of delivery: Delivery) async throws -> ChordProgress
    /// ``DeliveryChannel/noteStart(of:)``
    func noteStart(of delivery: Delivery) async throws
}

/// A sink that takes the ends of tasks without being waited for.
package protocol GatheringSink: EffectSink, AnyObject {
    /// Takes a plain task over that has come to its end; whether so much waits by now that the caller had better ``EffectSink/flush()``.
    ///
    /// - Parameters:
    ///   - id: the UTF-8 of the task's id, valid only while this runs.
    ///   - value: the task's value as it is stored, if it is, valid only while this runs.
    ///   - message: where the task's message is.
    ///   - now: the time, which its caller has just looked up.
    func complete(
        _ id: UnsafeBufferPointer<UInt8>,
        _ value: UnsafeBufferPointer<UInt8>?,
        of message: (block: MessageBlock, place: Int),
        at now: ContinuousClock.Instant
    ) -> Bool
    /// No more comes at once: what is there shall be written.
    func writeSoon()
}

/// Commits at once.
package struct DirectSink: EffectSink {
    private let channel: any DeliveryChannel
    private let storage: any Storage

    package var acknowledges: Bool { false }

    package init(storage: any Storage) {
        self.storage = storage
        channel = AtMostOnceChannel(storage: storage, now: { 0 })
    }

    package func submit(_ settlement: Settlement) async throws {
        if !settlement.effects.isEmpty { try await storage.commit(settlement.effects) }
    }

    package func flush() async throws {}

    package func count(_ report: ChordReport, of delivery: Delivery) async throws -> ChordProgress {
        try await channel.count(report, of: delivery)
    }

    package func noteStart(of delivery: Delivery) async throws {}
}
