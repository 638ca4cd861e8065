import Huey
import Redis

/// Settlements that are written together: in one transaction where all of it are plain results of messages that lie in batches, else in one script.
struct CommitPlan {
    /// How many plans one commit may be split into.
    static let partsPerNumber = 1 << 20
    /// Lua's stack bounds how many words a command of a script may have.
    private static let mostEffects = 1000
    /// From so many plain results on they are worth a write of their own.
    private static let worthwhile = 64

    private let settlements: ArraySlice<Settlement>
    /// What they bring about as a script's commands; nil for nothing but results.
    private let effects: RedisBatch?
    private let session: Session
    private let storage: RedisStorage
    /// The numbers of the messages that are done with.
    let numbers: [Int]
    /// Those of them that were delivered before.
    private let again: [Int]

    /// The settlements in groups that are small enough, none of them divided. It is the same for the same settlements, so that each group has the
    /// same number when it is tried again.
    static func split(_ settlements: [Settlement]) -> [ArraySlice<Settlement>] {
        var parts: [ArraySlice<Settlement>] = []
        var start = 0
        var weight = 0
        var isPlain = true
        for (index, settlement) in settlements.enumerated() {
            let own = 1 + settlement.effects.reduce(0) { $0 + $1.weight }
            let isOther = isPlain != settlement.isPlain && (isPlain ? weight : own) >= worthwhile
            if index > start, isOther || weight + own > mostEffects {
                parts.append(settlements[start..<index])
                (start, weight) = (index, 0)
            }
            isPlain = index == start ? settlement.isPlain : isPlain && settlement.isPlain
            weight += own
        }
        if start < settlements.count { parts.append(settlements[start...]) }
        return parts
    }

    /// - Throws: ``HueyError`` for an effect that cannot be written.
    init(_ settlements: ArraySlice<Settlement>, session: Session, storage: RedisStorage) throws {
        self.settlements = settlements
        self.session = session
        self.storage = storage
        effects = try settlements.allSatisfy(\.isPlain) ? nil : Self.commands(settlements, storage)
        var numbers: [Int] = []
        var again: [Int] = []
        func add(_ delivery: Delivery?) {
            guard let delivery, let receipt = delivery.receipt else { return }
            numbers.append(receipt.number)
            if delivery.redeliveries > 0 { again.append(receipt.number) }
        }
        for settlement in settlements {
            for case .complete(let tasks) in settlement.effects { tasks.deliveries.forEach(add) }
            if settlement.isFinal { add(settlement.delivery) }
        }
        self.numbers = numbers
        self.again = again
    }

    private var keys: RedisKeys { storage.keys }

    private static func commands(_ settlements: ArraySlice<Settlement>, _ storage: RedisStorage) throws -> RedisBatch {
        var commands = RedisBatch.forScript(reservingCapacity: 512)
        try write(settlements, to: &commands, storage)
        return commands
    }

    private static func write(
        _ settlements: ArraySlice<Settlement>,
        to commands: inout RedisBatch,
        _ storage: RedisStorage
    ) throws {
        var merged = MergedEffects()
        for settlement in settlements {
            for effect in settlement.effects { try merged.add(effect) }
        }
        try merged.write(to: &commands, for: storage)
    }

    private func write(_ acknowledgements: [HeldBatches.Acknowledgement], to commands: inout RedisBatch) {
        for one in acknowledgements { one.write(to: &commands, keys, session.name, storage.queue) }
    }

    /// Writes it in a transaction.
    ///
    /// - Returns: nil where that is not to be had: then nothing was written.
    /// - Throws: the server's error for a command, after the others were carried out; the connection's error.
    func commit(_ number: Int, _ held: HeldBatches, on connection: GuardedConnection) async throws -> CommitAnswer? {
        // What is held one by one is guarded by the heartbeat, which only a script can look at.
        let (acknowledgements, others) = held.acknowledgements(of: numbers)
        guard others.isEmpty, effects == nil else { return nil }
        let outcome = try await connection.transaction(while: keys.alive(session.name)) { batch in
            try Self.write(settlements, to: &batch, storage)
            write(acknowledgements, to: &batch)
            batch.append("HSET", .init(keys.held(session.name)), "c", .init(number))
        }
        switch outcome {
        case .refused: return nil
        case .over: return .over
        case .done(let results):
            if let error = results.firstError { throw RedisError(error.code, error.message, mayHaveExecuted: true) }
            return .written
        }
    }

    /// Writes it in a script.
    ///
    /// - Throws: the server's error for a command, behind which nothing was carried out; the connection's error.
    func commit(_ number: Int, _ held: HeldBatches) async throws -> CommitAnswer {
        let (acknowledgements, others) = held.acknowledgements(of: numbers)
        var commands = try effects ?? Self.commands(settlements, storage)
        write(acknowledgements, to: &commands)
        let returned = Set(again)
        let single = others.filter { !returned.contains($0) } + again
        let counts = [number, single.count, again.count]
        let reply = try await storage.client.evaluate(
            DeliveryScripts.commit,
            keys: [keys.heartbeats, keys.held(session.name), keys.deaths, keys.alive(session.name)].map { .init($0) },
            arguments: [.init(session.name)] + (counts + single).map { .init($0) },
            commands: commands
        )
        return reply.integer == -1 ? .over : .written
    }
}

/// What became of a ``CommitPlan``.
enum CommitAnswer {
    /// It is written, now or before.
    case written
    /// Nothing was: the session is over.
    case over
}

extension Settlement {
    /// Whether it is nothing but results.
    fileprivate var isPlain: Bool {
        delivery == nil && effects.allSatisfy { if case .complete = $0 { true } else { false } }
    }
}

extension StorageEffect {
    /// How many commands, or words of merged commands, it comes to.
    fileprivate var weight: Int {
        if case .complete(let tasks) = self { tasks.count } else { 1 }
    }
}
