/// A storage that can be told more than once to enqueue one message, and does it once.
public protocol IdempotentStorage: Storage {
    /// Adds a message to the queue, unless it did so for the same id within `memory`; whether it did now.
    ///
    /// The id is remembered in the same step in which the message is added.
    ///
    /// - Throws: as ``Storage/enqueue(_:priority:)``.
    @discardableResult
    func enqueue(_ data: [UInt8], priority: Double?, onceFor id: String, memory: Duration) async throws -> Bool
}
