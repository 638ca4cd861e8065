import Logging
import Synchronization

/// A message as a consumer has decoded it, ahead of its turn where it came in a batch.
final class PreparedMessage: Sendable {
    let message: Message
    /// The task that it calls, if one is registered here.
    let task: RegisteredTask?
    /// Whether nothing is to be decided before or after its task but its revocation: no time that may have come or gone, no limit, and
    /// nothing behind it.
    let isPlain: Bool
    /// Where the message's revocations were looked up; nil where nobody has looked.
    private let look: RevocationLook?
    /// Where the message's own revocation is among what was read, and its task's.
    private let place: Int
    private let taskPlace: Int

    init(_ message: Message, of task: RegisteredTask?, look: RevocationLook? = nil, place: Int = 0, taskPlace: Int = 0) {
        self.message = message
        self.task = task
        self.look = look
        self.place = place
        self.taskPlace = taskPlace
        isPlain =
            message.eta == nil && message.expiresResolved == nil && message.timeout?.isTrue != true
            && message.onComplete == nil && message.onError == nil && message.chord == nil
            && message.uniqueRelease == nil && task.map { !$0.isPeriodic } == true
    }

    /// Whether nobody has revoked the message or its task, as far as is known without asking.
    func isKnownToRun(generation: Int, at now: ContinuousClock.Instant) -> Bool {
        look?.isClear(place, taskPlace, generation: generation, at: now) == true
    }

    /// The values of the message's revocation keys, as ``Huey/revocationKeys(of:)`` lists them; read again, for this message and all behind
    /// it, where somebody may have changed them since.
    ///
    /// - Throws: what `read` throws.
    func revocations(
        generation: Int,
        read: ([String]) async throws -> [[UInt8]?]
    ) async throws -> [[UInt8]?] {
        guard let look else { return try await read(Huey.revocationKeys(of: message)) }
        if let values = look.fresh(place, taskPlace, generation: generation) { return values }
        let values = try await read(look.keys(from: place))
        look.update(values, from: place, generation: generation)
        return look.values(place, taskPlace)
    }
}

/// One look at the revocations of a whole batch.
final class RevocationLook: Sendable {
    private struct State {
        var values: [[UInt8]?]
        var generation: Int
        var readAt = ContinuousClock.now
        /// Whether nothing at all is revoked.
        var isClear: Bool

        init(_ values: [[UInt8]?], generation: Int) {
            self.values = values
            self.generation = generation
            isClear = values.allSatisfy { $0 == nil }
        }
    }

    /// After this long somebody else may have revoked the task: the consumer looks again. It is longer than a batch of fast tasks takes, and
    /// behind a slow task no message waits that long: it goes back to the queue.
    private static let shelfLife = Duration.milliseconds(20)

    /// One for each message, in order, then one for each of the few names that they share.
    private let keys: [String]
    private let state: Mutex<State>

    init(keys: [String], values: [[UInt8]?], generation: Int) {
        self.keys = keys
        state = Mutex(State(values, generation: generation))
    }

    /// Whether both values are nil, and known well enough.
    func isClear(_ place: Int, _ taskPlace: Int, generation: Int, at now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            guard state.generation == generation, state.readAt.duration(to: now) < Self.shelfLife else { return false }
            return state.isClear || state.values[place] == nil && state.values[taskPlace] == nil
        }
    }

    /// Both values, unless something can have changed but by the hand of another process just now.
    func fresh(_ place: Int, _ taskPlace: Int, generation: Int) -> [[UInt8]?]? {
        state.withLock { state in
            guard state.generation == generation, state.readAt.duration(to: .now) < Self.shelfLife else { return nil }
            return [state.values[place], state.values[taskPlace]]
        }
    }

    func values(_ place: Int, _ taskPlace: Int) -> [[UInt8]?] {
        state.withLock { [$0.values[place], $0.values[taskPlace]] }
    }

    func keys(from place: Int) -> [String] { Array(keys[place...]) }

    func update(_ values: [[UInt8]?], from place: Int, generation: Int) {
        guard values.count == keys.count - place else { return }
        state.withLock { state in
            var all = state.values
            all.replaceSubrange(place..., with: values)
            state = State(all, generation: generation)
        }
    }
}

/// Counts the changes that this process makes to revocations, and the times when others could.
final class RevocationGeneration: Sendable {
    private let value = Atomic(0)

    var current: Int { value.load(ordering: .acquiring) }

    func advance() { value.add(1, ordering: .acquiringAndReleasing) }
}

/// Decodes messages one after the other. Most are of the same task as the one before, which is looked up once.
private struct MessageReader {
    let huey: Huey
    private var name = ""
    private var task: RegisteredTask?

    init(_ huey: Huey) { self.huey = huey }

    mutating func read(_ data: [UInt8]) throws -> (message: Message, task: RegisteredTask?) {
        var message = try Message(pickle: huey.serializer.deserialize(data), likely: name)
        if message.name != name {
            name = message.name
            task = huey.registry.task(named: name)
        }
        huey.resolve(&message, task)
        return (message, task)
    }
}

extension Huey {
    static func revocationKeys(of message: Message) -> [String] {
        [message.revocationKey, revocationKey(task: message.name)]
    }

    /// Decodes a batch and looks at the revocations of all of it at once. What cannot be decoded, and everything when the storage does
    /// not answer, is left to whoever runs the message.
    package func prepare(_ deliveries: [Delivery]) async -> [Delivery] {
        guard deliveries.count > 1 else { return deliveries }
        let generation = revocationGeneration.current
        var reader = MessageReader(self)
        var messages: [(message: Message, task: RegisteredTask?)?] = []
        var keys: [String] = []
        messages.reserveCapacity(deliveries.count)
        keys.reserveCapacity(deliveries.count + 4)
        // Few names occur, and those that are alike follow each other.
        var places: [String: Int] = [:]
        var last = ""
        for delivery in deliveries {
            let read = try? reader.read(delivery.data)
            messages.append(read)
            guard let message = read?.message else { continue }
            keys.append(message.revocationKey)
            if message.name != last {
                last = message.name
                places[last] = 0
            }
        }
        for name in places.keys {
            places[name] = keys.count
            keys.append(Self.revocationKey(task: name))
        }
        guard let values = try? await storage.peekMany(keys), values.count == keys.count else { return deliveries }
        let look = RevocationLook(keys: keys, values: values, generation: generation)
        var prepared = deliveries
        var place = 0
        var taskPlace = 0
        last = ""
        for index in messages.indices {
            guard let (message, task) = messages[index] else { continue }
            if message.name != last {
                last = message.name
                taskPlace = places[last] ?? 0
            }
            prepared[index].prepared =
                PreparedMessage(message, of: task, look: look, place: place, taskPlace: taskPlace)
            place += 1
        }
        return prepared
    }
}
