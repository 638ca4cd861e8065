import Synchronization

/// One look at the revocations of a whole batch of messages.
package final class RevocationLook: Sendable {
    private struct State {
        /// The ids of the messages, in order, and the few names that they share.
        var ids = TaskIDs()
        var names: [String] = []
        /// What was found, by the place of the id, or of the name behind all ids. Nothing, mostly.
        var found: [Int: [UInt8]] = [:]
        var generation = 0
        /// When that was; nil before the first look.
        var readAt: ContinuousClock.Instant?

        func isFresh(_ generation: Int, at now: ContinuousClock.Instant) -> Bool {
            guard let readAt, self.generation == generation else { return false }
            return readAt.duration(to: now) < RevocationLook.freshness
        }
    }

    /// After this long somebody else may have revoked the task: the consumer looks again. It is longer than a batch of fast tasks takes, and
    /// behind a slow task no message waits that long: it goes back to the queue.
    private static let freshness = Duration.milliseconds(20)

    private let state = Mutex(State())
    private let firstLook = UnderWay()
    /// Messages that are looked up before they are decoded, the ids that they are likely to have, and the tasks that they may be of.
    let deliveries: [Delivery]
    private let guesses: TaskIDs
    let tasks: [RegisteredTask]

    init() {
        deliveries = []
        guesses = TaskIDs()
        tasks = []
    }

    /// A look at what is likely; it has begun.
    init(of deliveries: [Delivery], guessing ids: TaskIDs, of tasks: [RegisteredTask]) {
        self.deliveries = deliveries
        guesses = ids
        self.tasks = tasks
        begin(ids, tasks.map(\.name))
    }

    /// Whether the id at a place was guessed right.
    func guessed(_ id: UnsafeBufferPointer<UInt8>, at place: Int) -> Bool { guesses.holds(id, at: place) }

    /// Says whose revocations these are. Whoever gets that far waits until ``end()``.
    func begin(_ ids: TaskIDs, _ names: [String]) {
        state.withLock { state in
            state.ids = ids
            state.names = names
        }
        firstLook.begin()
    }

    /// The first look is over, whatever it found.
    func end() { firstLook.end() }

    /// Whether the first look is not over.
    var isUnderWay: Bool { firstLook.isAny }

    /// Returns once the first look is over.
    nonisolated(nonsending) func wait() async { await firstLook.wait() }

    /// Keeps what was found, by places from that of the first message that was asked for.
    func update(_ found: [Int: [UInt8]], from place: Int = 0, generation: Int) {
        state.withLock { state in
            if place == 0 {
                state.found = found
            } else {
                state.found = state.found.filter { $0.key < place }
                for (index, value) in found { state.found[index + place] = value }
            }
            state.generation = generation
            state.readAt = .now
        }
    }

    /// Whether both are not revoked, and that is known well enough.
    func isClear(_ place: Int, _ name: Int, generation: Int, at now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            guard state.isFresh(generation, at: now) else { return false }
            return state.found.isEmpty
                || state.found[place] == nil && state.found[state.ids.count + name] == nil
        }
    }

    /// Both values, unless something can have changed but by the hand of another process just now.
    func fresh(_ place: Int, _ name: Int, generation: Int) -> (own: [UInt8]?, all: [UInt8]?)? {
        state.withLock { state in
            guard state.isFresh(generation, at: .now) else { return nil }
            return (state.found[place], state.found[state.ids.count + name])
        }
    }

    func values(_ place: Int, _ name: Int) -> (own: [UInt8]?, all: [UInt8]?) {
        state.withLock { ($0.found[place], $0.found[$0.ids.count + name]) }
    }

    /// A message's id and those behind it, and all names.
    func subjects(from place: Int = 0) -> (ids: TaskIDs, names: [String]) {
        state.withLock { ($0.ids.suffix(from: place), $0.names) }
    }
}

/// Counts the changes that this process makes to revocations, and the times when others could.
final class RevocationGeneration: Sendable {
    private let value = Atomic(0)

    var current: Int { value.load(ordering: .acquiring) }

    func advance() { value.add(1, ordering: .acquiringAndReleasing) }
}
