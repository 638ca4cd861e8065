import Huey
import Synchronization

/// What a consumer has taken lies in the file still, under the consumer's session, until the change that writes its outcome.
final class OneFileChannel: DeliveryChannel {
    private let storage: OneFileStorage
    private let lease: Duration
    /// Nil before the beginning and after the end.
    private let session = Mutex<Int?>(nil)

    init(storage: OneFileStorage, lease: Duration) { (self.storage, self.lease) = (storage, lease) }

    var acknowledges: Bool { true }
    var isBlocking: Bool { false }

    func open() async throws {
        let new = try await storage.change { contents in
            let session = contents.nextNumber()
            contents.sessions[session] = .init()
            return session
        }
        session.withLock { $0 = new }
    }

    /// Sends heartbeats. A session whose heartbeat stands still for the lease, by this process's clock, is given up.
    func run() async {
        var seen: [Int: (heartbeat: Int, since: ContinuousClock.Instant)] = [:]
        while (try? await Task.sleep(for: lease / 5)) != nil {
            let session = session.withLock { $0 } ?? 0
            let heartbeats = try? await storage.change { contents in
                contents.sessions[session]?.heartbeat += 1
                return contents.sessions.mapValues(\.heartbeat)
            }
            seen = seen.filter { heartbeats?[$0.key] == $0.value.heartbeat }
            for (other, heartbeat) in heartbeats ?? [:] where seen[other] == nil { seen[other] = (heartbeat, .now) }
            for (other, look) in seen where other != session && look.since.duration(to: .now) >= lease {
                try? await storage.change { contents in
                    if contents.sessions[other]?.heartbeat == look.heartbeat { contents.end(other, isDeath: true) }
                }
            }
        }
    }

    func close() async {
        guard let session = session.withLock({ $0.take() }) else { return }
        try? await storage.change { $0.end(session, isDeath: false) }
    }

    func dequeue(upTo count: Int, wait: Duration) async throws -> [Delivery] {
        guard let session = session.withLock({ $0 }) else { return [] }
        let taken = try await storage.change { contents -> [FileContents.Entry]? in
            guard contents.sessions[session] != nil else { return nil }
            let taken = contents.take(count)
            for entry in taken { contents.sessions[session]?.held[entry.order] = entry }
            return taken
        }
        // Others have taken this consumer for dead: it goes on in a new session.
        guard let taken else { try await open(); return [] }
        return taken.map { entry in
            var delivery = Delivery(data: Array(entry.data))
            delivery.receipt = .init(session: session, number: entry.order)
            (delivery.redeliveries, delivery.deaths) = (entry.redeliveries, entry.deaths)
            return delivery
        }
    }

    func interruptDequeue() async {}

    func giveBack(_ deliveries: [Delivery]) async throws {
        try await storage.change { contents in
            for receipt in deliveries.compactMap(\.receipt) {
                guard let entry = contents.sessions[receipt.session]?.held.removeValue(forKey: receipt.number) else {
                    continue
                }
                contents.queue.append(entry)
            }
        }
    }

    func noteStart(of delivery: Delivery) async throws {
        guard let receipt = delivery.receipt else { return }
        try await storage.change { $0.sessions[receipt.session]?.held[receipt.number]?.isStarted = true }
    }

    func commit(_ settlements: [Settlement], number: Int) async throws {
        guard let session = session.withLock({ $0 }) else { return }
        try await storage.change { contents in
            // A session that is over writes nothing, and none writes the same twice.
            guard let last = contents.sessions[session]?.lastCommit, last < number else { return }
            contents.sessions[session]?.lastCommit = number
            for settlement in settlements.flatMap(\.single) {
                if let delivery = settlement.delivery {
                    let number = delivery.receipt?.session == session ? delivery.receipt?.number : nil
                    guard let number, contents.sessions[session]?.held[number] != nil else { continue }
                    if settlement.isFinal { contents.sessions[session]?.held[number] = nil }
                }
                for effect in settlement.effects { try contents.apply(effect) }
            }
        }
    }

    func count(_ report: ChordReport, of delivery: Delivery) async throws -> ChordProgress {
        guard let receipt = delivery.receipt else { return .lost }
        return try await storage.change { contents in
            guard contents.sessions[receipt.session]?.held[receipt.number] != nil else {
                return contents.values[report.key] == nil ? .lost : .counted
            }
            if contents.counters[report.counterKey, default: 0] + 1 >= report.size { return .last }
            _ = contents.add(1, to: report.counterKey)
            let value = StorageEffect.put(report.value, key: report.key, isResult: true)
            for effect in [value] + report.others { try contents.apply(effect) }
            contents.sessions[receipt.session]?.held[receipt.number] = nil
            return .counted
        }
    }
}
