import Huey
import HueyRedis
import Logging
import Pickle
import Redis
import TestSupport
import Testing

@testable import EduMFAQueue

/// The administrator's view of mail that waits, on a real server.
struct WaitingMailTests {
    private struct Place {
        let redis: PrivateRedis
        let queue: HueyQueue
        let waiting: WaitingMail
        let ledger: RedisMailLedger

        init() throws {
            redis = try PrivateRedis()
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            queue = try HueyQueue(options: ["url": .string(redis.url())], logger: logger)
            try queue.registerJob(Job("mail", module: "m"))
            waiting = WaitingMail(huey: queue.huey, client: queue.client, keys: queue.keys)
            ledger = RedisMailLedger(client: queue.client, name: queue.keys.name)
        }

        var now: Int { TimeSource.system.microseconds() }

        /// Puts a mail off as a worker does that has failed.
        @discardableResult
        func putOff(_ recipient: String, seenBefore seconds: Int, due: Double = 3600) async throws -> String {
            let config: PickleValue = ["server": "s", "password": "password-secret"]
            var options = TaskOptions()
            options.start = .delay(seconds: .float(due))
            let arguments = TaskArguments([config, recipient, "Subject \(recipient)", "body-secret"])
            let message = try queue.huey.message("m.mail", arguments, options: options)
            let eta = try #require(message.eta)
            try await queue.huey.storage.addToSchedule(try queue.huey.serialize(message), at: eta)
            let attempts = MailAttempts(count: 2, firstSeen: now - seconds * 1_000_000, reason: "451 4 2 busy ü")
            try await ledger.remember(attempts, of: message.id, seconds: 60)
            return message.id
        }

        func enqueue(_ recipient: String) async throws -> String {
            let message = try queue.huey.message("m.mail", TaskArguments([recipient]))
            try await queue.huey.storage.enqueue(try queue.huey.serialize(message), priority: nil)
            return message.id
        }

        func state() async throws -> QueueState {
            try await QueueState(huey: queue.huey, client: queue.client, keys: queue.keys)
        }

        func monitor(_ watch: MailWatch, _ logger: Logger, warnAge: Duration = .seconds(60)) -> QueueMonitor {
            var options = QueueMonitor.Options()
            options.warnAge = warnAge
            return QueueMonitor(
                huey: queue.huey,
                client: queue.client,
                keys: queue.keys,
                watch: watch,
                options: options,
                logger: logger
            )
        }
    }

    @Test("waiting mail is listed with what happened, the next first, and found by the beginning of its id")
    func lists() async throws {
        let place = try Place()
        try await place.putOff("b@x", seenBefore: 5, due: 7200)
        let id = try await place.putOff("a@x", seenBefore: 5)
        let entries = try await place.waiting.entries(limit: 10)
        #expect(entries.map(\.recipients) == [["a@x"], ["b@x"]])
        #expect(entries.map(\.subject) == ["Subject a@x", "Subject b@x"])
        #expect(entries.map { $0.attempts?.count } == [2, 2])
        #expect(entries.map { $0.attempts?.reason } == ["451 4 2 busy ü", "451 4 2 busy ü"])
        #expect(try await place.waiting.entry(String(id.prefix(13))).id == id)
        await #expect(throws: QueueError.self) { try await place.waiting.entry("none") }
        await place.queue.close()
    }

    @Test("what is dropped is gone with its ledger, and only once")
    func drops() async throws {
        let place = try Place()
        let id = try await place.putOff("a@x", seenBefore: 5)
        let entry = try await place.waiting.entry(id)
        #expect(try await place.waiting.drop(entry))
        #expect(try await !place.waiting.drop(entry))
        #expect(try await place.waiting.count() == 0)
        #expect(try await place.ledger.attempts(of: id) == nil)
        await place.queue.close()
    }

    @Test("what is sent now is the next of the queue, due, and known to have failed before")
    func sendsNow() async throws {
        let place = try Place()
        let id = try await place.putOff("a@x", seenBefore: 5)
        _ = try await place.enqueue("other")
        let entry = try await place.waiting.entry(id)
        #expect(try await place.waiting.sendNow(entry))
        #expect(try await !place.waiting.sendNow(entry), "only once")
        let next = try #require(try await place.queue.huey.storage.dequeue())
        let message = try place.queue.huey.deserialize(next)
        #expect(message.id == id)
        let eta = try #require(message.eta)
        #expect("\(eta)" <= "\(place.queue.huey.now())")
        #expect(try await place.ledger.attempts(of: id)?.count == 2)
        await place.queue.close()
    }

    @Test("the ledger is read as workers of before wrote it, and they read this one's")
    func ledgerForms() async throws {
        let place = try Place()
        let key = "huey.swift.mail.huey.x"
        try await place.queue.client.command("SET", .init(key), "3 17")
        #expect(try await place.ledger.attempts(of: "x") == MailAttempts(count: 3, firstSeen: 17))
        let attempts = MailAttempts(count: 4, firstSeen: 18, reason: "451 1 2 3")
        try await place.ledger.remember(attempts, of: "x", seconds: 9)
        #expect(try await place.ledger.attempts(of: "x") == attempts)
        let text = try #require(try await place.queue.client.command("GET", .init(key)).string)
        #expect(text.split(separator: " ").compactMap { Int($0) } == [4, 18])
        await place.queue.close()
    }

    @Test("the oldest is the oldest of queue and retries; what is gone does not count")
    func states() async throws {
        let place = try Place()
        #expect(try await place.state() == place.state())
        #expect(try await place.state().oldest == nil)
        let id = try await place.putOff("a@x", seenBefore: 500)
        try await place.putOff("b@x", seenBefore: 100)
        _ = try await place.enqueue("c@x")
        let state = try await place.state()
        #expect((state.waiting, state.retrying, state.dead) == (1, 2, 0))
        let oldest = try #require(state.oldest)
        #expect(oldest >= .seconds(500) && oldest < .seconds(560))
        _ = try await place.waiting.drop(place.waiting.entry(id))
        let later = try #require(try await place.state().oldest)
        #expect(later >= .seconds(100) && later < .seconds(160))
        await place.queue.close()
    }

    @Test("the monitor warns of retries that another worker put off, and of a queue whose head changes")
    func warns() async throws {
        let place = try Place()
        let (logger, lines) = CollectingLog.make()
        let watch = MailWatch()
        let monitor = place.monitor(watch, logger)
        let id = try await place.putOff("a@x", seenBefore: 300)
        await monitor.begin()
        let clock = ManualClock()
        let run = Task { await monitor.run(clock: clock) }
        func look(_ round: Int) async {
            await clock.waitForSleeps(round)
            clock.advance(by: .seconds(15))
            await clock.waitForSleeps(round + 1)
        }
        await look(1)
        #expect(lines.all.count { $0.contains("waited for 5 min: 0 wait in the queue, 1 for another attempt") } == 1)
        _ = try await place.waiting.drop(place.waiting.entry(id))
        await look(2)
        #expect(watch.oldestRetry == nil)
        // Of a queue that moves each mail has waited long all the same.
        let old = try await place.enqueue("b@x")
        _ = try await place.enqueue("c@x")
        watch.found([old], since: place.now - 120_000_000)
        await look(3)
        #expect(lines.all.count { $0.contains("waited for 120 s: 2 wait in the queue, 0 for another attempt") } == 1)
        // Whoever looks from outside learns it, too.
        let seen = try #require(try await place.state().oldest)
        #expect(seen >= .seconds(120))
        run.cancel()
        await run.value
        await place.queue.close()
    }
}
