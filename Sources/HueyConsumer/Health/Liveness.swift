import Synchronization

/// Which parts of a consumer move. A part that begins something says by when it will be back; one that is late is stuck.
///
/// Waiting for work is no delay: nothing is expected of a fetcher whose workers are all busy. Failing is none either: a consumer whose
/// storage is away tries again and again, and a restart would not bring the storage back.
final class Liveness: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What has to move.
    enum Part: String, CaseIterable {
        /// The loop that takes messages out of the queue.
        case fetch
        /// Swift's cooperative pool, on which workers and asynchronous handlers run.
        case workers
        /// The thread of the storage's connections.
        case connections
        /// The heartbeat of at-least-once delivery, and what recovers the messages of dead consumers.
        case heartbeat
        /// The scheduler.
        case scheduler
        /// What writes the effects of finished tasks.
        case commits
    }

    private struct State {
        /// By when a part will be back.
        var deadlines: [Part: Instant] = [:]
        var isStopping = false
    }

    private let state = Mutex(State())

    /// The part will be back, or begin the next step, within this time.
    func expect(_ part: Part, within limit: Duration, now: Instant = .now) {
        state.withLock { $0.deadlines[part] = now.advanced(by: limit) }
    }

    /// The part is back, and waits for work.
    func isBack(_ part: Part) { state.withLock { $0.deadlines[part] = nil } }

    /// Marks a part as stuck for good once `body` has returned, which it does only when the consumer stops.
    func watch(_ part: Part, _ body: () async -> Void) async {
        await body()
        state.withLock { state in
            if !state.isStopping { state.deadlines[part] = .now }
        }
    }

    /// From now on parts may end.
    func stop() { state.withLock { $0.isStopping = true } }

    /// The parts that are late, in the order of ``Part``.
    func stuck(now: Instant = .now) -> [Part] {
        state.withLock { state in Part.allCases.filter { state.deadlines[$0].map { $0 < now } ?? false } }
    }
}
