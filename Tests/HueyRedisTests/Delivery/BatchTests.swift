import Redis
import TestSupport
import Testing

@testable import Huey
@testable import HueyRedis

@Suite("Messages fetched and acknowledged by the batch")
struct BatchTests {
    /// The end of tasks whose ids are their messages, with `value` as each one's result.
    private func results(_ deliveries: [Delivery], _ value: String = "v") -> [Settlement] {
        var tasks = Completions()
        for delivery in deliveries {
            tasks.append(text(delivery.data), data(value), of: delivery)
        }
        return [Settlement(of: nil, [.complete(tasks)], isFinal: true)]
    }

    private func stored(_ rig: ChannelRig, _ keys: String...) async throws -> [String?] {
        try await rig.storage.peekMany(keys).map { $0.map { text($0) } }
    }

    private func command(_ rig: ChannelRig, _ words: String...) async throws {
        var batch = RedisBatch()
        batch.append("EVAL", [.init("return redis.call(unpack(ARGV))"), 0] + words.map { .init($0) })
        try await rig.storage.client.run(batch)
    }

    /// Ends a session as releases did that knew no batches.
    private func giveUpAsBefore(_ channel: AcknowledgingChannel, on rig: ChannelRig) async throws {
        let keys = rig.storage.keys
        try await command(rig, "DEL", keys.held(channel.session.name))
        try await command(rig, "HDEL", keys.heartbeats, channel.session.name)
        try await command(rig, "ZREM", keys.gone, channel.session.name)
    }

    @Test("results are stored in any order, and what is left goes back in order", arguments: ChannelRig.kinds)
    func outOfOrder(kind: StorageKind) async throws {
        let rig = try ChannelRig(kind, leastBatch: 1)
        let channel = try await rig.channel()
        try await rig.enqueue("a", "b", "c", "d", "e")
        let taken = try await channel.take(4)
        try await channel.commit(results([taken[2]]), number: 1)
        try await channel.commit(results([taken[0]]), number: 2)
        #expect(try await stored(rig, "a", "b", "c") == ["v", nil, "v"])
        try await channel.commit(results([taken[0]], "again"), number: 2)
        #expect(try await stored(rig, "a") == ["v"], "a repeated number is the same commit")
        let more = try await channel.take()
        #expect(texts(more) == ["e"])
        await channel.close()
        #expect(try await rig.waiting() == ["b", "d", "e"])
        #expect(try await rig.leftovers().isEmpty)
    }

    @Test("a batch that is done with leaves nothing", arguments: ChannelRig.kinds)
    func complete(kind: StorageKind) async throws {
        let rig = try ChannelRig(kind, leastBatch: 1)
        let channel = try await rig.channel()
        for round in 1...(HeldBatches.slots + 3) {
            try await rig.enqueue("a", "b", "c")
            let taken = try await channel.take()
            try await channel.commit(results([taken[1]]), number: 2 * round)
            try await channel.commit(results([taken[0], taken[2]]), number: 2 * round + 1)
        }
        #expect(try await rig.leftovers() == ["alive", "batches", "beats", "gone", "held", "kind"])
        await channel.close()
        #expect(try await rig.waiting().isEmpty)
    }

    @Test("where all slots are taken, messages are held one by one", arguments: ChannelRig.kinds)
    func slots(kind: StorageKind) async throws {
        let rig = try ChannelRig(kind, leastBatch: 1)
        let (channel, other) = (try await rig.channel(), try await rig.channel())
        let names = (10..<HeldBatches.slots + 13).map { "m\($0)" }
        var taken: [Delivery] = []
        for name in names {
            try await rig.enqueue(name)
            taken += try await channel.take()
        }
        #expect(texts(taken) == names)
        try await channel.commit(results([taken[1], taken[17], taken[18]]), number: 1)
        try await rig.giveUp(channel, by: other)
        #expect(try await rig.waiting() == names.filter { !["m11", "m27", "m28"].contains($0) })
    }

    @Test("results of a consumer that was given up are refused", arguments: ChannelRig.kinds)
    func fenced(kind: StorageKind) async throws {
        let rig = try ChannelRig(kind, leastBatch: 1)
        let (stalled, other) = (try await rig.channel(), try await rig.channel())
        try await rig.enqueue("a", "b", "c")
        let taken = try await stalled.take()
        try await stalled.commit(results([taken[0]]), number: 1)
        let session = stalled.session
        try await rig.giveUp(stalled, by: other)
        try await stalled.commit(results([taken[1]]), number: 2)
        #expect(try await stored(rig, "a", "b") == ["v", nil])
        #expect(stalled.session != session)
        #expect(try await rig.waiting() == ["b", "c"])
        #expect(try await texts(stalled.take()) == ["b", "c"])
    }

    @Test(
        "what an earlier release takes over without batches is left to one that knows them",
        arguments: ChannelRig.kinds
    )
    func earlier(kind: StorageKind) async throws {
        let rig = try ChannelRig(kind, leastBatch: 1)
        let (stalled, other) = (try await rig.channel(), try await rig.channel())
        try await rig.enqueue("a", "b", "c")
        let taken = try await stalled.take()
        try await giveUpAsBefore(stalled, on: rig)
        // Nobody else has them.
        try await stalled.commit(results([taken[0]]), number: 1)
        #expect(try await stored(rig, "a") == ["v"])
        #expect(try await rig.waiting().isEmpty)
        try await other.sweep()
        #expect(try await rig.waiting() == ["b", "c"])
        try await stalled.commit(results([taken[1]]), number: 2)
        #expect(try await stored(rig, "b") == [nil])
        #expect(try await texts(stalled.take()) == ["b", "c"])
    }

    @Test("who was given up by an earlier release returns its batches itself", arguments: ChannelRig.kinds)
    func earlierNoticed(kind: StorageKind) async throws {
        let rig = try ChannelRig(kind, leastBatch: 1)
        let stalled = try await rig.channel()
        try await rig.enqueue("a", "b")
        let taken = try await stalled.take()
        try await giveUpAsBefore(stalled, on: rig)
        _ = try await stalled.sendHeartbeat(1)
        #expect(try await rig.waiting() == ["a", "b"])
        try await stalled.commit(results(taken), number: 1)
        #expect(try await stored(rig, "a", "b") == [nil, nil])
    }

    @Test(
        "who may not SORT or begin transactions delivers by scripts",
        arguments: ["-sort", "-zrangestore", "-multi", "-watch"]
    )
    func forbidden(rule: String) async throws {
        let server = try PrivateRedis()
        let admin = RedisClient(try RedisConfiguration(url: server.url()))
        try await admin.command("ACL", "SETUSER", "worker", "on", ">secret", "~*", "&*", "+@all", .init(rule))
        let url = server.url().replacing("unix://", with: "unix://worker:secret@")
        for kind in [StorageKind.redis, .priorityRedis] {
            let rig = try ChannelRig(kind, url: url, leastBatch: 1)
            let channel = try await rig.channel()
            try await rig.enqueue("a", "b")
            let taken = try await channel.take()
            #expect(texts(taken) == ["a", "b"])
            try await channel.commit(results([taken[0]]), number: 1)
            #expect(try await stored(rig, "a") == ["v"])
            await channel.close()
            #expect(try await rig.waiting() == ["b"])
        }
    }

    @Test("messages that outlived their consumers are recognized in a batch", arguments: ChannelRig.kinds)
    func recognized(kind: StorageKind) async throws {
        let rig = try ChannelRig(kind, leastBatch: 1)
        let (dead, other) = (try await rig.channel(), try await rig.channel())
        try await rig.enqueue("a")
        #expect(try await dead.take().count == 1)
        try await rig.giveUp(dead, by: other)
        try await rig.enqueue("b", "c")
        let taken = try await other.take(2)
        #expect(texts(taken) == ["a", "b"])
        #expect(taken.map(\.redeliveries) == [1, 0])
        try await other.commit(results(taken), number: 1)
        #expect(try await rig.storage.client.command("EXISTS", .init(rig.storage.keys.deaths)).integer == 0)
        #expect(try await texts(other.take()) == ["c"])
    }

    @Test("results that the server refuses are an error, and can be put aside", arguments: [StorageKind.redis])
    func refused(kind: StorageKind) async throws {
        let rig = try ChannelRig(kind, leastBatch: 1)
        let channel = try await rig.channel()
        try await rig.enqueue("a")
        let taken = try await channel.take()
        try await command(rig, "SET", rig.storage.keys.results, "blocked")
        await #expect(throws: RedisError.self) { try await channel.commit(results(taken), number: 1) }
        let letter = DeadLetter(data: taken[0].data, reason: .unwritable, detail: "", time: 0)
        try await channel.commit([Settlement(of: taken[0], [.bury(letter)], isFinal: true)], number: 2)
        await channel.close()
        #expect(try await rig.leftovers() == ["dead"])
    }

    // MARK: a server that loses its data

    @Test("results are stored after the server lost everything", arguments: ChannelRig.kinds, ChannelRig.leastBatches)
    func lostEverything(kind: StorageKind, leastBatch: Int) async throws {
        let server = try PrivateRedis()
        let rig = try ChannelRig(kind, url: server.url(), leastBatch: leastBatch)
        let channel = try await rig.channel()
        try await rig.enqueue("a", "b", "c", "d", "e", "f")
        let taken = try await channel.take()
        let session = channel.session
        try await rig.storage.client.command("FLUSHALL")
        try await channel.commit(results([taken[0]]), number: 1)
        try await rig.storage.client.command("FLUSHALL")
        let effects: [StorageEffect] = [.put(data("v"), key: "b", isResult: true), .enqueue(data("n"), priority: nil)]
        try await channel.commit([Settlement(of: taken[1], effects, isFinal: true)], number: 2)
        try await channel.commit(results([taken[2]]), number: 3)
        #expect(channel.session == session)
        #expect(try await stored(rig, "a", "b", "c") == [nil, "v", "v"])
        #expect(try await rig.waiting() == ["n"])
        let report = ChordReport(key: "chord:c:0", counterKey: "chord:c", size: 2, value: data("v"))
        #expect(try await channel.count(report, of: taken[3]) == .counted)
        #expect(try await channel.count(report, of: taken[3]) == .counted)
        #expect(try await rig.storage.increment("chord:c", by: 0) == 1)
        #expect(try await stored(rig, "chord:c:0") == ["v"])
        // What was not started is nowhere else any more.
        try await channel.giveBack(Array(taken.suffix(2)))
        #expect(Set(try await rig.waiting()) == ["e", "f", "n"])
        #expect(Set(texts(try await channel.take())) == ["e", "f", "n"])
        await channel.close()
        #expect(try await rig.leftovers().isEmpty)
    }

    @Test(
        "what others took over is refused although they are gone, too",
        arguments: ChannelRig.kinds,
        ChannelRig.leastBatches
    )
    func recovered(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let (stalled, other) = (try await rig.channel(), try await rig.channel())
        try await rig.enqueue("a", "b")
        let taken = try await stalled.take()
        try await rig.giveUp(stalled, by: other)
        await other.close()
        try await stalled.commit(results([taken[0]]), number: 1)
        #expect(try await stored(rig, "a") == [nil])
        #expect(try await rig.waiting() == ["a", "b"])
    }
}
