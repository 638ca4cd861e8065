import Synchronization

/// What a worker knows of the mail that waits: since when, as far as anybody has seen it.
///
/// A message does not say when it was enqueued. It is at least as old as the first look at the queue that found it there.
package final class MailWatch: Sendable {
    private struct State {
        /// Messages in the queue, by task id, and since when at the latest.
        var queued: [String: Int] = [:]
        /// Messages that wait for another attempt, and when they were first seen.
        var retried: [String: Int] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Notes messages that stand in the queue.
    ///
    /// - Parameter moment: since when at the latest, in microseconds since the epoch.
    package func found(_ ids: [String], since moment: Int) {
        state.withLock { state in
            for id in ids where state.queued[id] == nil { state.queued[id] = moment }
        }
    }

    /// Since when a message stands in the queue, as far as that is known.
    package func since(_ id: String) -> Int? { state.withLock { $0.queued[id] } }

    /// Whether a message was seen in the queue.
    package func isKnown(_ id: String) -> Bool { state.withLock { $0.queued[id] != nil } }

    /// Forgets all but what stands in the queue no longer than this.
    package func forget(before moment: Int) {
        state.withLock { state in state.queued = state.queued.filter { $0.value >= moment } }
    }

    /// Forgets everything about the queue, because it is empty.
    package func queueIsEmpty() { state.withLock { $0.queued.removeAll() } }

    /// When a message that is about to run was first seen.
    func firstSeen(_ id: String, now: Int) -> Int { state.withLock { $0.queued.removeValue(forKey: id) } ?? now }

    package func waits(_ id: String, since moment: Int) { state.withLock { $0.retried[id] = moment } }

    package func done(_ id: String) { state.withLock { state in _ = state.retried.removeValue(forKey: id) } }

    /// The mail that waits for another attempt and was first seen before the others.
    package var oldestRetry: (id: String, since: Int)? {
        state.withLock { $0.retried.min { $0.value < $1.value }.map { ($0.key, $0.value) } }
    }
}
