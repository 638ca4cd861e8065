/// A storage that enqueues a periodic task once, however many schedulers ask for it.
public protocol TickingStorage: Storage {
    /// Adds a message to the queue unless that was done for the same task and minute, or a later one; whether it was done now. Claim and
    /// message are one step.
    ///
    /// - Parameter minute: minutes since the epoch, by the consumer's clock. A claim ahead of the storage's own clock is a clock's mistake, and
    ///   does not count.
    /// - Throws: as ``Storage/enqueue(_:priority:)``.
    func enqueue(_ data: [UInt8], priority: Double?, onceFor task: String, at minute: Int) async throws -> Bool
    /// The last minute for which a task was enqueued so; nil when that is not known.
    func lastMinute(of task: String) async throws -> Int?
}
