import Huey
import Redis
import TestSupport
import Testing

@testable import HueyRedis

/// Each test has a server of its own, because it changes how that behaves.
@Suite("Delivery where the server is difficult")
struct ServerTests {
    private func command(_ rig: ChannelRig, _ words: String...) async throws {
        var batch = RedisBatch()
        batch.append("CONFIG", words.map { .init($0) })
        try await rig.storage.client.run(batch)
    }

    /// Returns once the server's `INFO` shows a number of at least one.
    private func wait(for field: String, on rig: ChannelRig) async throws {
        while true {
            let info = try await rig.storage.client.command("INFO", "clients").string ?? ""
            let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix(field + ":") }
            if let count = line.flatMap({ Int($0.dropFirst(field.count + 1)) }), count > 0 { return }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    @Test(
        "a full server can be drained, by a consumer that starts then, too",
        arguments: ChannelRig.kinds,
        ChannelRig.leastBatches
    )
    func full(kind: StorageKind, leastBatch: Int) async throws {
        let server = try PrivateRedis()
        let rig = try ChannelRig(kind, url: server.url(), leastBatch: leastBatch)
        let early = try await rig.channel()
        try await rig.enqueue("a", "b", "c", "d")
        try await command(rig, "SET", "maxmemory", "1")
        await #expect(throws: RedisError.self) { try await rig.enqueue("e") }
        let taken = try await early.take(1)
        _ = try await early.sendHeartbeat(3)
        try await early.commit(
            [Settlement(of: taken[0], [.put(data("v"), key: "k", isResult: true)], isFinal: true)],
            number: 1
        )
        let late = try await rig.channel()
        let rest = try await late.take(2)
        #expect(texts(rest) == ["b", "c"])
        try await rig.giveUp(late, by: early)
        #expect(try await rig.waiting() == ["b", "c", "d"])
        let again = try await early.take()
        try await early.commit(again.map { Settlement(of: $0, [], isFinal: true) }, number: 2)
        await early.close()
        try await command(rig, "SET", "maxmemory", "0")
        #expect(try await rig.waiting().isEmpty)
        #expect(try await rig.storage.peekData("k") == data("v"))
    }

    @Test("a blocking move that brings a message after its consumer was given up loses nothing")
    func lateMove() async throws {
        let server = try PrivateRedis()
        let rig = try ChannelRig(.redis, url: server.url())
        let (stalled, other) = (try await rig.channel(), try await rig.channel())
        async let waiting = stalled.dequeue(upTo: 5, wait: .seconds(600))
        try await wait(for: "blocked_clients", on: rig)
        try await rig.giveUp(stalled, by: other)
        // The heartbeat notices first, and begins a new session.
        _ = try await stalled.sendHeartbeat(1)
        try await rig.enqueue("a")
        #expect(try await waiting.isEmpty)
        #expect(try await rig.waiting() == ["a"])
        #expect(try await texts(stalled.take()) == ["a"])
    }

    @Test("what came late for a consumer that is gone altogether is found by another")
    func sweep() async throws {
        let rig = try ChannelRig(.redis)
        let (dead, other) = (try await rig.channel(), try await rig.channel())
        try await rig.giveUp(dead, by: other)
        try await rig.storage.client.command("LPUSH", .init(rig.storage.keys.next(dead.session.name)), "a")
        try await other.sweep()
        #expect(try await rig.waiting() == ["a"])
        try await other.sweep()
        #expect(try await rig.waiting() == ["a"])
    }

    @Test("what comes late for a consumer that has stopped in an orderly way is found by the next one")
    func lateForStopped() async throws {
        let server = try PrivateRedis()
        let rig = try ChannelRig(.redis, url: server.url())
        let stopped = try await rig.channel()
        let next = rig.storage.keys.next(stopped.session.name)
        // Its connection broke while it waited; the server still waits on its behalf.
        let waiting = Task { try await stopped.dequeue(upTo: 5, wait: .seconds(600)) }
        try await wait(for: "blocked_clients", on: rig)
        var kill = RedisBatch()
        kill.append("CLIENT", "KILL", "SKIPME", "yes")
        try await rig.storage.client.run(kill)
        await #expect(throws: RedisError.self) { _ = try await waiting.value }
        await stopped.close()
        try await rig.storage.client.command("LPUSH", .init(next), "a")
        let other = try await rig.channel()
        #expect(try await rig.waiting() == ["a"])
        #expect(try await texts(other.take()) == ["a"])
    }

    @Test("a server that lost everything gets a new life", arguments: ChannelRig.kinds, ChannelRig.leastBatches)
    func flushed(kind: StorageKind, leastBatch: Int) async throws {
        let server = try PrivateRedis()
        let rig = try ChannelRig(kind, url: server.url(), leastBatch: leastBatch)
        let channel = try await rig.channel()
        try await rig.storage.client.command("FLUSHALL")
        try await rig.enqueue("a")
        let first = try await channel.take()
        let second = try await channel.take()
        #expect(texts(first + second) == ["a"])
    }

    @Test(
        "a wait on a queue with priorities ends when a message comes",
        arguments: [StorageKind.priorityRedis, .priorityRedisExpire],
        ChannelRig.leastBatches
    )
    func listener(kind: StorageKind, leastBatch: Int) async throws {
        let server = try PrivateRedis()
        let rig = try ChannelRig(kind, url: server.url(), leastBatch: leastBatch)
        let channel = try await rig.channel()
        for round in 0..<20 {
            async let waiting = channel.dequeue(upTo: 5, wait: .seconds(600))
            if round == 0 { try await wait(for: "tracking_clients", on: rig) }
            try await rig.enqueue("a\(round)")
            #expect(try await texts(waiting) == ["a\(round)"])
        }
        await channel.close()
    }

    @Test("the wait ends where the server keeps no track for us, too")
    func muteBell() async throws {
        let server = try PrivateRedis()
        let rig = try ChannelRig(.priorityRedis, url: server.url())
        try await rig.storage.client.command(
            "ACL",
            "SETUSER",
            "plain",
            "on",
            ">secret",
            "~*",
            "&*",
            "+@all",
            "-client|tracking"
        )
        let url = server.url().replacing("unix://", with: "unix://plain:secret@")
        let channel = try await rig.channel(url: url)
        for round in 0..<3 {
            async let waiting = channel.dequeue(upTo: 5, wait: .seconds(600))
            try await rig.enqueue("a\(round)")
            #expect(try await texts(waiting) == ["a\(round)"])
        }
        let info = try await rig.storage.client.command("INFO", "clients").string ?? ""
        #expect(info.contains("tracking_clients:0"))
        await channel.close()
    }

    @Test(
        "an interrupted wait is over, whether it had begun or not",
        arguments: ChannelRig.kinds,
        ChannelRig.leastBatches
    )
    func interrupt(kind: StorageKind, leastBatch: Int) async throws {
        let rig = try ChannelRig(kind, leastBatch: leastBatch)
        let channel = try await rig.channel()
        await channel.interruptDequeue()
        #expect(try await channel.dequeue(upTo: 5, wait: .seconds(600)).isEmpty)
        async let waiting = channel.dequeue(upTo: 5, wait: .seconds(600))
        await Task.yield()
        await channel.interruptDequeue()
        #expect(try await waiting.isEmpty)
    }
}
