import Huey
import Redis

/// Settlements that are written together, in one script.
struct CommitPlan {
    /// How many plans one commit may be split into.
    static let partsPerNumber = 1 << 20
    /// Lua's stack bounds how many words a command of a script may have.
    private static let mostEffects = 1000

    private let storage: RedisStorage
    private let keys: [RedisArgument]
    private let arguments: [RedisArgument]
    private let commands: RedisBatch

    /// The settlements in groups that are small enough, none of them divided.
    static func split(_ settlements: [Settlement]) -> [ArraySlice<Settlement>] {
        var parts: [ArraySlice<Settlement>] = []
        var start = 0
        var weight = 0
        for (index, settlement) in settlements.enumerated() {
            let own = 1 + settlement.effects.reduce(0) { $0 + $1.weight }
            if weight + own > mostEffects, index > start {
                parts.append(settlements[start..<index])
                (start, weight) = (index, 0)
            }
            weight += own
        }
        if start < settlements.count { parts.append(settlements[start...]) }
        return parts
    }

    /// - Throws: ``HueyError`` for an effect that cannot be written.
    init(_ settlements: ArraySlice<Settlement>, session: Session, number: Int, storage: RedisStorage) throws {
        self.storage = storage
        var merged = MergedEffects()
        var once: [Int] = []
        var again: [Int] = []
        for settlement in settlements {
            for effect in settlement.effects {
                try merged.add(effect)
                if case .complete(let tasks) = effect { once += tasks.deliveries.compactMap { $0.receipt?.number } }
            }
            guard settlement.isFinal, let delivery = settlement.delivery, let receipt = delivery.receipt else {
                continue
            }
            if delivery.redeliveries > 0 {
                again.append(receipt.number)
            } else {
                once.append(receipt.number)
            }
        }
        var commands = RedisBatch.forScript(reservingCapacity: 512)
        try merged.write(to: &commands, for: storage)
        self.commands = commands
        keys = [storage.keys.heartbeats, storage.keys.held(session.name), storage.keys.deaths].map { .init($0) }
        var arguments: [RedisArgument] = []
        arguments.reserveCapacity(4 + once.count + again.count)
        arguments += [.init(session.name), .init(number), .init(once.count + again.count), .init(again.count)]
        for number in once { arguments.append(.init(number)) }
        for number in again { arguments.append(.init(number)) }
        self.arguments = arguments
    }

    /// What the script answers: 1, 0 when it was done before, -1 when the session is over.
    func carryOut() async throws -> Int {
        let reply = try await storage.client.evaluate(
            DeliveryScripts.commit,
            keys: keys,
            arguments: arguments,
            commands: commands
        )
        return reply.integer ?? 1
    }
}

extension StorageEffect {
    /// How many commands, or words of merged commands, it comes to.
    fileprivate var weight: Int {
        if case .complete(let tasks) = self { tasks.count } else { 1 }
    }
}
