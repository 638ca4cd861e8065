import Redis
import TestSupport
import Testing

@testable import Huey
@testable import HueyRedis

@Suite("A channel that acknowledges")
struct ChannelTests {
    @Test(
        "what is taken stays on the server until it is settled, and nothing is left then",
        arguments: ChannelRig.kinds,
        ChannelRig.leastBatches
    )
    func settles(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let channel = try await rig.channel()
        try await rig.enqueue("a", "b")
        let taken = try await channel.take()
        #expect(texts(taken) == ["a", "b"])
        #expect(try await rig.waiting().isEmpty)
        let batch = leastBatch == 1 ? ["batch"] : []
        #expect(try await rig.leftovers() == ["alive"] + batch + ["batches", "beats", "gone", "held", "kind"])
        let effects: [StorageEffect] = [.put(data("v"), key: "k", isResult: true), .enqueue(data("c"), priority: nil)]
        try await channel.commit([Settlement(of: taken[0], effects, isFinal: true)], number: 1)
        #expect(try await rig.storage.peekData("k") == data("v"))
        #expect(try await rig.waiting() == ["c"])
        await channel.close()
        #expect(try await rig.waiting() == ["b", "c"], "what was not settled goes back to the head")
        #expect(try await rig.leftovers().isEmpty)
    }

    @Test(
        "a request whose answer was lost is asked again in smaller parts, and takes nothing more",
        arguments: ChannelRig.kinds,
        ChannelRig.leastBatches
    )
    func asksForLess(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let channel = try await rig.channel()
        try await rig.enqueue("a", "b", "c", "d", "e", "f")
        _ = try await channel.take(4)
        // As after an answer that did not come.
        channel.forgetFirstAnswer()
        for expected in [["a", "b"], ["c"], ["d"]] {
            #expect(try await texts(channel.dequeue(upTo: expected.count, wait: .seconds(600))) == expected)
            #expect(try await rig.waiting() == ["e", "f"])
        }
        #expect(texts(try await channel.take(9)) == ["e", "f"])
        await channel.close()
        #expect(try await rig.waiting() == ["a", "b", "c", "d", "e", "f"])
    }

    @Test(
        "what a dead consumer held returns in order, before what came later",
        arguments: ChannelRig.kinds,
        ChannelRig.leastBatches
    )
    func recovers(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let (dead, other) = (try await rig.channel(), try await rig.channel())
        try await rig.enqueue("a", "b", "c", "d")
        _ = try await dead.take(2)
        _ = try await dead.take(1)
        try await rig.enqueue("e")
        try await rig.giveUp(dead, by: other)
        #expect(try await rig.waiting() == ["a", "b", "c", "d", "e"])
        let again = try await other.take()
        #expect(again.map(\.redeliveries) == [1, 1, 1, 0, 0])
        #expect(again.map(\.deaths) == [0, 0, 0, 0, 0])
    }

    @Test(
        "only a started task is charged with its consumer's death",
        arguments: ChannelRig.kinds,
        ChannelRig.leastBatches
    )
    func deaths(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let watcher = try await rig.channel()
        try await rig.enqueue("a", "b")
        for round in 0..<4 {
            let dead = try await rig.channel()
            let taken = try await dead.take()
            #expect(taken.map(\.redeliveries) == [round, round])
            #expect(taken.map(\.deaths) == [0, max(0, round - 1)])
            // Starts are noted of messages that came back.
            if round > 0 { try await dead.noteStart(of: taken[1]) }
            try await rig.giveUp(dead, by: watcher)
        }
        let last = try await watcher.take()
        try await watcher.commit(last.map { Settlement(of: $0, [], isFinal: true) }, number: 1)
        #expect(try await rig.storage.client.command("EXISTS", .init(rig.storage.keys.deaths)).integer == 0)
    }

    @Test(
        "a consumer that was given up writes nothing, and goes on in a new life",
        arguments: ChannelRig.kinds,
        ChannelRig.leastBatches
    )
    func fenced(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let (stalled, other) = (try await rig.channel(), try await rig.channel())
        try await rig.enqueue("a", "b")
        let taken = try await stalled.take(1)
        let session = stalled.session
        try await rig.giveUp(stalled, by: other)
        let effects: [StorageEffect] = [.put(data("v"), key: "k", isResult: true)]
        try await stalled.commit([Settlement(of: taken[0], effects, isFinal: true)], number: 1)
        #expect(try await rig.storage.peekData("k") == nil)
        #expect(stalled.session != session)
        // A settlement of the former session is known as such from here on, too.
        try await stalled.commit([Settlement(of: taken[0], effects, isFinal: true)], number: 2)
        try await stalled.giveBack(taken)
        #expect(try await rig.storage.peekData("k") == nil)
        #expect(try await rig.waiting() == ["a", "b"])
        #expect(try await texts(stalled.take()) == ["a", "b"])
    }

    @Test(
        "a heartbeat that has moved saves a consumer",
        arguments: [StorageKind.redis, .priorityRedis],
        ChannelRig.leastBatches
    )
    func moved(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let (alive, other) = (try await rig.channel(), try await rig.channel())
        try await rig.enqueue("a")
        let taken = try await alive.take()
        let seen = try await other.sendHeartbeat(1)[alive.session.name] ?? ""
        _ = try await alive.sendHeartbeat(5)
        try await other.recover(alive.session.name, seen)
        #expect(try await rig.waiting().isEmpty)
        try await alive.commit(
            [Settlement(of: taken[0], [.enqueue(data("next"), priority: nil)], isFinal: true)],
            number: 1
        )
        #expect(try await rig.waiting() == ["next"])
    }

    @Test("a commit whose answer was lost is not done twice", arguments: ChannelRig.kinds, ChannelRig.leastBatches)
    func repeated(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let channel = try await rig.channel()
        try await rig.enqueue("a", "b")
        let taken = try await channel.take()
        let first = [Settlement(of: taken[0], [.enqueue(data("x"), priority: nil)], isFinal: true)]
        try await channel.commit(first, number: 1)
        try await channel.commit(first, number: 1)
        try await channel.commit(
            [Settlement(of: taken[1], [.enqueue(data("y"), priority: nil)], isFinal: true)],
            number: 2
        )
        #expect(try await rig.waiting() == ["x", "y"])
    }

    @Test(
        "messages whose delivery got lost on the way are delivered again",
        arguments: ChannelRig.kinds,
        ChannelRig.leastBatches
    )
    func lostAnswer(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let channel = try await rig.channel()
        try await rig.enqueue("a", "b", "c")
        _ = try await channel.take(2)
        // As if that answer had never come.
        channel.forgetFirstAnswer()
        let again = try await channel.take()
        #expect(texts(again) == ["a", "b", "c"])
        try await channel.commit(again.map { Settlement(of: $0, [], isFinal: true) }, number: 1)
        await channel.close()
        #expect(try await rig.waiting().isEmpty)
    }

    @Test("what is given back comes first again, in order", arguments: ChannelRig.kinds, ChannelRig.leastBatches)
    func givesBack(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let channel = try await rig.channel()
        try await rig.enqueue("a", "b", "c", "d")
        let taken = try await channel.take(3)
        try await channel.giveBack(Array(taken.dropFirst()))
        try await channel.giveBack(Array(taken.dropFirst()))
        #expect(try await rig.waiting() == ["b", "c", "d"])
        #expect(try await texts(channel.take()) == ["b", "c", "d"])
    }

    @Test("priorities survive", arguments: [StorageKind.priorityRedis, .priorityRedisExpire], ChannelRig.leastBatches)
    func priorities(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let (dead, other) = (try await rig.channel(), try await rig.channel())
        for (text, priority) in [("low", -2.5), ("mid", 1), ("high", 9)] {
            try await rig.storage.enqueue(data(text), priority: priority)
        }
        #expect(try await texts(dead.take()) == ["high", "mid", "low"])
        try await rig.storage.enqueue(data("between"), priority: 5)
        try await rig.giveUp(dead, by: other)
        #expect(try await rig.waiting() == ["high", "between", "mid", "low"])
    }

    @Test(
        "a member of a chord counts once, and the last one writes nothing yet",
        arguments: ChannelRig.kinds,
        ChannelRig.leastBatches
    )
    func chord(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let (first, other) = (try await rig.channel(), try await rig.channel())
        try await rig.enqueue("a", "b")
        func report(_ index: Int) -> ChordReport {
            ChordReport(key: "chord:c:\(index)", counterKey: "chord:c", size: 2, value: data("v\(index)"))
        }
        let a = try await first.take(1)[0]
        #expect(try await first.count(report(0), of: a) == .counted)
        // The answer was lost.
        #expect(try await first.count(report(0), of: a) == .counted)
        #expect(try await rig.storage.increment("chord:c", by: 0) == 1)
        let b = try await first.take(1)[0]
        try await rig.giveUp(first, by: other)
        #expect(try await first.count(report(1), of: b) == .lost)
        let again = try await other.take()
        #expect(texts(again) == ["b"], "the counted one is settled")
        #expect(try await other.count(report(1), of: again[0]) == .last)
        #expect(try await rig.storage.peekData("chord:c:1") == nil)
        #expect(try await rig.storage.increment("chord:c", by: 0) == 1)
    }

    @Test(
        "a chord of ten thousand can be settled",
        arguments: [StorageKind.redis, .redisExpire],
        ChannelRig.leastBatches
    )
    func largeChord(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let channel = try await rig.channel()
        try await rig.enqueue("a")
        let taken = try await channel.take()
        let effects = (0..<10_000).map { StorageEffect.delete(key: "chord:c:\($0)") }
        try await channel.commit([Settlement(of: taken[0], effects, isFinal: true)], number: 1)
        await channel.close()
        #expect(try await rig.waiting().isEmpty)
    }

    @Test(
        "locks of a dead consumer open, those with a time to live do not",
        arguments: ChannelRig.kinds,
        ChannelRig.leastBatches
    )
    func locks(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let (dead, other) = (try await rig.channel(), try await rig.channel())
        #expect(try await dead.storage.acquireLock(data("1"), forKey: "lock", ttl: nil))
        #expect(try await dead.storage.acquireLock(data("1"), forKey: "released", ttl: nil))
        #expect(try await dead.storage.releaseLock("released"))
        #expect(try await other.storage.acquireLock(data("2"), forKey: "released", ttl: nil))
        #expect(try await !other.storage.acquireLock(data("2"), forKey: "lock", ttl: nil))
        try await rig.giveUp(dead, by: other)
        #expect(try await !dead.storage.acquireLock(data("1"), forKey: "late", ttl: nil), "nobody would open it")
        #expect(try await other.storage.acquireLock(data("2"), forKey: "lock", ttl: nil))
        #expect(try await rig.storage.hasData(forKey: "released"), "it belongs to the other one")
    }

    @Test(
        "a task that was taken for dead does not open the lock of whoever has it now",
        arguments: ChannelRig.kinds,
        ChannelRig.leastBatches
    )
    func staleUnlock(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let (stalled, other) = (try await rig.channel(), try await rig.channel())
        #expect(try await stalled.storage.acquireLock(data("1"), forKey: "lock", ttl: nil))
        try await rig.giveUp(stalled, by: other)
        #expect(try await other.storage.acquireLock(data("2"), forKey: "lock", ttl: nil))
        // It goes on in a new session, and its task ends.
        _ = try await stalled.sendHeartbeat(1)
        #expect(try await !stalled.storage.releaseLock("lock"))
        #expect(try await rig.storage.hasData(forKey: "lock"))
        #expect(try await !stalled.storage.acquireLock(data("1"), forKey: "lock", ttl: nil))
        #expect(try await other.storage.releaseLock("lock"))
        #expect(try await !rig.storage.hasData(forKey: "lock"))
        // What another process holds can be opened on purpose.
        #expect(try await other.storage.acquireLock(data("2"), forKey: "lock", ttl: nil))
        #expect(try await stalled.storage.releaseLock("lock"))
    }

    @Test("after the end no new life begins", arguments: [StorageKind.redis, .priorityRedis], ChannelRig.leastBatches)
    func closed(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let channel = try await rig.channel()
        try await rig.enqueue("a")
        let taken = try await channel.take()
        await channel.close()
        try await channel.commit(
            [Settlement(of: taken[0], [.put(data("v"), key: "k", isResult: true)], isFinal: true)],
            number: 1
        )
        #expect(try await rig.waiting() == ["a"])
        #expect(try await rig.storage.peekData("k") == nil)
        #expect(try await rig.leftovers().isEmpty)
    }
}
