import Synchronization

/// Messages on their way from the queue to the buffer, fetched before any worker was idle. Whoever looks at the queue has them put back
/// first; then no more are fetched ahead until a worker is idle.
final class Flight: Sendable {
    private struct State {
        var isUnderWay = false
        var recalls = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// How often messages were recalled.
    var recalls: Int { state.withLock { $0.recalls } }

    /// Messages are about to be fetched; false if some were recalled since the count was read.
    func begin(since recalls: Int) -> Bool {
        state.withLock { state in
            state.isUnderWay = state.recalls == recalls
            return state.isUnderWay
        }
    }

    /// What came is in the buffer, or in the queue again.
    func end() {
        let waiters = state.withLock { state in
            state.isUnderWay = false
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Has messages put back that are under way, and returns once that is done.
    func recall() async {
        await withCheckedContinuation { continuation in
            let isQuiet = state.withLock { state in
                state.recalls += 1
                if state.isUnderWay { state.waiters.append(continuation) }
                return !state.isUnderWay
            }
            if isQuiet { continuation.resume() }
        }
    }
}
