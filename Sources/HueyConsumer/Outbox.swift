import Huey
import Synchronization

/// What one worker's tasks have brought about and is not written yet: it lies where the committer, and nobody else, comes for it.
final class Outbox: GatheringSink {
    private enum Bound {
        /// So many bytes count as one effect more.
        static let bytes = 4096
        /// The committer is told of so many effects at once.
        static let share = 64
        /// So long a finished task waits for others to be written with, while its worker goes on with the next.
        static let age = Duration.milliseconds(1)
    }

    /// A settlement, and where it stands among all workers' settlements.
    typealias Ordered = (order: Int, settlement: Settlement)

    private struct State {
        var pending: [Ordered] = []
        /// Tasks that came to their ends since then: the last settlement to be.
        var completions = Completions()
        var order = 0
        /// How many effects the committer has not been told of, and since when there is one.
        var unnoted = 0
        var oldest = ContinuousClock.now

        var isEmpty: Bool { pending.isEmpty && completions.count == 0 }

        mutating func seal() {
            guard completions.count > 0 else { return }
            pending.append((order, Settlement(of: nil, [.complete(completions)], isFinal: true)))
            completions = Completions(likely: completions)
        }
    }

    private let state = Mutex(State())
    private let committer: Committer

    init(_ committer: Committer) { self.committer = committer }

    var acknowledges: Bool { committer.acknowledges }

    var isEmpty: Bool { state.withLock { $0.isEmpty } }

    /// Takes all that is here.
    func take() -> [Ordered] {
        state.withLock { state in
            state.seal()
            defer { (state.pending, state.unnoted) = ([], 0) }
            return state.pending
        }
    }

    func submit(_ settlement: Settlement) async throws {
        // There is nothing to acknowledge where messages are gone once they are handed out.
        guard acknowledges || !settlement.effects.isEmpty else { return }
        let order = committer.nextOrder()
        let weight = state.withLock { state in
            state.seal()
            state.pending.append((order, settlement))
            defer { state.unnoted = 0 }
            return state.unnoted + max(1, settlement.effects.count)
        }
        if committer.note(weight, at: .now) { try await flush() }
    }

    func complete(
        _ id: UnsafeBufferPointer<UInt8>,
        _ value: UnsafeBufferPointer<UInt8>?,
        of message: (block: MessageBlock, place: Int),
        at now: ContinuousClock.Instant
    ) -> Bool {
        let weight = state.withLock { state in
            if state.completions.count == 0 { state.order = committer.nextOrder() }
            state.completions.append(id, value, of: message.block, at: message.place)
            if state.unnoted == 0 { state.oldest = now }
            // Its message is held until then.
            let size = message.block.size(at: message.place) + (value?.count ?? 0)
            state.unnoted += 1 + size / Bound.bytes
            guard state.unnoted >= Bound.share || state.oldest.duration(to: now) >= Bound.age else { return 0 }
            defer { state.unnoted = 0 }
            return state.unnoted
        }
        return weight > 0 && committer.note(weight, at: now)
    }

    func writeSoon() { committer.writeSoon() }

    func flush() async throws { try await committer.flush() }

    func count(_ report: ChordReport, of delivery: Delivery) async throws -> ChordProgress {
        try await committer.channel.count(report, of: delivery)
    }

    func noteStart(of delivery: Delivery) async throws { try await committer.channel.noteStart(of: delivery) }
}
