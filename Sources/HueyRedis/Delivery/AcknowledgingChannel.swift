import Huey
import Logging
import Redis
import Synchronization

/// At-least-once delivery: a message moves, on the server and in one step, to keys of its consumer's own, and leaves them in the write that
/// stores what became of it. A consumer whose heartbeat stops loses what it held to the head of the queue.
///
/// Many messages that are there already are fetched and acknowledged in transactions, as batches (``HeldBatches``); single ones, and what has effects
/// beyond a result, in scripts, by a hash. Earlier releases have only the hash. Where one of them runs beside this one and takes over
/// from it, it returns what the hash holds; the batches wait for a consumer that knows them.
///
/// A consumer that was given up while it lived (it was stopped, or cut off) notices with its next script or transaction, writes nothing of
/// what it lost, and goes on in a new session. Where it is the server that has lost everything, the session goes on: what its tasks
/// come to is stored.
final class AcknowledgingChannel: DeliveryChannel {
    struct State {
        var session: Session
        /// Whether no session is to begin any more.
        var isClosed = false
        /// The number of the next message.
        var next = 1
        /// Whether the answer to a request for messages was lost: they may be held under the next numbers.
        var isUncertain = false
        /// The same of a batch: its slot.
        var uncertainSlot: Int?
        var batches = HeldBatches()
        /// Whether messages are known, on the server, that outlived their consumers: only the script recognizes them.
        var hasDeaths = false
        /// The server has lost all messages with lower numbers.
        var firstHeld = 0
        /// The highest number of a commit so far.
        var lastCommit = 0
        var lastHeartbeat: ContinuousClock.Instant
        /// Dead consumers of whom it was said that what they held cannot be taken over yet.
        var unrecovered: Set<String> = []

        /// Notes messages of a session as done with on the server.
        mutating func finish(_ numbers: [Int], of session: Session) {
            if self.session == session { batches.finish(numbers) }
        }

        /// Goes on with another session.
        mutating func begin(_ successor: Session) {
            session = successor
            (next, firstHeld) = (1, 0)
            (isUncertain, uncertainSlot, hasDeaths) = (false, nil, false)
            batches = HeldBatches()
            lastHeartbeat = .now
        }

        /// The slot for the next batch; nil where the script has to be asked for messages.
        var nextSlot: Int? { isUncertain || uncertainSlot != nil || hasDeaths ? nil : batches.freeSlot }
    }

    let storage: RedisStorage
    let options: DeliveryOptions
    let logger: Logger
    let leastBatch: Int
    let scripts: DeliveryScripts
    let state: Mutex<State>
    /// One of ``renew(after:)`` at a time.
    let renewal = AsyncLock()
    /// Fetches batches, and commits them: each waits for its own answers only.
    let fetches: GuardedConnection
    let commits: GuardedConnection
    private let listener: QueueChangeListener

    /// - Parameter leastBatch: from so many messages on they are asked for as a batch.
    init(storage: RedisStorage, options: DeliveryOptions, logger: Logger, leastBatch: Int = 32) {
        self.storage = storage
        self.leastBatch = leastBatch
        self.options = options
        self.logger = logger
        scripts = storage.queue.deliveryScripts
        listener = QueueChangeListener(client: storage.client)
        fetches = GuardedConnection(client: storage.client)
        commits = GuardedConnection(client: storage.client)
        state = Mutex(State(session: Session(index: 0), lastHeartbeat: .now))
    }

    var acknowledges: Bool { true }
    var isBlocking: Bool { storage.options.blocking }

    var keys: RedisKeys { storage.keys }
    /// The session that takes messages now.
    var session: Session { state.withLock { $0.session } }
    /// How often a heartbeat goes out.
    var heartbeatInterval: Duration { min(.seconds(1), options.lease / 6) }

    // MARK: messages

    /// The wait for messages where the server must not be asked to wait.
    private static let shortWait = Duration.milliseconds(20)

    func dequeue(upTo count: Int, wait: Duration) async throws -> [Delivery] {
        guard count > 0 else { return [] }
        if let batch = try await fetchBatch(count), !batch.isEmpty || wait == .zero { return batch }
        try await fetches.fence()
        let (session, first, isUncertain, slot, lastHeartbeat) = state.withLock {
            ($0.session, $0.next, $0.isUncertain, $0.uncertainSlot, $0.lastHeartbeat)
        }
        let keys: [RedisArgument] = [
            self.keys.queue, self.keys.held(session.name), self.keys.heartbeats, self.keys.deaths,
            self.keys.next(session.name), self.keys.batch(session.name, slot ?? HeldBatches.slots),
        ].map { .init($0) }
        let arguments: [RedisArgument] = [.init(session.name), .init(first), .init(count), isUncertain ? 1 : 0]
        let isSure = !isUncertain && slot == nil
        // Who has not been heard of for a while may have been given up: a blocking move does not ask. And what was taken before whose answer
        // was lost comes first, before a blocking move takes more.
        let mayWait = isBlocking && wait > .zero && isSure && lastHeartbeat.duration(to: .now) < options.lease / 3
        state.withLock { $0.isUncertain = true }
        let reply = try await take(keys, arguments, from: session, wait: mayWait ? wait : nil)
        guard let parts = reply.elements, parts.count == 3 else {
            _ = try await renew(after: session)
            return []
        }
        // Who asks for a wait asks again at once.
        if !mayWait, isBlocking, wait > .zero, Self.isEmpty(reply) {
            _ = await storage.popper.pause(for: Self.shortWait)
        }
        return state.withLock { state in
            // Given up meanwhile: others have it.
            guard state.session == session else { return [] }
            let deliveries = deliveries(parts[0], known: parts[1], from: first, session: session)
            state.next = first + deliveries.count
            // Only as many are answered as were asked for: more may be held under the numbers that follow.
            state.isUncertain = isUncertain && deliveries.count >= count
            state.uncertainSlot = deliveries.count >= count ? slot : nil
            state.hasDeaths = parts[2].integer == 1
            return deliveries
        }
    }

    private func take(
        _ keys: [RedisArgument],
        _ arguments: [RedisArgument],
        from session: Session,
        wait: Duration?
    ) async throws -> RedisReply {
        func look() async throws -> RedisReply {
            try await storage.client.eval(scripts.take, keys: keys, arguments: arguments)
        }
        guard let wait = wait.map({ max(.milliseconds(1), min($0, storage.options.readTimeout)) }) else {
            return try await look()
        }
        guard let queue = storage.queue.blockingMove else {
            return try await listen(for: wait) {
                try await listener.evaluate(scripts.take, keys: keys, arguments: arguments)
            }
        }
        var batch = RedisBatch()
        let next = RedisArgument(self.keys.next(session.name))
        batch.append("BLMOVE", .init(queue), next, "RIGHT", "LEFT", .init(wait.inSeconds))
        batch.evaluate(scripts.take, keys: keys, arguments: arguments)
        // Nil when it was interrupted before it began: what is there already is wanted nevertheless.
        guard let replies = try await storage.popper.execute(batch, blockingFor: wait), replies.count == 2 else {
            return try await look()
        }
        let taken = replies[1].error?.prefix == "NOSCRIPT" ? try await look() : try replies[1].get()
        // A server that is full moves nothing, but gives what there is.
        if Self.isEmpty(taken) { try replies[0].get() }
        return taken
    }

    private static func isEmpty(_ taken: RedisReply) -> Bool { taken.elements?.first?.elements?.isEmpty == true }

    /// Looks again whenever the queue has changed, where the server cannot move a message while we wait.
    private func listen(for limit: Duration, _ look: () async throws -> RedisReply) async throws -> RedisReply {
        let deadline = ContinuousClock.now + limit
        while true {
            let reply = try await look()
            let rest = ContinuousClock.now.duration(to: deadline)
            guard Self.isEmpty(reply) else {
                listener.rest()
                return reply
            }
            guard rest > .zero, await listener.wait(for: rest) != .interrupted else { return reply }
        }
    }

    private func deliveries(_ taken: RedisReply, known: RedisReply, from first: Int, session: Session) -> [Delivery] {
        var deliveries = taken.elements?.compactMap(\.bytes).enumerated().map { index, entry in
            var delivery = storage.queue.delivery(ofEntry: entry)
            delivery.receipt = Delivery.Receipt(session: session.index, number: first + index)
            return delivery
        }
        for death in known.elements?.compactMap(\.string) ?? [] {
            let words = death.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 3, let index = Int(words[0]), deliveries?.indices.contains(index) == true else {
                continue
            }
            // Whatever stands there, it came back at least once.
            deliveries?[index].redeliveries = max(1, Self.count(words[1]))
            deliveries?[index].deaths = Self.count(words[2])
        }
        return deliveries ?? []
    }

    /// A count as it stands on the server, where anybody could have written it: 0 for what is none, and no more than 32 bits.
    private static func count(_ word: Substring) -> Int { min(max(Int(word) ?? 0, 0), Int(Int32.max)) }

    func interruptDequeue() async {
        listener.interrupt()
        await storage.popper.interrupt()
    }

    /// Closes the connections that only this channel uses.
    func closeConnections() async {
        await listener.close()
        await fetches.close()
        await commits.close()
    }

    func noteStart(of delivery: Delivery) async throws {
        let session = session
        guard let receipt = delivery.receipt, receipt.session == session.index else { return }
        try await storage.client.eval(
            DeliveryScripts.start,
            keys: [.init(keys.heartbeats), .init(keys.held(session.name))],
            arguments: [.init(session.name), .init(receipt.number)]
        )
    }
}
