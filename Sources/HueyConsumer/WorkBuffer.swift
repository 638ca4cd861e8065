import Huey
import Synchronization

/// Messages on their way from the queue to idle workers, and the idle workers that wait for them.
///
/// Workers take one message each; the fetcher is told how many are wanted. A message is handed out or given back, never both.
final class WorkBuffer: Sendable {
    private struct State {
        var messages: [Delivery] = []
        var head = 0
        var idle: [CheckedContinuation<Delivery?, Never>] = []
        var fetcher: CheckedContinuation<Int, Never>?
        var isStopped = false

        mutating func pop() -> Delivery? {
            guard head < messages.count else { return nil }
            let delivery = messages[head]
            head += 1
            if head == messages.count {
                messages.removeAll(keepingCapacity: true)
                head = 0
            }
            return delivery
        }

        /// All that is left, next first.
        mutating func popAll() -> [Delivery] {
            defer {
                messages.removeAll(keepingCapacity: true)
                head = 0
            }
            return Array(messages[head...])
        }
    }

    private let state = Mutex(State())
    private let stopped = Gate()

    /// The next message for a worker; nil when the consumer stops.
    func next() async -> Delivery? {
        await withCheckedContinuation { continuation in
            let (delivery, isDone, fetcher) = state.withLock {
                state -> (Delivery?, Bool, (CheckedContinuation<Int, Never>, Int)?) in
                if let delivery = state.isStopped ? nil : state.pop() { return (delivery, true, nil) }
                if state.isStopped { return (nil, true, nil) }
                state.idle.append(continuation)
                guard let fetcher = state.fetcher else { return (nil, false, nil) }
                state.fetcher = nil
                return (nil, false, (fetcher, state.idle.count))
            }
            if isDone { continuation.resume(returning: delivery) }
            fetcher?.0.resume(returning: fetcher?.1 ?? 0)
        }
    }

    /// Waits until a worker is idle; how many are. Zero when the consumer stops.
    func demand() async -> Int {
        await withCheckedContinuation { continuation in
            let count = state.withLock { state -> Int? in
                if state.isStopped { return 0 }
                if !state.idle.isEmpty { return state.idle.count }
                state.fetcher = continuation
                return nil
            }
            if let count { continuation.resume(returning: count) }
        }
    }

    /// Hands messages out; what no worker can take now stays for the next to become idle. Returns what came too late.
    func supply(_ deliveries: [Delivery]) -> [Delivery] {
        let (handouts, late) = state.withLock {
            state -> ([(CheckedContinuation<Delivery?, Never>, Delivery)], [Delivery]) in
            if state.isStopped { return ([], deliveries) }
            state.messages += deliveries
            var handouts: [(CheckedContinuation<Delivery?, Never>, Delivery)] = []
            while !state.idle.isEmpty, let delivery = state.pop() {
                handouts.append((state.idle.removeFirst(), delivery))
            }
            return (handouts, [])
        }
        for (continuation, delivery) in handouts { continuation.resume(returning: delivery) }
        return late
    }

    /// Takes back what no worker has started.
    func reclaim() -> [Delivery] { state.withLock { $0.popAll() } }

    /// No message is handed out any more; every idle worker and the fetcher are told. Returns what was not started.
    func stop() -> [Delivery] {
        let (unstarted, idle, fetcher) = state.withLock { state in
            state.isStopped = true
            defer {
                state.idle = []
                state.fetcher = nil
            }
            return (state.popAll(), state.idle, state.fetcher)
        }
        stopped.open()
        for continuation in idle { continuation.resume(returning: nil) }
        fetcher?.resume(returning: 0)
        return unstarted
    }

    /// Ends a wait in ``demand()``: it answers -1.
    func withdrawDemand() {
        let fetcher = state.withLock { state in
            defer { state.fetcher = nil }
            return state.fetcher
        }
        fetcher?.resume(returning: -1)
    }

    /// Sleeps, but not beyond ``stop()``.
    func sleep(for duration: Duration) async {
        _ = await stopped.wait(atMost: duration)
    }

    /// How many messages wait for a worker.
    var backlog: Int { state.withLock { $0.messages.count - $0.head } }
}
