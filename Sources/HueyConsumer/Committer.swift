import Huey
import Logging
import Synchronization

/// Gathers the effects of finished tasks and writes them in batches: while one write is under way the next gathers.
///
/// A write that fails because the storage cannot be reached is tried again until it succeeds or the consumer must stop.
final class Committer: EffectSink {
    private struct State {
        var pending: [StorageEffect] = []
        /// Everything up to here has been submitted, and everything up to there is in the storage.
        var submitted = 0
        var committed = 0
        var waiters: [(upTo: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var writer: CheckedContinuation<Bool, Never>?
        var isClosed = false
    }

    private enum Bound {
        /// Who submits more than this waits for the storage: memory stays bounded when it is slow.
        static let pending = 4096
    }

    private let state = Mutex(State())
    private let storage: any Storage
    private let now: @Sendable () -> Int
    private let logger: Logger

    /// - Parameter now: microseconds since the epoch.
    init(storage: any Storage, now: @escaping @Sendable () -> Int, logger: Logger) {
        self.storage = storage
        self.now = now
        self.logger = logger
    }

    func submit(_ effects: [StorageEffect]) async throws {
        let (writer, isFull) = state.withLock { state in
            state.pending += effects
            state.submitted += effects.count
            defer { state.writer = nil }
            return (state.writer, state.pending.count > Bound.pending)
        }
        writer?.resume(returning: true)
        if isFull { try await flush() }
    }

    func flush() async throws {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if state.committed >= state.submitted { return true }
                state.waiters.append((state.submitted, continuation))
                return false
            }
            if isDone { continuation.resume() }
        }
    }

    /// Writes until ``close()``, then what is left.
    func run(retryDelay: Duration) async {
        while await hasWork() {
            let batch = state.withLock { state in
                defer { state.pending = [] }
                return state.pending
            }
            guard !batch.isEmpty else { continue }
            await write(batch, retryDelay: retryDelay)
            let waiters = state.withLock { state in
                state.committed += batch.count
                let reached = state.committed
                let done = state.waiters.filter { $0.upTo <= reached }
                state.waiters.removeAll { $0.upTo <= reached }
                return done
            }
            for waiter in waiters { waiter.continuation.resume() }
        }
    }

    private func hasWork() async -> Bool {
        await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> Bool? in
                if !state.pending.isEmpty { return true }
                if state.isClosed { return false }
                state.writer = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    private func write(_ batch: [StorageEffect], retryDelay: Duration) async {
        var batch = batch
        var isFirst = true
        while true {
            do {
                try await storage.commit(batch)
                if !isFirst { logger.info("Results are stored again.") }
                return
            } catch {
                if error is HueyError, batch.count > 1 {
                    // One effect cannot be written, and nothing was: the others must not go with it.
                    for effect in batch { await write([effect], retryDelay: retryDelay) }
                    return
                }
                let failure = error as? any StorageFailure
                guard failure?.isTransient == true else {
                    logger.error("Error storing results", metadata: ["reason": "\(error)"])
                    return
                }
                if failure?.mayHaveHappened == true { batch = batch.map { $0.afterLostAnswer(at: now()) } }
                if isFirst { logger.error("Error storing results; trying again", metadata: ["reason": "\(error)"]) }
                isFirst = false
                guard (try? await Task.sleep(for: retryDelay)) != nil else {
                    logger.error("Gave up storing the effects of finished tasks", metadata: ["count": "\(batch.count)"])
                    return
                }
            }
        }
    }

    /// Lets ``run(retryDelay:)`` end once everything is written.
    func close() {
        let writer = state.withLock { state in
            state.isClosed = true
            defer { state.writer = nil }
            return state.writer
        }
        writer?.resume(returning: true)
    }
}
