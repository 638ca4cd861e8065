import Huey
import Pickle
import Redis
import TestSupport
import Testing

@testable import HueyRedis

/// Who is charged with the deaths of schedulers.
@Suite("A schedule of which schedulers die")
struct PromotionTests {
    private struct Died: Error {}
    private let moment = PickleDateTime(year: 2020, month: 1, day: 1)

    /// Looks once; dies of `poison` as a process does: nothing that comes behind is done.
    private func look(_ storage: RedisStorage, poison: String?) async throws {
        _ = try await storage.promoteSchedule(dueAt: moment, limit: 100, deathLimit: 3) { data in
            if text(data) == poison { throw Died() }
            return [.enqueue(data, priority: nil)]
        }
    }

    @Test("a message that kills is put aside unread, and the others go on", arguments: ChannelRig.kinds)
    func poison(kind: StorageKind) async throws {
        let rig = try ChannelRig(kind)
        let storage = rig.storage
        for name in ["a", "poison", "z"] { try await storage.addToSchedule(data(name), at: moment) }
        let mark = RedisArgument(storage.keys.promoting)
        var deaths = 0
        while deaths < 10 {
            // A process that is killed takes no mark away.
            try await storage.client.command("HSET", mark, "dead", 1)
            do {
                try await look(storage, poison: "poison")
                break
            } catch is Died {
                deaths += 1
            }
        }
        #expect(deaths == 3)
        #expect(try await rig.waiting() == ["a", "z"])
        #expect(try await storage.scheduleSize() == 0)
        let letters = try await storage.deadLetterEntries().map(\.letter)
        #expect(letters.map { text($0.data) } == ["poison"])
        #expect(letters.first?.reason == .workerDied)
        #expect(try await storage.client.command("EXISTS", mark).integer == 0)
        try await storage.client.command("DEL", .init(storage.keys.dead))
        #expect(try await rig.leftovers().isEmpty)
    }

    @Test("nobody is charged where nobody died")
    func innocent() async throws {
        let rig = try ChannelRig(.redis)
        try await rig.storage.addToSchedule(data("a"), at: moment)
        try await rig.storage.client.command("HSET", .init(rig.storage.keys.promoting), "dead", 1)
        try await look(rig.storage, poison: nil)
        #expect(try await rig.waiting() == ["a"])
        #expect(try await rig.leftovers().isEmpty)
    }
}
