import Huey
import Synchronization

/// Messages on their way from the queue to idle workers, and the idle workers that wait for them.
///
/// Workers take one message each; the fetcher is told how many are wanted. A message is handed out or given back, never both. Where tasks
/// are over in no time, few workers are woken and take one message after the other.
final class WorkBuffer<Message: Sendable>: Sendable {
    private struct State {
        /// What is supplied at once stays in one piece, so that the lock is held for a moment only.
        var batches: [[Message]] = []
        /// How many messages of the first batch are taken.
        var head = 0
        /// How many messages wait for a worker.
        var backlog = 0
        var idle: [CheckedContinuation<Message?, Never>] = []
        var fetcher: CheckedContinuation<Demand, Never>?
        /// At how many waiting messages the fetcher wants to hear of it, before any worker is idle.
        var lowWater = -1
        var isStopped = false

        /// Whether workers wait and there is nothing for them.
        var isStarving: Bool { !idle.isEmpty && backlog == 0 }

        mutating func append(_ batch: [Message]) {
            guard !batch.isEmpty else { return }
            batches.append(batch)
            backlog += batch.count
        }

        mutating func pop() -> Message? {
            guard let message = batches.first?[head] else { return nil }
            head += 1
            backlog -= 1
            if head == batches[0].count {
                batches.removeFirst()
                head = 0
            }
            return message
        }

        /// All that is left, next first.
        var waiting: some Sequence<Message> { batches.joined().dropFirst(head) }

        mutating func popAll() -> [Message] {
            defer { (batches, head, backlog) = ([], 0, 0) }
            return Array(waiting)
        }

        /// Wakes workers for messages, but leaves so many idle.
        mutating func handOut(leavingIdle rest: Int) -> [(CheckedContinuation<Message?, Never>, Message)] {
            var handouts: [(CheckedContinuation<Message?, Never>, Message)] = []
            // The last to become idle first: what it works with may still be in its processor's cache.
            while idle.count > rest, backlog > 0, let worker = idle.popLast(), let message = pop() {
                handouts.append((worker, message))
            }
            return handouts
        }

        mutating func takeFetcher() -> CheckedContinuation<Demand, Never>? {
            defer { fetcher = nil }
            return fetcher
        }
    }

    private let state = Mutex(State())
    private let stopped = Gate()

    /// The next message if there is one now, and whether it is the last.
    func take() -> (message: Message, isLast: Bool)? {
        let (taken, fetcher) = state.withLock { state -> ((Message, Bool)?, CheckedContinuation<Demand, Never>?) in
            guard !state.isStopped, let delivery = state.pop() else { return (nil, nil) }
            let left = state.backlog
            guard left <= state.lowWater, let fetcher = state.fetcher else { return ((delivery, left == 0), nil) }
            state.fetcher = nil
            return ((delivery, left == 0), fetcher)
        }
        fetcher?.resume(returning: .low)
        return taken
    }

    /// The next message for a worker; nil when the consumer stops.
    func next() async -> Message? {
        await withCheckedContinuation { continuation in
            let (delivery, isDone, fetcher) = state.withLock {
                state -> (Message?, Bool, (CheckedContinuation<Demand, Never>, Int)?) in
                if let delivery = state.isStopped ? nil : state.pop() { return (delivery, true, nil) }
                if state.isStopped { return (nil, true, nil) }
                state.idle.append(continuation)
                guard let fetcher = state.fetcher else { return (nil, false, nil) }
                state.fetcher = nil
                return (nil, false, (fetcher, state.idle.count))
            }
            if isDone { continuation.resume(returning: delivery) }
            if let (fetcher, count) = fetcher { fetcher.resume(returning: .workers(count)) }
        }
    }

    /// Waits until a worker is idle, or no more than `lowWater` messages wait for one.
    func demand(lowWater: Int = -1) async -> Demand {
        await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> Demand? in
                if state.isStopped { return .stopped }
                if state.isStarving { return .workers(state.idle.count) }
                if state.backlog <= lowWater { return .low }
                state.fetcher = continuation
                state.lowWater = lowWater
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// Hands messages out; what no worker can take now stays for the next to become idle. Returns what came too late.
    ///
    /// - Parameters:
    ///   - rest: how many workers are left idle, though there may be messages for them.
    ///   - areWanted: asked while nobody can look into the buffer; where it says no, all come too late.
    func supply(
        _ deliveries: [Message],
        leavingIdle rest: Int = 0,
        if areWanted: ([Message]) -> Bool = { _ in true }
    ) -> [Message] {
        let (handouts, late) = state.withLock {
            state -> ([(CheckedContinuation<Message?, Never>, Message)], [Message]) in
            guard !state.isStopped, areWanted(deliveries) else { return ([], deliveries) }
            // Where nobody is at work on what waited, somebody must be woken.
            let rest = state.backlog == 0 ? min(rest, max(0, state.idle.count - 1)) : rest
            state.append(deliveries)
            return (state.handOut(leavingIdle: rest), [])
        }
        for (worker, message) in handouts { worker.resume(returning: message) }
        return late
    }

    /// Takes back what no worker has started.
    func reclaim() -> [Message] {
        let (unstarted, fetcher, idle) = state.withLock { state in
            let unstarted = state.popAll()
            return (unstarted, state.isStarving ? state.takeFetcher() : nil, state.idle.count)
        }
        fetcher?.resume(returning: .workers(idle))
        return unstarted
    }

    /// No message is handed out any more; every idle worker and the fetcher are told. What was not started can be reclaimed.
    func stop() {
        let (idle, fetcher) = state.withLock { state in
            state.isStopped = true
            defer {
                state.idle = []
                state.fetcher = nil
            }
            return (state.idle, state.fetcher)
        }
        stopped.open()
        for continuation in idle { continuation.resume(returning: nil) }
        fetcher?.resume(returning: .stopped)
    }

    /// Ends a wait in ``demand(lowWater:)``.
    func withdrawDemand() {
        let fetcher = state.withLock { state in
            defer { state.fetcher = nil }
            return state.fetcher
        }
        fetcher?.resume(returning: .withdrawn)
    }

    /// Sleeps, but not beyond ``stop()``.
    func sleep(for duration: Duration) async {
        _ = await stopped.wait(atMost: duration)
    }

    /// Whether no message is handed out any more.
    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Whether such a message waits for a worker.
    func contains(where isSuch: (Message) -> Bool) -> Bool {
        state.withLock { $0.waiting.contains(where: isSuch) }
    }

    /// How many messages wait for a worker.
    var backlog: Int { state.withLock { $0.backlog } }
}

/// What the fetcher is told.
enum Demand: Sendable, Equatable {
    /// So many workers have nothing to do.
    case workers(Int)
    /// All are busy, and few messages wait.
    case low
    /// The fetcher's question was taken back.
    case withdrawn
    /// The consumer stops.
    case stopped
}
