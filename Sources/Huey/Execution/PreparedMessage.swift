import Logging
import Synchronization

/// A message that a consumer has decoded ahead.
final class PreparedMessage: Sendable {
    let message: Message
    private let look: RevocationLook
    /// Where the message's own revocation is among what was read, and its task's.
    private let place: Int
    private let taskPlace: Int

    init(message: Message, look: RevocationLook, place: Int, taskPlace: Int) {
        self.message = message
        self.look = look
        self.place = place
        self.taskPlace = taskPlace
    }

    /// The values of the message's revocation keys, as ``Huey/revocationKeys(of:)`` lists them; read again, for this message and all behind
    /// it, where somebody may have changed them since.
    ///
    /// - Throws: what `read` throws.
    func revocations(
        generation: Int,
        read: ([String]) async throws -> [[UInt8]?]
    ) async throws -> [[UInt8]?] {
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
    }

    /// After this long somebody else may have revoked the task: the consumer looks again. It is longer than a batch of fast tasks takes, and
    /// behind a slow task no message waits that long: it goes back to the queue.
    private static let shelfLife = Duration.milliseconds(20)

    /// One for each message, in order, then one for each of the few names that they share.
    private let keys: [String]
    private let state: Mutex<State>

    init(keys: [String], values: [[UInt8]?], generation: Int) {
        self.keys = keys
        state = Mutex(State(values: values, generation: generation))
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
            state.values.replaceSubrange(place..., with: values)
            state.generation = generation
            state.readAt = .now
        }
    }
}

/// Counts the changes that this process makes to revocations, and the times when others could.
final class RevocationGeneration: Sendable {
    private let value = Atomic(0)

    var current: Int { value.load(ordering: .acquiring) }

    func advance() { value.add(1, ordering: .acquiringAndReleasing) }
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
        let messages = deliveries.map { try? deserializeResolved($0.data) }
        var keys: [String] = []
        keys.reserveCapacity(messages.count + 4)
        var places: [String: Int] = [:]
        for case let message? in messages {
            keys.append(message.revocationKey)
            places[message.name] = 0
        }
        for name in places.keys {
            places[name] = keys.count
            keys.append(Self.revocationKey(task: name))
        }
        guard let values = try? await storage.peekMany(keys), values.count == keys.count else { return deliveries }
        let look = RevocationLook(keys: keys, values: values, generation: generation)
        var prepared = deliveries
        var place = 0
        for (index, message) in messages.enumerated() {
            guard let message, let taskPlace = places[message.name] else { continue }
            prepared[index].prepared = PreparedMessage(message: message, look: look, place: place, taskPlace: taskPlace)
            place += 1
        }
        return prepared
    }
}
