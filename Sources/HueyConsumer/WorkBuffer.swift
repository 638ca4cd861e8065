import DequeModule
import Huey
import Synchronization

/// Messages on their way from the queue to idle workers, and the idle workers that wait for them.
///
/// Messages come in blocks, from which workers claim one after the other; the fetcher is told how many are wanted. A message is claimed or
/// given back, never both. Where tasks are over in no time, few workers are woken and claim one message after the other.
final class WorkBuffer: Sendable {
    /// A message that is claimed for a worker, and the block that it claims further ones from.
    struct Work: Sendable {
        let block: MessageBlock
        let place: Int
        /// Whether nothing waits behind the block.
        let isLast: Bool
    }

    private struct State {
        var blocks = Deque<MessageBlock>()
        var idle: [CheckedContinuation<Work?, Never>] = []
        var fetcher: CheckedContinuation<Demand, Never>?
        /// At how many waiting messages the fetcher wants to hear of it, before any worker is idle.
        var lowWater = -1
        var isStopped = false
        /// What nobody had claimed when it was stopped.
        var left: [Delivery] = []

        /// Takes what nobody has claimed.
        mutating func reclaim() -> [Delivery] {
            defer { (blocks, left) = ([], []) }
            return left + blocks.flatMap { $0.reclaim() }
        }

        /// How many messages wait for a worker.
        var backlog: Int { blocks.reduce(0) { $0 + $1.remaining } }

        /// Whether workers wait and there is nothing for them.
        var isStarving: Bool { !idle.isEmpty && backlog == 0 }

        /// Claims the next message.
        mutating func claim() -> Work? {
            while let block = blocks.first {
                if let place = block.claim() { return Work(block: block, place: place, isLast: blocks.count == 1) }
                blocks.removeFirst()
            }
            return nil
        }

        /// Wakes workers for messages, but leaves so many idle.
        mutating func handOut(leavingIdle rest: Int) -> [(CheckedContinuation<Work?, Never>, Work)] {
            var handouts: [(CheckedContinuation<Work?, Never>, Work)] = []
            // The last to become idle first: what it works with may still be in its processor's cache.
            while idle.count > rest, let work = claim(), let worker = idle.popLast() { handouts.append((worker, work)) }
            return handouts
        }

        /// Whoever takes a block is soon done with it: the fetcher, where it wants to hear of what is left behind it.
        mutating func takeFetcher(behind block: MessageBlock) -> (CheckedContinuation<Demand, Never>, Demand)? {
            guard let fetcher else { return nil }
            let left = backlog - block.remaining
            let demand: Demand
            if left <= lowWater {
                demand = .low
            } else if left == 0, !idle.isEmpty {
                demand = .workers(idle.count)
            } else {
                return nil
            }
            self.fetcher = nil
            return (fetcher, demand)
        }
    }

    private let state = Mutex(State())
    private let stopped = Gate()

    /// The next message, if there is one now.
    func take() -> Work? {
        let (work, fetcher) = state.withLock { state -> (Work?, (CheckedContinuation<Demand, Never>, Demand)?) in
            guard !state.isStopped, let work = state.claim() else { return (nil, nil) }
            return (work, state.takeFetcher(behind: work.block))
        }
        if let (fetcher, demand) = fetcher { fetcher.resume(returning: demand) }
        return work
    }

    /// The next message, waited for; nil when the consumer stops.
    func next() async -> Work? {
        await withCheckedContinuation { continuation in
            let (work, isDone, fetcher) = state.withLock {
                state -> (Work?, Bool, (CheckedContinuation<Demand, Never>, Int)?) in
                if let work = state.isStopped ? nil : state.claim() { return (work, true, nil) }
                if state.isStopped { return (nil, true, nil) }
                state.idle.append(continuation)
                guard let fetcher = state.fetcher else { return (nil, false, nil) }
                state.fetcher = nil
                return (nil, false, (fetcher, state.idle.count))
            }
            if isDone { continuation.resume(returning: work) }
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

    /// Hands messages out; what no worker can take now stays for the next to become idle.
    ///
    /// - Parameters:
    ///   - rest: how many workers are left idle, though there may be messages for them.
    ///   - isWanted: asked while nobody can look into the buffer; where it says no, they come too late.
    /// - Returns: whether they came in time; otherwise they are the caller's.
    func supply(
        _ block: MessageBlock,
        leavingIdle rest: Int = 0,
        if isWanted: (MessageBlock) -> Bool = { _ in true }
    ) -> Bool {
        let handouts = state.withLock { state -> [(CheckedContinuation<Work?, Never>, Work)]? in
            guard !state.isStopped, isWanted(block) else { return nil }
            // Where nobody is at work on what waited, somebody must be woken.
            let rest = state.backlog == 0 ? min(rest, max(0, state.idle.count - 1)) : rest
            state.blocks.append(block)
            return state.handOut(leavingIdle: rest)
        }
        for (worker, work) in handouts ?? [] { worker.resume(returning: work) }
        return handouts != nil
    }

    /// Takes back what no worker has claimed, next first.
    func reclaim() -> [Delivery] {
        let (unstarted, fetcher, idle) = state.withLock { state in
            let unstarted = state.reclaim()
            let fetcher = state.isStarving ? state.fetcher : nil
            if fetcher != nil { state.fetcher = nil }
            return (unstarted, fetcher, state.idle.count)
        }
        fetcher?.resume(returning: .workers(idle))
        return unstarted
    }

    /// No message is handed out any more; every idle worker and the fetcher are told. What was not started can be reclaimed.
    func stop() {
        let (idle, fetcher) = state.withLock { state in
            state.isStopped = true
            state.left = state.reclaim()
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

    /// Whether a message waits for a worker that comes behind one of this priority in the queue.
    func holds(below priority: Double) -> Bool {
        state.withLock { $0.blocks.contains { $0.holds(below: priority) } }
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
