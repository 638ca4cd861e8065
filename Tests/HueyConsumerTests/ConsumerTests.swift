import Huey
import Logging
import Pickle
import ServiceLifecycle
import TestSupport
import Testing

@testable import HueyConsumer

@Suite("A consumer")
struct ConsumerTests {
    private struct Rig {
        let storage = FlakyStorage()
        let time = ManualTime()
        let huey: Huey
        let log = CollectingLog.make()
        let ready = Recorder<Void>()
        let consumer: Consumer

        init(_ change: (inout ConsumerOptions) -> Void = { _ in }) {
            var options = ConsumerOptions()
            options.initialDelay = .milliseconds(1)
            options.maxDelay = .milliseconds(5)
            change(&options)
            huey = Huey("h", storage: storage, time: time.source, logger: log.logger)
            let ready = ready
            consumer = Consumer(huey, options: options, logger: log.logger, onReady: { ready.append(()) })
        }

        /// Runs the consumer for the time of `body`, and stops it gracefully.
        func run(_ body: () async throws -> Void) async throws {
            let consumer = consumer
            let running = Task { try await consumer.run() }
            do {
                try await body()
            } catch {
                consumer.stop(.interrupt)
                throw error
            }
            consumer.stop(.graceful)
            try await running.value
        }

        func enqueue(_ names: String...) async throws -> [TaskResult<PickleValue>] {
            try await names.asyncMap { name in try await huey.remoteTask(name)() }
        }
    }

    @Test("runs what is enqueued, before and after it starts")
    func runs() async throws {
        let rig = Rig { $0.workers = 3 }
        let add = rig.huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        let early = try await add(1, 2)
        try await rig.run {
            await rig.ready.wait(for: 1)
            #expect(try await early.value() == 3)
            var results: [TaskResult<Int>] = []
            for index in 0..<50 { results.append(try await add(index, 1)) }
            for (index, result) in results.enumerated() { #expect(try await result.value() == index + 1) }
        }
        #expect(rig.ready.count == 1)
        #expect(try await rig.storage.queueSize() == 0)
    }

    @Test("one worker runs tasks in the queue's order")
    func order() async throws {
        let rig = Rig()
        let seen = Recorder<Int>()
        let note = rig.huey.task("tasks.note", parameters: "x") { (x: Int) in seen.append(x) }
        for index in 0..<100 { try await note(index) }
        try await rig.run { await seen.wait(for: 100) }
        #expect(seen.all == Array(0..<100))
    }

    @Test("what a task brought about is in the queue before its worker asks for more: it may come first")
    func followerFirst() async throws {
        let rig = Rig()
        let seen = Recorder<String>()
        let note = rig.huey.task("tasks.note", parameters: "x") { (x: String) in seen.append(x) }
        var follower = try note.s("follower")
        follower.priority = 1
        try await rig.huey.enqueue(try note.s("first").then(follower))
        try await note("other")
        rig.storage.holdCommits()
        try await rig.run {
            await rig.storage.commits.wait(for: 1)
            // Far longer than a worker needs that does not wait.
            try await Task.sleep(for: .milliseconds(50))
            rig.storage.releaseCommits()
            await seen.wait(for: 3)
        }
        #expect(seen.all == ["first", "follower", "other"])
    }

    @Test("so many tasks run at once as there are workers")
    func parallel() async throws {
        let rig = Rig { $0.workers = 4 }
        let started = Recorder<Void>()
        let gate = Gate()
        rig.huey.task("tasks.wait") {
            started.append(())
            await gate.wait()
            return 1
        }
        _ = try await rig.enqueue("tasks.wait", "tasks.wait", "tasks.wait", "tasks.wait", "tasks.wait")
        try await rig.run {
            await started.wait(for: 4)
            #expect(started.count == 4)
            gate.open()
            await started.wait(for: 5)
        }
    }

    @Test("a graceful stop lets the running task finish, stores its result, and puts the rest back")
    func graceful() async throws {
        let rig = Rig()
        let started = Recorder<Void>()
        let gate = Gate()
        rig.huey.task("tasks.wait") {
            started.append(())
            await gate.wait()
            return 1
        }
        let results = try await rig.enqueue("tasks.wait", "tasks.wait", "tasks.wait")
        let running = Task { try await rig.consumer.run() }
        await started.wait(for: 1)
        rig.consumer.stop(.graceful)
        gate.open()
        try await running.value
        #expect(try await results[0].peek() == 1)
        #expect(started.count == 1)
        #expect(try await rig.huey.pending().map(\.id) == results.dropFirst().map(\.id))
        #expect(rig.log.lines.all.contains("info Shutting down gracefully..."))
    }

    @Test("no task starts once a stop was asked for, though the consumer has not come to it", arguments: [false, true])
    func noneAfterStop(isSynchronous: Bool) async throws {
        let rig = Rig()
        let started = Recorder<Void>()
        rig.huey.task("tasks.first") {}
        rig.huey.task("tasks.other") { started.append(()) }
        if isSynchronous {
            rig.huey.task("tasks.stop") { rig.consumer.stop(.graceful) }
        } else {
            rig.huey.task("tasks.stop") { () async in rig.consumer.stop(.graceful) }
        }
        // So many that the others lie ready when it stops.
        let first = Array(repeating: "tasks.first", count: 40)
        for name in first + ["tasks.stop"] + Array(repeating: "tasks.other", count: 50) {
            _ = try await rig.enqueue(name)
        }
        try await rig.consumer.run()
        #expect(started.count == 0)
        #expect(try await rig.huey.pending().count == 50)
    }

    @Test("an interrupt cancels the running task, which leaves no result and is told of", arguments: [false, true])
    func interrupt(twice: Bool) async throws {
        let rig = Rig { $0.workers = 2 }
        let started = Recorder<Void>()
        let signals = Recorder<Signal>()
        rig.huey.task("tasks.wait") { () -> Int in
            started.append(())
            try await Task.sleep(for: .seconds(3600))
            return 1
        }
        rig.huey.onSignal(.interrupted, .complete, .error) { signals.append($0.signal) }
        _ = try await rig.enqueue("tasks.wait")
        let running = Task { try await rig.consumer.run() }
        await started.wait(for: 1)
        // Asked twice for a graceful stop, it interrupts.
        if twice { rig.consumer.stop(.graceful) }
        rig.consumer.stop(twice ? .graceful : .interrupt)
        try await running.value
        #expect(signals.all == [.interrupted])
        #expect(try await rig.storage.resultStoreSize() == 0)
        #expect(try await rig.storage.queueSize() == 0)
    }

    @Test("a graceful stop interrupts when its time is over")
    func shutdownTimeout() async throws {
        let rig = Rig { $0.shutdownTimeout = .milliseconds(20) }
        let started = Recorder<Void>()
        let signals = Recorder<Signal>()
        rig.huey.task("tasks.wait") { () -> Int in
            started.append(())
            try await Task.sleep(for: .seconds(3600))
            return 1
        }
        rig.huey.onSignal(.interrupted) { signals.append($0.signal) }
        _ = try await rig.enqueue("tasks.wait")
        try await rig.run { await started.wait(for: 1) }
        #expect(signals.all == [.interrupted])
        #expect(rig.log.lines.all.contains("warning Shutdown timeout elapsed, interrupting workers."))
    }

    @Test("it waits until the storage can be reached, and can be stopped while it does")
    func waitsForStorage() async throws {
        let rig = Rig()
        rig.storage.failPings(3)
        rig.huey.task("tasks.one") { 1 }
        let result = try await rig.enqueue("tasks.one")[0]
        try await rig.run {
            let value = try await result.value()
            #expect(value == 1)
        }
        let other = Rig { $0.initialDelay = .seconds(1) }
        other.storage.failPings(.max)
        try await other.run { await other.log.lines.wait(for: 1) }
        #expect(other.ready.count == 0)
        #expect(other.log.lines.all.filter { $0.contains("Waiting for the storage") }.count == 1)
    }

    @Test("a queue that cannot be read for a while is read again")
    func readErrors() async throws {
        let rig = Rig()
        rig.storage.failDequeues(3)
        rig.huey.task("tasks.one") { 1 }
        let result = try await rig.enqueue("tasks.one")[0]
        try await rig.run {
            let value = try await result.value()
            #expect(value == 1)
        }
        #expect(rig.log.lines.all.filter { $0 == "error Error reading from queue" }.count == 1)
        #expect(rig.log.lines.all.contains("info Reading from the queue again."))
    }

    @Test("after a failure less is asked for, and by and by as much again")
    func asksForLess() async throws {
        let rig = Rig { $0.workers = 16 }
        rig.storage.failDequeues(4)
        rig.huey.task("tasks.one") { 1 }
        try await rig.run {
            await rig.storage.limits.wait(for: 5)
            let limits = rig.storage.limits.all
            for (limit, next) in zip(limits.prefix(4), limits.dropFirst()) { #expect(next <= max(1, limit / 2)) }
            #expect(limits[4] == 1)
            for _ in 0..<40 { _ = try await rig.enqueue("tasks.one")[0].value() }
            #expect(rig.storage.limits.all.suffix(10).allSatisfy { $0 > 1 })
        }
    }

    @Test("messages stuck behind a long task go back to the queue, in order")
    func handBack() async throws {
        let rig = Rig()
        let started = Recorder<Void>()
        let gate = Gate()
        rig.huey.task("tasks.quick") { 1 }
        rig.huey.task("tasks.wait") {
            started.append(())
            await gate.wait()
            return 1
        }
        // Quick ones first, so that batches grow.
        for _ in 0..<20 { try await rig.huey.remoteTask("tasks.quick")() }
        try await rig.huey.remoteTask("tasks.wait")()
        var behind: [String] = []
        for _ in 0..<5 { behind.append(try await rig.huey.remoteTask("tasks.quick")().id) }
        try await rig.run {
            await started.wait(for: 1)
            if try await rig.storage.queueSize() < 5 { await rig.storage.givenBack.wait(for: 1) }
            #expect(try await rig.huey.pending().map(\.id) == behind)
            gate.open()
            for id in behind { #expect(try await rig.huey.result(id: id, of: Int.self).value() == 1) }
        }
    }

    @Test("where few workers were enough, the others are woken when a task takes its time")
    func wakesOthers() async throws {
        let rig = Rig { $0.workers = 4 }
        let started = Recorder<Void>()
        let gate = Gate()
        let quick = rig.huey.task("tasks.quick") { 1 }
        rig.huey.task("tasks.wait") {
            started.append(())
            await gate.wait()
            return 1
        }
        for _ in 0..<1000 { try await quick() }
        try await rig.huey.remoteTask("tasks.wait")()
        var behind: [TaskResult<Int>] = []
        for _ in 0..<50 { behind.append(try await quick()) }
        try await rig.run {
            await started.wait(for: 1)
            for result in behind {
                let value = try await result.value()
                #expect(value == 1)
            }
            gate.open()
        }
    }

    @Test("nothing is held beyond the running tasks where that is asked for")
    func noPrefetch() async throws {
        let rig = Rig {
            $0.prefetch = 0
            $0.workers = 1
        }
        let seen = Recorder<Void>()
        rig.huey.task("tasks.quick") { seen.append(()) }
        for _ in 0..<30 { try await rig.huey.remoteTask("tasks.quick")() }
        try await rig.run { await seen.wait(for: 30) }
        #expect(rig.storage.dequeues.all == Array(repeating: 1, count: 30))
    }

    @Test("a task sees in the storage what happened before it, and what is still to come")
    func barrier() async throws {
        let rig = Rig()
        let huey = rig.huey
        huey.task("tasks.one") { 1 }
        huey.task("tasks.look", parameters: "id") { (id: String) in
            let result = try await huey.result(id: id, of: Int.self).peek() ?? -1
            return [result, try await huey.pendingCount()]
        }
        // Growing batches: all are fetched together.
        for _ in 0..<20 { try await huey.remoteTask("tasks.one")() }
        let one = try await huey.remoteTask("tasks.one")()
        let look = try await huey.remoteTask("tasks.look", returning: [Int].self)(one.id)
        for _ in 0..<7 { try await huey.remoteTask("tasks.one")() }
        try await rig.run {
            let seen = try await look.value()
            #expect(seen == [1, 7])
        }
    }

    @Test("hooks run when a worker starts, stops, and starts anew after so many tasks")
    func lifecycle() async throws {
        let rig = Rig { $0.maxTasks = 2 }
        let events = Recorder<String>()
        rig.huey.onStartup("start") { events.append("start") }
        rig.huey.onShutdown("stop") { events.append("stop") }
        rig.huey.task("tasks.one") { events.append("task") }
        for _ in 0..<3 { try await rig.huey.remoteTask("tasks.one")() }
        try await rig.run { await events.wait(for: 6) }
        #expect(events.all == ["start", "task", "task", "stop", "start", "task", "stop"])
    }

    @Test("at least once is refused where it cannot be had, and its lack is told of where nobody asked")
    func guarantee() async throws {
        let warning = "warning Delivery is at most once: what a consumer holds when it dies is lost."
        let asking = Rig { $0.delivery = .atLeastOnce }
        await #expect(throws: HueyError.self) { try await asking.consumer.run() }
        let unset = Rig()
        try await unset.run { await unset.ready.wait(for: 1) }
        #expect(unset.log.lines.all.count { $0.hasPrefix(warning) } == 1)
        let content = Rig { $0.delivery = .atMostOnce }
        try await content.run { await content.ready.wait(for: 1) }
        #expect(!content.log.lines.all.contains { $0.hasPrefix(warning) })
    }

    @Test("stale locks are opened at the start where that is asked for")
    func locks() async throws {
        let rig = Rig {
            $0.flushLocks = true
            $0.extraLocks = ["b"]
        }
        try await rig.huey.lock("a").acquire()
        try await Huey("h", storage: rig.storage).lock("b").acquire()
        try await Huey("h", storage: rig.storage).lock("c").acquire()
        try await rig.run { await rig.ready.wait(for: 1) }
        #expect(try await rig.storage.resultItems().keys.sorted() == ["h.lock.c"])
        #expect(rig.log.lines.all.contains("warning Found stale locks: a, b"))
    }

    @Test("it says what it is about to do, in huey's words")
    func announcement() async throws {
        let rig = Rig { $0.periodic = false }
        rig.huey.task("tasks.one") { 1 }
        try await rig.run { await rig.ready.wait(for: 1) }
        let lines = rig.log.lines.all
        #expect(lines.contains("info Scheduler runs every 1 second(s)."))
        #expect(lines.contains("info Periodic tasks are disabled."))
        #expect(lines.contains("info The following commands are available:\n+ tasks.one"))
        #expect(lines.last == "info Consumer exiting.")
    }

    @Test("options or registrations that make no sense keep it from running")
    func refused() async throws {
        await #expect(throws: HueyError.self) { try await Rig { $0.workers = 0 }.consumer.run() }
        await #expect(throws: HueyError.self) { try await Rig { $0.prefetch = -1 }.consumer.run() }
        let rig = Rig()
        rig.huey.task("tasks.one") { 1 }
        rig.huey.task("tasks.one") { 2 }
        let error = await #expect(throws: HueyError.self) { try await rig.consumer.run() }
        #expect(error?.code == .duplicateTask)
    }

    @Test("as a service it stops with its group")
    func service() async throws {
        let rig = Rig()
        rig.huey.task("tasks.one") { 1 }
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: rig.consumer, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: rig.log.logger
            )
        )
        let running = Task { try await group.run() }
        let result = try await rig.enqueue("tasks.one")[0]
        #expect(try await result.value() == 1)
        await group.triggerGracefulShutdown()
        try await running.value
        #expect(rig.log.lines.all.contains("info Consumer exiting."))
    }

    @Test("a cancelled consumer interrupts its tasks and ends")
    func cancelled() async throws {
        let rig = Rig()
        let started = Recorder<Void>()
        rig.huey.task("tasks.wait") { () -> Int in
            started.append(())
            try await Task.sleep(for: .seconds(3600))
            return 1
        }
        _ = try await rig.enqueue("tasks.wait")
        let running = Task { try await rig.consumer.run() }
        await started.wait(for: 1)
        running.cancel()
        try await running.value
        #expect(try await rig.storage.resultStoreSize() == 0)
        // Where the pool is busy the task's own line comes after a second, and that of the consumer does not wait for it.
        #expect(rig.log.lines.all.contains("info Consumer exiting."))
    }
}

extension Array {
    fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
