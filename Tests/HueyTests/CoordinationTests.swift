import Pickle
import TestSupport
import Testing

@testable import Huey

@Suite("Locks, rate limits and chords", .eachRoute)
struct CoordinationTests {
    // MARK: locks

    @Test("a lock is held by one at a time, under huey's key, and opens whatever happens")
    func lock() async throws {
        struct Failure: Error {}
        let worker = Worker()
        let lock = worker.huey.lock("l")
        try await lock.withLock { () async throws -> Void in
            #expect(try await lock.isLocked())
            #expect(try await worker.storage.resultItems().keys.sorted() == ["h.lock.l"])
            // huey stores the string '1'.
            #expect(try await worker.huey.get("h.lock.l", peek: true)?.string == "1")
            let error = await #expect(throws: TaskLocked.self) { try await worker.huey.lock("l").acquire() }
            #expect(error?.pythonException.repr == "TaskLockedException('unable to acquire lock l')")
        }
        #expect(try await worker.huey.isLocked("l") == false)
        await #expect(throws: Failure.self) { try await lock.withLock { () async throws -> Void in throw Failure() } }
        #expect(try await lock.isLocked() == false)
        #expect(try await lock.release() == false)
    }

    @Test("flushing opens the locks that are known and those named, and tells which were held")
    func flush() async throws {
        let worker = Worker()
        try await worker.huey.lock("a").acquire()
        _ = worker.huey.lock("b")
        let other = Huey("h", storage: worker.storage)
        try await other.lock("c").acquire()
        try await other.lock("d").acquire()
        #expect(try await worker.huey.flushLocks([" c ", "e"]) == ["a", "c"])
        #expect(try await other.isLocked("d"))
        #expect(try await other.isLocked("c") == false)
    }

    @Test("a task that finds the lock taken is put back without losing a retry it has not")
    func lockedTask() async throws {
        let worker = Worker()
        let huey = worker.huey
        huey.task("tasks.locked", settings: TaskSettings(retries: 1, retryDelay: 5)) {
            try await huey.lock("l").withLock { 1 }
        }
        try await huey.lock("l").acquire()
        let message = try huey.message("tasks.locked")
        try await huey.enqueue(message)
        try await worker.drain()
        #expect(try await huey.scheduledCount() == 1)
        try await huey.lock("l").release()
        worker.time.advance(seconds: 5)
        try await worker.promote()
        try await worker.drain()
        #expect(try await huey.result(id: message.id, of: Int.self).value() == 1)
    }

    // MARK: rate limits

    @Test("so many calls pass in each window, and the rest are told when it ends")
    func rateLimit() async throws {
        let worker = Worker()
        worker.time.set(1_000_000_007_250_000)
        let limit = worker.huey.rateLimit("r", limit: 2, per: 10)
        try await limit.acquire()
        try await limit.acquire()
        let error = await #expect(throws: RateLimitExceeded.self) { try await limit.acquire() }
        #expect(error?.key == "r")
        #expect(error?.delay == 2.75)
        #expect(error?.retry == true)
        #expect(try await limit.currentUsage() == 3)
        worker.time.advance(seconds: 2.75)
        try await limit.acquire()
        #expect(try await limit.currentUsage() == 1)
        try await limit.reset()
        #expect(try await limit.currentUsage() == 0)
        #expect(try await worker.counts().results == 0)
    }

    @Test("the window is kept as huey keeps it")
    func window() async throws {
        let worker = Worker()
        worker.time.set(1_000_000_007_250_000)
        try await worker.huey.rateLimit("r", limit: 2, per: 10).acquire()
        #expect(try await worker.huey.get("h.rl.r.w", peek: true)?.int == 100_000_000)
        #expect(try await worker.storage.increment("h.rl.r", by: 0) == 1)
    }

    @Test("a window that is none is Python's ZeroDivisionError")
    func noWindow() async throws {
        let error = await #expect(throws: PickleException.self) {
            try await Worker().huey.rateLimit("r", limit: 2, per: 0).acquire()
        }
        #expect(error?.repr == "ZeroDivisionError('integer division or modulo by zero')")
    }

    @Test("a task over the limit waits for the next window without losing a retry")
    func limitedTask() async throws {
        let worker = Worker()
        let huey = worker.huey
        worker.time.set(1_000_000_007_250_000)
        huey.task("tasks.limited") {
            try await huey.rateLimit("r", limit: 1, per: 10).acquire()
            return 1
        }
        try await huey.enqueue(contentsOf: [huey.message("tasks.limited"), huey.message("tasks.limited")])
        try await worker.drain()
        #expect(try await worker.counts().schedule == 1)
        let waiting = try #require(try await huey.scheduled().first)
        #expect(waiting.retries == 0)
        #expect(waiting.eta == (try huey.now().adding(seconds: 2.75)))
        worker.time.advance(seconds: 2.75)
        try await worker.promote()
        try await worker.drain()
        #expect(try await worker.counts().schedule == 0)
        #expect(try await huey.result(id: waiting.id, of: Int.self).value() == 1)
    }

    // MARK: chords

    private static func chordWorker() -> Worker {
        let worker = Worker()
        worker.huey.task("tasks.echo", parameters: "x") { (x: Int) in x }
        worker.huey.task("tasks.total", parameters: "values") { (values: [Int]) in values.reduce(0, +) }
        worker.huey.task("tasks.show", parameters: "values") { (values: PickleView) in values.repr }
        worker.huey.task("tasks.fail") { () -> Int in throw PickleException.builtin("ValueError", "boom") }
        return worker
    }

    @Test("the callback runs once with all results, in the members' order, and nothing stays behind")
    func chord() async throws {
        let worker = Self.chordWorker()
        let huey = worker.huey
        let members = try [1, 2, 39].map { try huey.message("tasks.echo", TaskArguments([$0])) }
        let result = try await huey.enqueue(Chord(members, callback: huey.message("tasks.total")))
        // The last comes first.
        let queue = try await huey.storage.dequeue(upTo: 9, wait: .zero)
        for delivery in queue.reversed() { try await worker.executor.run(delivery) }
        #expect(try await worker.drain() == 1)
        #expect(try await result.callback.values() == [42])
        #expect(try await result.members.values() == [1, 2, 39])
        #expect(try await worker.counts() == (0, 0, 0))
    }

    @Test("a chord without members runs its callback with an empty list")
    func emptyChord() async throws {
        let worker = Self.chordWorker()
        let result = try await worker.huey.enqueue(Chord([Message](), callback: worker.huey.message("tasks.total")))
        #expect(try await worker.drain() == 1)
        #expect(try await result.callback.values() == [0])
    }

    @Test("a chord's callback may be a member of another chord")
    func nestedChord() async throws {
        let worker = Self.chordWorker()
        let huey = worker.huey
        func echo(_ x: Int) throws -> Message { try huey.message("tasks.echo", TaskArguments([x])) }
        let inner = Chord([try echo(1), try echo(2)], callback: try huey.message("tasks.total"))
        let outer = Chord([.chord(inner), .task(try echo(10))], callback: try huey.message("tasks.total"))
        let result = try await huey.enqueue(outer)
        try await worker.drain()
        #expect(try await result.callback.values() == [13])
        #expect(try await result.members.values() == [3, 10])
    }

    @Test("a member that fails or does not run is told to the callback")
    func failingMember() async throws {
        let worker = Self.chordWorker()
        let huey = worker.huey
        let failing = try huey.message("tasks.fail")
        let revoked = try huey.message("tasks.echo", TaskArguments([1])).then(huey.message("tasks.echo"))
        let result = try await huey.enqueue(Chord([failing, revoked], callback: huey.message("tasks.show")))
        try await huey.revoke(id: revoked.id)
        try await worker.drain()
        guard case .string(let shown) = try await result.callback.values().first else {
            Issue.record("no text")
            return
        }
        #expect(shown.contains("ValueError('boom')"))
        #expect(shown.contains("SKIPPED"))
        #expect(try await worker.storage.increment("chord", by: 0) == 0)
    }
}
