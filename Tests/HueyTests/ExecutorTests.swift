import Foundation
import Pickle
import TestSupport
import Testing

@testable import Huey

@Suite("Running one message", .eachRoute)
struct ExecutorTests {
    @Test(
        "what cannot be decoded is buried with its bytes, and the worker goes on",
        arguments: [
            [], [0xFF], Array("not a pickle".utf8), [0x80, 5, 0x4B, 1, 0x2E], [0x80, 5, 0x95],
        ] as [[UInt8]]
    )
    func undecodable(data: [UInt8]) async throws {
        let worker = Worker()
        worker.huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        try await worker.storage.enqueue(data, priority: nil)
        let result = try await worker.huey.remoteTask("tasks.add", returning: Int.self)(1, 2)
        #expect(try await worker.drain() == 2)
        #expect(try await result.value() == 3)
        let letter = try #require(worker.storage.deadLetters.first)
        #expect(letter.data == data)
        #expect(letter.reason == .undecodable)
        #expect(letter.time == worker.time.microseconds)
        #expect(!letter.detail.isEmpty)
    }

    @Test("an unknown task is buried under its name")
    func unknown() async throws {
        let worker = Worker()
        let message = try worker.huey.message("tasks.missing", TaskArguments(["secret"]))
        try await worker.huey.enqueue(message)
        try await worker.drain()
        let letter = try #require(worker.storage.deadLetters.first)
        #expect(letter.reason == .unknownTask)
        #expect(letter.detail == "tasks.missing not found in TaskRegistry")
        #expect(try worker.huey.deserialize(letter.data).id == message.id)
        #expect(!worker.log.all.contains { $0.contains("secret") })
        #expect(try await worker.counts().results == 0)
    }

    @Test("a dead letter is a dict that Python can read")
    func letter() throws {
        let letter = DeadLetter(data: [1, 2], reason: .unknownTask, detail: "why", time: 1_500_000)
        let root = try PickleDocument(letter.pickled(protocol: 2)).root
        #expect(root.repr == "{'reason': 'unknown-task', 'detail': 'why', 'time': 1.5, 'message': b'\\x01\\x02'}")
        let read = try DeadLetter(pickle: root)
        #expect(read.data == [1, 2] && read.reason == .unknownTask && read.detail == "why" && read.time == 1_500_000)
    }

    @Test("a value that cannot be written is the task's failure")
    func unwritableValue() async throws {
        struct Unwritable: PickleCodable, Sendable {
            init() {}
            init(pickle: PickleView) throws {}
            func encode(to writer: inout PickleWriter) throws { throw PickleException.builtin("ValueError", "no") }
        }
        let worker = Worker()
        worker.huey.task("tasks.bad") { () -> Unwritable in Unwritable() }
        let result = try await worker.run(worker.huey.message("tasks.bad"))
        #expect(throws: TaskException.self) { try result.get() }
        guard case .failure(let error) = result else { return }
        #expect(error.error == "ValueError('no')")
    }

    @Test("a retry beyond the year 9999 is buried, not lost")
    func retryBeyondTime() async throws {
        let worker = Worker()
        worker.huey.task("tasks.late") { () -> Int in throw RetryTask(start: .delay(seconds: 1e14)) }
        try await worker.huey.enqueue(worker.huey.message("tasks.late"))
        try await worker.drain()
        #expect(worker.storage.deadLetters.map(\.reason) == [.unwritable])
    }

    @Test("a Swift error appears as the exception it maps to, or as RuntimeError")
    func errors() async throws {
        enum Failure: Error { case odd }
        struct Localized: LocalizedError { var errorDescription: String? { "the disk is full" } }
        let worker = Worker()
        worker.huey.task("tasks.localized") { () -> Int in throw Localized() }
        worker.huey.task("tasks.swift") { () -> Int in throw Failure.odd }
        worker.huey.task("tasks.python") { () -> Int in throw PickleException.builtin("KeyError", "k") }
        worker.huey.task("tasks.types", parameters: "a") { (a: Int) in a }
        for (name, arguments, text) in [
            ("tasks.swift", TaskArguments(), "RuntimeError('odd')"), ("tasks.python", TaskArguments(), "KeyError('k')"),
            ("tasks.localized", TaskArguments(), "RuntimeError('the disk is full')"),
            ("tasks.types", TaskArguments(["x"]), "TypeError(\"expected int, found str 'x'\")"),
        ] {
            guard case .failure(let error) = try await worker.run(worker.huey.message(name, arguments)) else {
                Issue.record("\(name) did not fail")
                continue
            }
            #expect(error.error == text)
            #expect(error.traceback.hasPrefix("Traceback (most recent call last):\n"))
            #expect(error.retries == 0)
        }
    }

    @Test("a task that outlives its timeout is cancelled and fails with TaskTimeout", arguments: [true, false])
    func timeout(inMessage: Bool) async throws {
        let worker = Worker()
        let settings = TaskSettings(timeout: inMessage ? nil : 0.01)
        let cancelled = Recorder<Bool>()
        worker.huey.task("tasks.slow", settings: settings) { () -> Int in
            do {
                try await Task.sleep(for: .seconds(3600))
            } catch {
                cancelled.append(Task.isCancelled)
                throw error
            }
            return 1
        }
        let signals = Recorder<Signal>()
        worker.huey.onSignal(.timeout, .error) { signals.append($0.signal) }
        var message = try worker.huey.message("tasks.slow")
        if inMessage { message.timeout = 0.01 }
        guard case .failure(let error) = try await worker.run(message) else {
            Issue.record("no failure")
            return
        }
        #expect(error.error == "TaskTimeout('timeout (0.01s)')")
        #expect(cancelled.all == [true])
        #expect(signals.all == [.timeout])
    }

    @Test("a timeout of 0 is none")
    func noTimeout() async throws {
        let worker = Worker()
        worker.huey.contextTask("tasks.deadline") { (context: TaskContext) in context.deadline == nil }
        var message = try worker.huey.message("tasks.deadline")
        message.timeout = 0
        #expect(try await worker.run(message).get()?.bool == true)
    }

    @Test("a context task is told about itself")
    func context() async throws {
        let worker = Worker()
        let settings = TaskSettings(retries: 4, retryDelay: 2.5, retryBackoff: 3, priority: 1, timeout: 60)
        let seen = Recorder<TaskContext>()
        worker.huey.contextTask("tasks.context", parameters: "a", settings: settings) {
            (context: TaskContext, a: Int) in
            seen.append(context)
            try context.checkTimeout()
            return a
        }
        var message = try worker.huey.message(
            "tasks.context",
            TaskArguments([5]),
            options: TaskOptions(id: "me", retries: 0)
        )
        message.expires = .seconds(30)
        #expect(try await worker.run(message).get()?.int == 5)
        let context = try #require(seen.all.first)
        #expect(context.id == "me")
        #expect(context.retries == 0)
        #expect(context.retryDelay == 2.5)
        #expect(context.retryBackoff == 3)
        #expect(context.priority == 1)
        #expect(context.timeout == 60)
        #expect(context.expires == .seconds(30))
        #expect(try #require(context.timeRemaining) <= .seconds(60))
    }

    @Test("a cancelled worker leaves no result and no retry")
    func interrupted() async throws {
        let worker = Worker()
        let started = Recorder<String>()
        worker.huey.contextTask("tasks.slow", settings: TaskSettings(retries: 5)) { (context: TaskContext) -> Int in
            started.append(context.id)
            try await Task.sleep(for: .seconds(3600))
            return 1
        }
        let signals = Recorder<Signal>()
        worker.huey.onSignal { signals.append($0.signal) }
        try await worker.huey.enqueue(worker.huey.message("tasks.slow"))
        let data = try #require(try await worker.storage.dequeue())
        let run = Task { try await worker.executor.run(Delivery(data: data)) }
        await started.wait(for: 1)
        #expect(worker.inFlight.count == 1)
        await worker.inFlight.notifyInterrupted(worker.huey)
        run.cancel()
        _ = try await run.value
        #expect(signals.all == [.enqueued, .executing, .interrupted])
        #expect(try await worker.counts() == (0, 0, 0))
        #expect(worker.inFlight.count == 0)
    }

    @Test("errors of hooks and receivers are logged and go no further")
    func failingHooks() async throws {
        struct Failure: Error {}
        let worker = Worker()
        worker.huey.task("tasks.one") { 1 }
        worker.huey.preExecute("pre") { _ in throw Failure() }
        worker.huey.postExecute("post") { _, _ in throw Failure() }
        worker.huey.onSignal(.complete) { _ in throw Failure() }
        #expect(try await worker.run(worker.huey.message("tasks.one")).get()?.int == 1)
        let errors = worker.log.all.filter { $0.hasPrefix("error") }
        #expect(errors.count == 3)
        #expect(errors.contains { $0.contains("pre-execute hook pre") })
        #expect(errors.contains { $0.contains("post-execute hook post") })
        #expect(errors.contains { $0.contains("signal \"complete\"") })
    }

    @Test("receivers of one signal are called before receivers of all, each kind in order")
    func receiverOrder() async throws {
        let worker = Worker()
        let calls = Recorder<String>()
        worker.huey.task("tasks.one") { 1 }
        worker.huey.onSignal { calls.append("all \($0.signal)") }
        worker.huey.onSignal(.complete, .executing) { calls.append("first \($0.signal)") }
        worker.huey.onSignal(.complete) { calls.append("second \($0.signal)") }
        try await worker.huey.enqueue(worker.huey.message("tasks.one"))
        try await worker.drain()
        #expect(
            calls.all == [
                "all enqueued", "first executing", "all executing", "first complete", "second complete", "all complete",
            ]
        )
    }

    @Test("a task scheduled for later waits, moves when it is due, and runs")
    func schedule() async throws {
        let worker = Worker()
        let add = worker.huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        let result = try await add.with(TaskOptions(start: .delay(seconds: 10)))(1, 2)
        try await worker.drain()
        #expect(try await worker.counts() == (0, 1, 0))
        worker.time.advance(seconds: 9.999_999)
        try await worker.promote()
        #expect(try await worker.counts() == (0, 1, 0))
        worker.time.advance(seconds: 0.000_001)
        try await worker.promote()
        #expect(try await worker.counts() == (1, 0, 0))
        try await worker.drain()
        #expect(try await result.value() == 3)
    }

    @Test("what is scheduled and cannot be read is buried when it is due")
    func undecodableSchedule() async throws {
        let worker = Worker()
        try await worker.storage.addToSchedule([1, 2, 3], at: worker.huey.now())
        try await worker.promote()
        #expect(worker.storage.deadLetters.map(\.data) == [[1, 2, 3]])
        #expect(try await worker.counts() == (0, 0, 0))
    }

    @Test("an expiry is resolved anew when a scheduled task becomes due")
    func expiresAfterSchedule() async throws {
        let worker = Worker()
        worker.huey.task("tasks.one") { 1 }
        let options = TaskOptions(start: .delay(seconds: 100), expires: .seconds(10))
        try await worker.huey.enqueue(worker.huey.message("tasks.one", options: options))
        try await worker.drain()
        worker.time.advance(seconds: 100)
        try await worker.promote()
        let message = try #require(try await worker.huey.pending().first)
        #expect(message.expiresResolved == (try worker.huey.now().adding(seconds: 10)))
    }

    @Test(
        "what cannot be computed with ends the task, once, and is kept",
        arguments: [.float(.nan), .float(.infinity), .string("soon")] as [PickleValue],
        [false, true]
    )
    func uncomputable(value: PickleValue, isRequest: Bool) async throws {
        let worker = Worker()
        let delay = PythonNumber(field: try PickleDocument(try value.pickled()).root)
        worker.huey.task("tasks.fails") { () throws -> Int in
            if isRequest { throw RetryTask(start: .delay(seconds: delay)) }
            throw PickleException.builtin("ValueError", "boom")
        }
        var message = try worker.huey.message("tasks.fails")
        message.retries = 1
        message.retryDelay = delay
        try await worker.huey.enqueue(message)
        try await worker.drain()
        let counts = try await worker.counts()
        #expect(counts.queue == 0 && counts.schedule == 0)
        // huey has stored the error by then, but not when the request itself makes no sense.
        #expect(counts.results == (isRequest ? 0 : 1))
        #expect(worker.storage.deadLetters.map(\.reason) == [.unwritable])
    }

    @Test("only one task that consumers have died with runs at a time", arguments: [0, 1])
    func suspects(deaths: Int) async throws {
        let worker = Worker()
        let steps = Recorder<String>()
        worker.huey.task("tasks.slow") {
            steps.append("begin")
            // Long enough for the other to begin, where it may.
            for _ in 0..<400 where steps.count < 2 { try await Task.sleep(for: .milliseconds(1)) }
            steps.append("end")
        }
        let deliveries = try (0..<2).map { _ in
            var delivery = Delivery(data: try worker.huey.serialize(try worker.huey.message("tasks.slow")))
            (delivery.redeliveries, delivery.deaths) = (2, deaths)
            return delivery
        }
        try await withThrowingTaskGroup(of: Executor.Completion.self) { group in
            for delivery in deliveries { group.addTask { try await worker.executor.run(delivery) } }
            for try await completion in group { #expect(completion == .settled) }
        }
        #expect(steps.all == (deaths == 0 ? ["begin", "begin", "end", "end"] : ["begin", "end", "begin", "end"]))
    }
}
