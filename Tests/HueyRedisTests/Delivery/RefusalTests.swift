import Huey
import Pickle
import Redis
import TestSupport
import Testing

@testable import HueyRedis

/// A step that the server refuses leaves everything for the next attempt.
@Suite("Recovery where a step is refused")
struct RefusalTests {
    /// Makes the queue something that takes no message.
    private func block(_ rig: ChannelRig) async throws {
        try await rig.storage.client.command("SET", .init(rig.storage.keys.queue), "blocked")
    }

    private func unblock(_ rig: ChannelRig) async throws {
        try await rig.storage.client.command("DEL", .init(rig.storage.keys.queue))
    }

    @Test(
        "taking over can be repeated after the queue refused the messages",
        arguments: ChannelRig.kinds,
        ChannelRig.leastBatches
    )
    func takeOver(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let dead = try await rig.channel()
        let other = try await rig.channel()
        try await rig.enqueue("a", "b", "c")
        #expect(try await dead.take().count == 3)
        try await block(rig)
        await #expect(throws: RedisError.self) { try await rig.giveUp(dead, by: other) }
        #expect(await other.tryToRecover(dead.session.name, "") == false)
        try await unblock(rig)
        try await rig.giveUp(dead, by: other)
        #expect(try await rig.waiting() == ["a", "b", "c"])
    }

    @Test(
        "messages that the queue does not take back are held still",
        arguments: ChannelRig.kinds,
        ChannelRig.leastBatches
    )
    func giveBack(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let channel = try await rig.channel()
        try await rig.enqueue("a", "b")
        let taken = try await channel.take()
        try await block(rig)
        await #expect(throws: RedisError.self) { try await channel.giveBack(taken) }
        try await unblock(rig)
        try await channel.giveBack(taken)
        #expect(try await rig.waiting() == ["a", "b"])
    }

    @Test("messages that cannot be held are taken later", arguments: ChannelRig.kinds, ChannelRig.leastBatches)
    func take(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let channel = try await rig.channel()
        try await rig.enqueue("a", "b")
        let held = RedisArgument(rig.storage.keys.held(channel.session.name))
        try await rig.storage.client.command("SET", held, "blocked")
        await #expect(throws: RedisError.self) { try await channel.take() }
        try await rig.storage.client.command("DEL", held)
        #expect(texts(try await channel.take()) == ["a", "b"])
    }

    @Test("what is held without a heartbeat is found", arguments: ChannelRig.kinds, ChannelRig.leastBatches)
    func sweep(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let dead = try await rig.channel()
        let other = try await rig.channel()
        try await rig.enqueue("a", "b")
        #expect(try await dead.take().count == 2)
        try await rig.storage.client.command("HDEL", .init(rig.storage.keys.heartbeats), .init(dead.session.name))
        try await other.sweep()
        #expect(try await rig.waiting() == ["a", "b"])
        // Those that live are left alone.
        let taken = try await other.take()
        try await other.sweep()
        #expect(taken.count == 2)
        #expect(try await rig.waiting().isEmpty)
    }

    @Test("what an earlier release held is taken over", arguments: [StorageKind.redis], ChannelRig.leastBatches)
    func earlier(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let keys = rig.storage.keys
        try await rig.storage.client.command("HSET", .init(keys.heartbeats), "old", "7 - - 1 -")
        try await rig.storage.client.command("HSET", .init(keys.held("old")), "1", "a", "2", "b", "c", "3", "!1", "1")
        let channel = try await rig.channel()
        try await channel.recover("old", "7 - - 1 -")
        #expect(try await rig.waiting() == ["a", "b"])
    }

    @Test("another kind of storage is refused, until nobody holds anything")
    func kinds() async throws {
        let rig = try ChannelRig(.redis)
        let channel = try await rig.channel()
        for kind in [RedisStorageKind.priorityRedis, .redisExpire] {
            let storage = try RedisStorage(url: rig.url, options: RedisStorageOptions(kind: kind)).bound(to: rig.name)
            let other = try await (storage as? any AcknowledgingStorage)?.acknowledgingChannel(DeliveryOptions())
            let error = await #expect(throws: HueyError.self) { try await other?.open() }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("(redis)") == true)
        }
        await channel.close()
        let storage = try RedisStorage(url: rig.url, options: RedisStorageOptions(kind: .redisExpire)).bound(
            to: rig.name
        )
        let other = try await (storage as? any AcknowledgingStorage)?.acknowledgingChannel(DeliveryOptions())
        try await other?.open()
        await other?.close()
    }

    @Test(
        "counts that somebody wrote are bounded",
        arguments: ["9223372036854775807", "99999999999999999999", "-1", "x", ""]
    )
    func counts(text: String) async throws {
        let rig = try ChannelRig(.redis)
        let dead = try await rig.channel()
        let other = try await rig.channel()
        try await rig.enqueue("a")
        #expect(try await dead.take().count == 1)
        // The SHA-1 of "a".
        let id = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"
        let deaths = RedisArgument(rig.storage.keys.deaths)
        try await rig.storage.client.command("HSET", deaths, .init(id), .init(text), .init(id + "!"), .init(text))
        try await rig.giveUp(dead, by: other)
        let taken = try await other.take()
        #expect(taken.count == 1)
        #expect((1...Int(Int32.max)).contains(taken[0].redeliveries))
        #expect((0...Int(Int32.max)).contains(taken[0].deaths))
    }

    @Test("a user who may not load scripts or ask for commands can deliver at least once")
    func permissions() async throws {
        let server = try PrivateRedis()
        let admin = RedisClient(try RedisConfiguration(url: server.url()))
        try await admin.command(
            "ACL",
            "SETUSER",
            "worker",
            "on",
            ">secret",
            "~*",
            "&*",
            "+@all",
            "-script|load",
            "-command",
            "-info"
        )
        let url = server.url().replacing("unix://", with: "unix://worker:secret@")
        let rig = try ChannelRig(.redis, url: url)
        let channel = try await rig.storage.acknowledgingChannel(DeliveryOptions())
        try await channel.open()
        try await rig.enqueue("a")
        #expect(texts(try await channel.dequeue(upTo: 1, wait: .milliseconds(1))) == ["a"])
        await channel.close()
        #expect(try await rig.waiting() == ["a"])
    }
}
