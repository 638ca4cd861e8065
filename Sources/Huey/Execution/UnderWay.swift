import Synchronization

/// What is under way, and who waits until nothing is.
package final class UnderWay: Sendable {
    private let count = Atomic(0)
    private let waiters = Mutex<[CheckedContinuation<Void, Never>]>([])

    package init() {}

    package func begin() { count.add(1, ordering: .releasing) }

    package func end() {
        let done = waiters.withLock { waiters in
            guard count.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else {
                return [CheckedContinuation<Void, Never>]()
            }
            defer { waiters = [] }
            return waiters
        }
        for waiter in done { waiter.resume() }
    }

    /// Returns once nothing is under way; costs next to nothing when that is so.
    package nonisolated(nonsending) func wait() async {
        guard isAny else { return }
        await withCheckedContinuation { continuation in
            let isQuiet = waiters.withLock { waiters in
                let isAny = isAny
                if isAny { waiters.append(continuation) }
                return !isAny
            }
            if isQuiet { continuation.resume() }
        }
    }

    /// Whether anything is under way.
    package var isAny: Bool { count.load(ordering: .acquiring) > 0 }
}
