import Huey
import HueyRedis
import Logging
import Pickle
import Redis
import TestSupport
import Testing

@testable import EduMFAQueue

/// The administrator's view of dead letters, and the look at the queue, on a real server.
struct DeadMailTests {
    private struct Place {
        let redis: PrivateRedis
        let queue: HueyQueue
        let letters: DeadMail

        init(name: String = "huey") throws {
            redis = try PrivateRedis()
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            queue = try HueyQueue(options: ["url": .string(redis.url()), "name": .string(name)], logger: logger)
            try queue.registerJob(Job("mail", module: "m"))
            letters = DeadMail(huey: queue.huey, client: queue.client, keys: queue.keys)
        }

        func message(to recipient: String) throws -> [UInt8] {
            let config: PickleValue = ["server": "s", "password": "password-secret"]
            let arguments = TaskArguments([config, recipient, "Subject \(recipient)", "body-secret"])
            return try queue.huey.serialize(queue.huey.message("m.mail", arguments))
        }

        func bury(_ data: [UInt8], time: Int = 1) async throws {
            try await queue.huey.storage.bury(DeadLetter(data: data, reason: .failed, detail: "why", time: time))
        }
    }

    @Test("letters are listed with recipient and subject, found by the beginning of an id, and sent again")
    func lists() async throws {
        let place = try Place()
        try await place.bury(try place.message(to: "a@x"))
        try await place.bury(try place.message(to: "b@x"))
        try await place.bury([1, 2, 3])
        let entries = try await place.letters.entries(limit: 10)
        #expect(entries.map(\.recipients) == [[], ["b@x"], ["a@x"]])
        #expect(entries.map(\.subject) == [nil, "Subject b@x", "Subject a@x"])
        let second = try await place.letters.entry(String(entries[1].id.prefix(13)))
        #expect(second.id == entries[1].id)
        #expect(try await place.letters.sendAgain(second))
        #expect(try await !place.letters.sendAgain(second), "only once")
        #expect(try await place.letters.drop(entries[0]))
        #expect(try await place.letters.count() == 1)
        let waiting = try await place.queue.huey.storage.enqueuedItems(limit: nil)
        #expect(waiting == [second.letter.data])
        await #expect(throws: QueueError.self) { try await place.letters.entry("none") }
        await place.queue.close()
    }

    @Test("letters that are too old go, younger ones stay")
    func lifetime() async throws {
        let place = try Place()
        let now = TimeSource.system.microseconds()
        try await place.bury([1], time: now - 7_200_000_000)
        try await place.bury([2], time: now - 10_000_000)
        var options = QueueMonitor.Options()
        options.letterLifetime = .seconds(3600)
        let clock = ManualClock()
        let monitor = makeMonitor(place, options, MailWatch())
        let run = Task { await monitor.run(clock: clock) }
        await clock.waitForSleeps(1)
        run.cancel()
        await run.value
        #expect(try await place.letters.entries(limit: 10).map(\.letter.data) == [[2]])
        await place.queue.close()
    }

    @Test("of letters that take too much space the oldest go")
    func space() async throws {
        let place = try Place()
        for number in 0..<8 as Range<UInt8> {
            try await place.bury([UInt8](repeating: number, count: 100_000), time: TimeSource.system.microseconds())
        }
        var options = QueueMonitor.Options()
        options.letterSpace = 350_000
        let clock = ManualClock()
        let monitor = makeMonitor(place, options, MailWatch())
        let run = Task { await monitor.run(clock: clock) }
        await clock.waitForSleeps(1)
        run.cancel()
        await run.value
        let kept = try await place.letters.entries(limit: 10).map { $0.letter.data[0] }
        #expect((2...3).contains(kept.count), "\(kept)")
        #expect(kept == [7, 6, 5].prefix(kept.count).map { $0 })
        await place.queue.close()
    }

    @Test("mail that comes under another generation's key is told once, and again when it has doubled")
    func otherGenerations() async throws {
        let place = try Place(name: "My-Q")
        let (logger, lines) = CollectingLog.make()
        let clock = ManualClock()
        let monitor = makeMonitor(place, QueueMonitor.Options(), MailWatch(), logger)
        let run = Task { await monitor.run(clock: clock) }
        var told: [Int] = []
        for (round, count) in [0, 1, 1, 0, 1].enumerated() {
            await clock.waitForSleeps(round + 1)
            for _ in 0..<count { try await place.queue.client.command("LPUSH", "huey.redis.y", "x") }
            clock.advance(by: .seconds(30))
            await clock.waitForSleeps(round + 2)
            told.append(lines.all.count { $0.contains("--clean-name 2") })
        }
        #expect(told == [0, 1, 2, 2, 2])
        run.cancel()
        await run.value
        await place.queue.close()
    }

    private func makeMonitor(
        _ place: Place,
        _ options: QueueMonitor.Options,
        _ watch: MailWatch,
        _ logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) -> QueueMonitor {
        QueueMonitor(
            huey: place.queue.huey,
            client: place.queue.client,
            keys: place.queue.keys,
            watch: watch,
            options: options,
            logger: logger
        )
    }

    @Test("mail that stood in the queue before the worker came is at least as old as the last push")
    func agesAtStart() async throws {
        let place = try Place()
        let data = try place.message(to: "a@x")
        let (client, key) = (place.queue.client, place.queue.keys.queue)
        try await client.command("LPUSH", .init(key), .init(data))
        let dump = try #require(try await client.command("DUMP", .init(key)).bytes)
        try await client.command("RESTORE", .init(key), 0, .init(dump), "REPLACE", "IDLETIME", 500)
        let watch = MailWatch()
        await makeMonitor(place, QueueMonitor.Options(), watch).begin()
        let now = TimeSource.system.microseconds()
        let id = try place.queue.huey.deserialize(data).id
        #expect(watch.isKnown(id))
        let age = (now - watch.firstSeen(id, now: now)) / 1_000_000
        #expect((499...600).contains(age), "\(age)")
        await place.queue.close()
    }
}
