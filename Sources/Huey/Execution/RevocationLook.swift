import Synchronization

/// One look at the revocations of all messages of a block.
final class RevocationLook: Sendable {
    private struct State {
        /// What was found, by the place of the id, or of the name behind all ids. Nothing, mostly.
        var found: [Int: [UInt8]] = [:]
        var generation = 0
        /// When that was; nil before the first look.
        var readAt: ContinuousClock.Instant?
        /// From which place on it was looked again then.
        var first = 0
        /// Whether somebody is looking again.
        var isAsking = false

        func isFresh(_ place: Int, _ generation: Int, at now: ContinuousClock.Instant) -> Bool {
            guard let readAt, self.generation == generation, place >= first else { return false }
            return readAt.duration(to: now) < RevocationLook.freshness
        }
    }

    /// After this long somebody else may have revoked the task: the consumer looks again. It is longer than a batch of fast tasks takes, and
    /// behind a slow task no message waits that long: it goes back to the queue.
    private static let freshness = Duration.milliseconds(20)

    /// The ids of the messages, in order.
    let ids: TaskIDs
    /// The few names of tasks that they share.
    let names: [String]
    private let state = Mutex(State())
    private let firstLook = UnderWay()
    private let nextLook = UnderWay()

    /// - Parameter isBegun: whether somebody is about to look; whoever wants to know waits for that.
    init(_ ids: TaskIDs, _ names: [String], isBegun: Bool) {
        self.ids = ids
        self.names = names
        if isBegun { firstLook.begin() }
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
            state.first = place
            state.generation = generation
            state.readAt = .now
        }
    }

    /// Until when, and in which generation, none of the messages from a place on is revoked.
    struct Clearance {
        let generation: Int
        let first: Int
        let until: ContinuousClock.Instant
    }

    /// Nil where some are revoked, or nobody has looked.
    var clearance: Clearance? {
        state.withLock { state in
            guard let readAt = state.readAt, state.found.isEmpty else { return nil }
            let until = readAt.advanced(by: Self.freshness)
            return Clearance(generation: state.generation, first: state.first, until: until)
        }
    }

    /// Both values, unless something can have changed but by the hand of another process just now.
    private func fresh(_ place: Int, _ name: Int, generation: Int) -> (own: [UInt8]?, all: [UInt8]?)? {
        state.withLock { state in
            guard state.isFresh(place, generation, at: .now) else { return nil }
            return (state.found[place], state.found[ids.count + name])
        }
    }

    /// A message's revocation and its task's; read again, for this message and all behind it, where somebody may have changed them since.
    /// One looks at a time, and the others wait for that: what it finds is mostly theirs, too.
    ///
    /// - Throws: what `read` throws; `CancellationError`.
    nonisolated(nonsending) func values(
        _ place: Int,
        _ name: Int,
        generation: () -> Int,
        read: (_ ids: TaskIDs, _ names: [String]) async throws -> [Int: [UInt8]]
    ) async throws -> (own: [UInt8]?, all: [UInt8]?) {
        while true {
            let current = generation()
            if let values = fresh(place, name, generation: current) { return values }
            try Task.checkCancellation()
            guard beginAsking() else {
                await nextLook.wait()
                continue
            }
            defer {
                state.withLock { $0.isAsking = false }
                nextLook.end()
            }
            let found = try await read(ids.suffix(from: place), names)
            update(found, from: place, generation: current)
            return (found[0], found[ids.count - place + name])
        }
    }

    private func beginAsking() -> Bool {
        state.withLock { state in
            guard !state.isAsking else { return false }
            state.isAsking = true
            nextLook.begin()
            return true
        }
    }
}

/// Counts the changes that this process makes to revocations, and the times when others could.
final class RevocationGeneration: Sendable {
    private let value = Atomic(0)

    var current: Int { value.load(ordering: .acquiring) }

    func advance() { value.add(1, ordering: .acquiringAndReleasing) }
}
