import Logging
import Synchronization

/// A message that a consumer has decoded ahead, with what was stored about its revocation then: one look for a whole batch.
struct PreparedMessage: Sendable {
    let message: Message
    /// The values of the message's revocation keys, as ``Huey/revocationKeys(of:)`` lists them.
    let revocations: [[UInt8]?]
    private let readAt: ContinuousClock.Instant
    private let generation: Int

    /// After this long somebody else may have revoked the task: the consumer looks again.
    private static let shelfLife = Duration.milliseconds(1)

    init(message: Message, revocations: [[UInt8]?], generation: Int) {
        self.message = message
        self.revocations = revocations
        self.generation = generation
        readAt = .now
    }

    /// Whether nothing can have changed since but by the hand of another process, just now.
    func isFresh(generation current: Int) -> Bool {
        generation == current && readAt.duration(to: .now) < Self.shelfLife
    }
}

/// Counts the changes that this process makes to revocations.
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
        let keys = messages.map { $0.map(Self.revocationKeys) ?? [] }
        guard let values = try? await storage.peekMany(keys.flatMap { $0 }) else { return deliveries }
        var prepared = deliveries
        var position = 0
        for (index, message) in messages.enumerated() {
            let count = keys[index].count
            guard let message, position + count <= values.count else { continue }
            prepared[index].prepared = PreparedMessage(
                message: message,
                revocations: Array(values[position..<position + count]),
                generation: generation
            )
            position += count
        }
        return prepared
    }
}
