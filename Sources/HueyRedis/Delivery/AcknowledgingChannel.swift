import Huey
import Logging
import Redis
import Synchronization

/// At-least-once delivery: a message moves, on the server and in one step, into a hash of its consumer's own, and leaves it in the write that
/// stores what became of it. A consumer whose heartbeat stops loses what it held to the head of the queue.
///
/// A consumer that was given up while it lived (it was stopped, or cut off) notices with its next script, writes nothing of what it
/// lost, and goes on in a new session.
final class AcknowledgingChannel: DeliveryChannel {
    struct State {
        var session: Session
        /// Whether another session is about to begin.
        var isRenewing = false
        /// Whether no session is to begin any more.
        var isClosed = false
        /// The number of the next message.
        var next = 1
        /// Whether the answer to a request for messages was lost: they may be held under the next numbers.
        var isUncertain = false
        var lastHeartbeat: ContinuousClock.Instant
        /// Dead consumers of whom it was said that what they held cannot be taken over yet.
        var unrecovered: Set<String> = []
    }

    let storage: RedisStorage
    let options: DeliveryOptions
    let logger: Logger
    let scripts: DeliveryScripts
    let state: Mutex<State>
    private let listener: QueueChangeListener

    init(storage: RedisStorage, options: DeliveryOptions, logger: Logger) {
        self.storage = storage
        self.options = options
        self.logger = logger
        scripts = storage.queue.deliveryScripts
        listener = QueueChangeListener(client: storage.client)
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
        let (session, first, isUncertain, lastHeartbeat) = state.withLock {
            ($0.session, $0.next, $0.isUncertain, $0.lastHeartbeat)
        }
        let keys: [RedisArgument] = [
            self.keys.queue, self.keys.held(session.name), self.keys.heartbeats, self.keys.deaths,
            self.keys.next(session.name),
        ].map { .init($0) }
        let arguments: [RedisArgument] = [.init(session.name), .init(first), .init(count), isUncertain ? 1 : 0]
        // Who has not been heard of for a while may have been given up: a blocking move does not ask. And what was taken before whose answer
        // was lost comes first, before a blocking move takes more.
        let mayWait = isBlocking && wait > .zero && !isUncertain && lastHeartbeat.duration(to: .now) < options.lease / 3
        state.withLock { $0.isUncertain = true }
        let reply = try await take(keys, arguments, from: session, wait: mayWait ? wait : nil)
        guard let parts = reply.elements, parts.count == 2 else {
            try await renew(after: session)
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
            var delivery = Delivery(data: storage.queue.message(ofEntry: entry))
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
    func closeConnections() async { await listener.close() }

    /// The numbers of those that this session holds; the others belong to somebody else by now.
    func numbers(_ deliveries: [Delivery], of session: Session) -> [Int] {
        deliveries.compactMap { $0.receipt?.session == session.index ? $0.receipt?.number : nil }
    }

    func giveBack(_ deliveries: [Delivery]) async throws {
        let session = session
        let numbers = numbers(deliveries, of: session)
        guard !numbers.isEmpty else { return }
        let reply = try await storage.client.eval(
            scripts.giveBack,
            keys: [.init(keys.queue), .init(keys.held(session.name)), .init(keys.heartbeats)],
            arguments: [.init(session.name)] + numbers.map { .init($0) }
        )
        if reply.integer == -1 { try await renew(after: session) }
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
