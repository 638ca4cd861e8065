import Huey
import HueyRedis
import Redis
import TestSupport
import Testing

@testable import HueyConsumer

@Suite("Periodic tasks, once a minute")
struct PeriodicOnceTests {
    /// One scheduler of many, with a storage of its own on the same server.
    private struct Rig {
        let huey: Huey
        let enqueued = Recorder<String>()
        let scheduler: Scheduler<ManualClock>
        let clock = ManualClock()
        let log = CollectingLog.make()
        let storage: RedisStorage

        init(
            _ server: PrivateRedis,
            _ time: ManualTime,
            crontab: Crontab = .everyMinute,
            kind: RedisStorageKind = .redis,
            once: Bool = true,
            catchUp: Bool = false
        ) throws {
            storage = try RedisStorage(url: server.url(), options: RedisStorageOptions(kind: kind))
            huey = Huey("h", storage: storage, time: time.source)
            huey.periodicTask("tasks.periodic", crontab) { _ in }
            let enqueued = enqueued
            huey.onSignal(.enqueued) { enqueued.append($0.message.name) }
            scheduler = Scheduler(
                huey: huey,
                interval: .seconds(1),
                periodic: true,
                once: once,
                catchUp: catchUp,
                clock: clock,
                logger: log.logger
            )
        }
    }

    private static let minute = 60_000_000
    private static let start = 29_455_384 * minute

    /// The whole fleet looks at each of ten minutes, each consumer at a second of its own.
    private func tenMinutes(_ fleet: [Rig], _ time: ManualTime) async {
        for minute in 0..<10 {
            time.set(Self.start + minute * Self.minute + .random(in: 0..<Self.minute))
            await withTaskGroup(of: Void.self) { group in
                for rig in fleet { group.addTask { await rig.scheduler.begin() } }
            }
        }
    }

    @Test("twenty consumers and ten minutes make ten runs", arguments: [RedisStorageKind.redis, .priorityRedis])
    func once(kind: RedisStorageKind) async throws {
        let (server, time) = (try PrivateRedis(), ManualTime())
        let fleet = try (0..<20).map { _ in try Rig(server, time, kind: kind) }
        await tenMinutes(fleet, time)
        #expect(try await fleet[0].huey.pendingCount() == 10)
        #expect(fleet.reduce(0) { $0 + $1.enqueued.count } == 10, "and ten signals")
    }

    @Test("no minute is left out by looks that drift")
    func drift() async throws {
        let (server, time) = (try PrivateRedis(), ManualTime())
        let rig = try Rig(server, time)
        time.set(Self.start + Self.minute - 50_000)
        await rig.scheduler.begin()
        let run = Task { await rig.scheduler.run() }
        await rig.clock.waitForSleeps(1)
        // Each look comes a little later: the one that is 60 seconds after the first is two minutes on.
        for look in 1...130 {
            time.set(Self.start + Self.minute - 50_000 + look * 1_001_000)
            rig.clock.advance(by: .seconds(1))
            await rig.clock.waitForSleeps(look + 1)
        }
        run.cancel()
        await run.value
        #expect(rig.enqueued.count == 4)
        #expect(try await rig.huey.pendingCount() == 4)
    }

    @Test("what cannot be enqueued is tried again while the minute lasts, and logged once")
    func outage() async throws {
        let (server, time) = (try PrivateRedis(), ManualTime())
        let rig = try Rig(server, time)
        time.set(Self.start)
        let client = try RedisClient(RedisConfiguration(url: server.url()))
        try await client.command("SET", "huey.redis.h", "no queue")
        await rig.scheduler.begin()
        let run = Task { await rig.scheduler.run() }
        await rig.clock.waitForSleeps(1)
        for look in 1...3 {
            if look == 3 { try await client.command("DEL", "huey.redis.h") }
            time.set(Self.start + look * 1_000_000)
            rig.clock.advance(by: .seconds(1))
            await rig.clock.waitForSleeps(look + 1)
        }
        run.cancel()
        await run.value
        #expect(try await rig.huey.pendingCount() == 1)
        #expect(rig.log.lines.all.filter { $0.contains("Error enqueueing periodic task") }.count == 1)
        await client.shutdown()
    }

    @Test("as huey does it, each consumer enqueues its own")
    func each() async throws {
        let (server, time) = (try PrivateRedis(), ManualTime())
        let fleet = try (0..<3).map { _ in try Rig(server, time, once: false) }
        await tenMinutes(fleet, time)
        #expect(try await fleet[0].huey.pendingCount() == 30)
    }

    @Test("a run that nobody was there for is caught up once, if that is asked for", arguments: [false, true])
    func catchUp(isAskedFor: Bool) async throws {
        let (server, time) = (try PrivateRedis(), ManualTime())
        // At five past each hour.
        let crontab = try Crontab(minute: "5")
        let first = try Rig(server, time, crontab: crontab, catchUp: isAskedFor)
        let hour = 490_923 * 60 * Self.minute
        time.set(hour + 5 * Self.minute)
        await first.scheduler.begin()
        #expect(try await first.huey.pendingCount() == 1)
        // Three hours and ten minutes later the consumers start again.
        time.set(hour + 195 * Self.minute)
        let fleet = try (0..<3).map { _ in try Rig(server, time, crontab: crontab, catchUp: isAskedFor) }
        for rig in fleet { await rig.scheduler.begin() }
        #expect(try await first.huey.pendingCount() == (isAskedFor ? 2 : 1))
        // Now nothing is missed any more.
        time.set(hour + 200 * Self.minute)
        for rig in fleet { await rig.scheduler.begin() }
        #expect(try await first.huey.pendingCount() == (isAskedFor ? 2 : 1))
    }
}
