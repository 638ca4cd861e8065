import Huey
import Synchronization

/// Messages on their way from the queue to idle workers, and the idle workers that wait for them.
///
/// Workers take one message each; the fetcher is told how many are wanted. A message is handed out or given back, never both.
final class WorkBuffer<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var head = 0
        var idle: [CheckedContinuation<Message?, Never>] = []
        var fetcher: CheckedContinuation<Demand, Never>?
        /// At how many waiting messages the fetcher wants to hear of it, before any worker is idle.
        var lowWater = -1
        var isStopped = false

        var backlog: Int { messages.count - head }

        mutating func pop() -> Message? {
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
        mutating func popAll() -> [Message] {
            defer {
                messages.removeAll(keepingCapacity: true)
                head = 0
            }
            return Array(messages[head...])
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
                if !state.idle.isEmpty { return .workers(state.idle.count) }
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
    /// - Parameter areWanted: asked while nobody can look into the buffer; where it says no, all come too late.
    func supply(_ deliveries: [Message], if areWanted: ([Message]) -> Bool = { _ in true }) -> [Message] {
        let (handouts, late) = state.withLock {
            state -> ([(CheckedContinuation<Message?, Never>, Message)], [Message]) in
            guard !state.isStopped, areWanted(deliveries) else { return ([], deliveries) }
            // What was taken goes first, or a queue that never runs dry would be kept for ever.
            if state.head > 0 {
                state.messages.removeFirst(state.head)
                state.head = 0
            }
            state.messages += deliveries
            var handouts: [(CheckedContinuation<Message?, Never>, Message)] = []
            while !state.idle.isEmpty, let delivery = state.pop() {
                handouts.append((state.idle.removeFirst(), delivery))
            }
            return (handouts, [])
        }
        for (continuation, delivery) in handouts { continuation.resume(returning: delivery) }
        return late
    }

    /// Takes back what no worker has started.
    func reclaim() -> [Message] { state.withLock { $0.popAll() } }

    /// No message is handed out any more; every idle worker and the fetcher are told. Returns what was not started.
    func stop() -> [Message] {
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
        fetcher?.resume(returning: .stopped)
        return unstarted
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
        state.withLock { state in state.messages[state.head...].contains(where: isSuch) }
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
