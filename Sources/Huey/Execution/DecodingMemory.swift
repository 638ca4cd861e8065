import Synchronization

/// What the large messages that a consumer runs at once may take, all together: with 16 workers, 16 of the largest would be more
/// than many a process has.
final class DecodingMemory: Sendable {
    /// So many bytes at once; a message that takes more is alone.
    private static let most = 1 << 27
    private static let pause = Duration.milliseconds(5)

    private let used = Mutex(0)

    /// Waits until there is room, and takes it. Tasks that take very long, or wait for each other, hold nobody up for ever.
    ///
    /// - Throws: `CancellationError`.
    func take(_ count: Int, patience: Duration = .seconds(60)) async throws {
        let deadline = ContinuousClock.now + patience
        while true {
            let isLate = ContinuousClock.now >= deadline
            let isTaken = used.withLock { used in
                guard used == 0 || isLate || used.saturatingAdded(to: count) <= Self.most else { return false }
                used = used.saturatingAdded(to: count)
                return true
            }
            if isTaken { return }
            try await Task.sleep(for: Self.pause)
        }
    }

    /// Gives back what was taken, or the part of it that is not needed.
    func giveBack(_ count: Int) { used.withLock { $0 = max(0, $0 - count) } }
}
