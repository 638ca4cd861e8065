import Huey
import Synchronization

/// Messages on their way from the queue to the buffer, fetched before any worker was idle. Whoever looks at the queue has them put back
/// first; then no more are fetched ahead until a worker is idle.
final class Flight: Sendable {
    private let recallCount = Mutex(0)
    private let underWay = UnderWay()

    /// How often messages were recalled.
    var recalls: Int { recallCount.withLock { $0 } }

    /// Messages are about to be fetched; false if some were recalled since the count was read.
    func begin(since recalls: Int) -> Bool {
        recallCount.withLock { count in
            guard count == recalls else { return false }
            underWay.begin()
            return true
        }
    }

    /// What came is in the buffer, or in the queue again.
    func end() { underWay.end() }

    /// Has messages put back that are under way, and returns once that is done.
    func recall() async {
        recallCount.withLock { $0 += 1 }
        await underWay.wait()
    }
}
