import Huey
import TestSupport
import Testing

@testable import HueyConsumer

@Suite("The scheduler")
struct SchedulerTests {
    /// A scheduler whose clock and time a test moves.
    private struct Rig {
        let storage = FlakyStorage()
        let time = ManualTime()
        let clock = ManualClock()
        let log = CollectingLog.make()
        let huey: Huey
        let scheduler: Scheduler<ManualClock>
        let enqueued = Recorder<String>()

        init(interval: Int = 1, periodic: Bool = true) {
            huey = Huey("h", storage: storage, time: time.source)
            huey.periodicTask("tasks.minutely", .everyMinute) { _ in }
            huey.task("tasks.one") { 1 }
            let enqueued = enqueued
            huey.onSignal(.enqueued) { enqueued.append($0.message.name) }
            scheduler = Scheduler(
                huey: huey,
                interval: .seconds(interval),
                periodic: periodic,
                clock: clock,
                logger: log.logger
            )
        }

        func schedule(in seconds: Double) async throws {
            let message = try huey.message("tasks.one", options: TaskOptions(start: .delay(seconds: .float(seconds))))
            try await storage.addToSchedule(try huey.serialize(message), at: try #require(message.eta))
        }

        /// Both clocks go on, and the scheduler has its turn.
        func advance(_ seconds: Int, sleeps: Int) async {
            time.advance(seconds: Double(seconds))
            clock.advance(by: .seconds(seconds))
            await clock.waitForSleeps(sleeps)
        }
    }

    @Test("what is due moves to the queue at the next look")
    func due() async throws {
        let rig = Rig(periodic: false)
        try await rig.schedule(in: 1.5)
        await rig.scheduler.begin()
        let run = Task { await rig.scheduler.run() }
        await rig.clock.waitForSleeps(1)
        await rig.advance(1, sleeps: 2)
        #expect(rig.enqueued.all.isEmpty)
        await rig.advance(1, sleeps: 3)
        #expect(rig.enqueued.all == ["tasks.one"])
        #expect(try await rig.storage.queueSize() == 1)
        #expect(try await rig.storage.scheduleSize() == 0)
        run.cancel()
        await run.value
    }

    @Test("what is due already, and the minute's periodic tasks, come first of all")
    func begin() async throws {
        let rig = Rig()
        try await rig.schedule(in: -1)
        await rig.scheduler.begin()
        #expect(rig.enqueued.all == ["tasks.one", "tasks.minutely"])
    }

    @Test("periodic tasks are enqueued once a minute, and a stall is not made up for")
    func periodic() async {
        let rig = Rig(interval: 30)
        await rig.scheduler.begin()
        #expect(rig.enqueued.count == 1)
        let run = Task { await rig.scheduler.run() }
        await rig.clock.waitForSleeps(1)
        await rig.advance(30, sleeps: 2)
        #expect(rig.enqueued.count == 1)
        await rig.advance(30, sleeps: 3)
        #expect(rig.enqueued.count == 2)
        // Three minutes at once.
        await rig.advance(180, sleeps: 4)
        #expect(rig.enqueued.count == 3)
        await rig.advance(30, sleeps: 5)
        #expect(rig.enqueued.count == 3)
        run.cancel()
        await run.value
    }

    @Test("no periodic task is enqueued where they are switched off")
    func notPeriodic() async {
        let rig = Rig(interval: 60, periodic: false)
        await rig.scheduler.begin()
        let run = Task { await rig.scheduler.run() }
        await rig.clock.waitForSleeps(1)
        await rig.advance(60, sleeps: 2)
        #expect(rig.enqueued.all.isEmpty)
        run.cancel()
        await run.value
    }

    @Test("more than a batch moves at one look")
    func many() async throws {
        let rig = Rig(periodic: false)
        for _ in 0..<1100 { try await rig.schedule(in: -1) }
        await rig.scheduler.begin()
        #expect(try await rig.storage.queueSize() == 1100)
    }

    @Test("a cancelled scheduler ends")
    func cancelled() async {
        let rig = Rig()
        let run = Task { await rig.scheduler.run() }
        await rig.clock.waitForSleeps(1)
        run.cancel()
        await run.value
    }
}
