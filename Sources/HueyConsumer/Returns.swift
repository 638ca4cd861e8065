import Synchronization

/// Messages on their way back to the queue: whoever looks at the queue waits until they are there.
final class Returns: Sendable {
    private struct State {
        var underWay = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Runs `body`, which puts messages back, and waits for others that were doing the same.
    func run(_ body: () async -> Void) async {
        state.withLock { $0.underWay += 1 }
        await body()
        let done = state.withLock { state in
            state.underWay -= 1
            guard state.underWay == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in done { waiter.resume() }
        await quiet()
    }

    private func quiet() async {
        await withCheckedContinuation { continuation in
            let isQuiet = state.withLock { state in
                if state.underWay == 0 { return true }
                state.waiters.append(continuation)
                return false
            }
            if isQuiet { continuation.resume() }
        }
    }
}
