import Huey

/// What one consumer keeps between the storage and its tasks.
final class ConsumerBuffer: StorageBuffer {
    private let fetcher: Fetcher
    private let committer: Committer

    init(_ fetcher: Fetcher, _ committer: Committer) {
        self.fetcher = fetcher
        self.committer = committer
    }

    func returnMessages() async { await fetcher.handBack() }

    func flushEffects() async throws { try await committer.flush() }

    func makeWay(for priority: Double) async throws {
        // What overtakes is in the queue before the next message is taken from it.
        try await committer.flush()
        if fetcher.holds(below: priority) { await fetcher.handBack() }
    }
}
