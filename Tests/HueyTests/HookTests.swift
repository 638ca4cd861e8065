import Huey
import Pickle
import TestSupport
import Testing

@Suite("Hooks and receivers come and go", .eachRoute)
struct HookTests {
    @Test("a receiver is told no more of the signals it is disconnected from")
    func disconnect() async throws {
        let worker = Worker()
        let heard = Recorder<String>()
        worker.huey.task("tasks.add", parameters: "a") { (a: Int) in a }
        let all = worker.huey.onSignal { heard.append("all \($0.signal.rawValue)") }
        let two = worker.huey.onSignal(.executing, .complete) { heard.append("two \($0.signal.rawValue)") }
        _ = try await worker.run(worker.huey.message("tasks.add", TaskArguments([1])))
        #expect(
            heard.take() == ["all enqueued", "two executing", "all executing", "two complete", "all complete"]
        )
        worker.huey.disconnectSignal(two, .executing)
        _ = try await worker.run(worker.huey.message("tasks.add", TaskArguments([1])))
        #expect(heard.take() == ["all enqueued", "all executing", "two complete", "all complete"])
        worker.huey.disconnectSignal(all)
        worker.huey.disconnectSignal(two)
        _ = try await worker.run(worker.huey.message("tasks.add", TaskArguments([1])))
        #expect(heard.take().isEmpty)
    }

    @Test("a hook is taken back by its name, and one of the same name takes its place")
    func unregister() async throws {
        let worker = Worker()
        let calls = Recorder<String>()
        worker.huey.task("tasks.add", parameters: "a") { (a: Int) in a }
        worker.huey.preExecute("first") { _ in calls.append("first") }
        worker.huey.preExecute("second") { _ in calls.append("second") }
        worker.huey.preExecute("first") { _ in calls.append("first again") }
        worker.huey.postExecute("after") { _, _ in calls.append("after") }
        _ = try await worker.run(worker.huey.message("tasks.add", TaskArguments([1])))
        #expect(calls.take() == ["first again", "second", "after"])
        #expect(worker.huey.unregisterPreExecute("first"))
        #expect(!worker.huey.unregisterPreExecute("first"))
        #expect(worker.huey.unregisterPostExecute("after"))
        #expect(!worker.huey.unregisterPostExecute("after"))
        _ = try await worker.run(worker.huey.message("tasks.add", TaskArguments([1])))
        #expect(calls.take() == ["second"])
    }

    @Test("hooks of a consumer are taken back, too")
    func lifecycle() async {
        let worker = Worker()
        let calls = Recorder<String>()
        worker.huey.onStartup("one") { calls.append("up") }
        worker.huey.onShutdown("one") { calls.append("down") }
        await worker.huey.runLifecycleHooks(.startup)
        await worker.huey.runLifecycleHooks(.shutdown)
        #expect(worker.huey.unregisterOnStartup("one") && worker.huey.unregisterOnShutdown("one"))
        #expect(!worker.huey.unregisterOnStartup("one") && !worker.huey.unregisterOnShutdown("one"))
        await worker.huey.runLifecycleHooks(.startup)
        await worker.huey.runLifecycleHooks(.shutdown)
        #expect(calls.take() == ["up", "down"])
    }

    @Test("a periodic task's value reaches the hooks and what follows, and is not stored")
    func periodicValue() async throws {
        let worker = Worker()
        let values = Recorder<String>()
        worker.huey.periodicTask("tasks.count", .everyMinute) { _ in 42 }
        worker.huey.task("tasks.echo", parameters: "a") { (a: Int) in a }
        worker.huey.postExecute("show") { _, outcome in
            if case .value(let value) = outcome { values.append("\(value)") }
        }
        let next = try worker.huey.message("tasks.echo")
        let periodic = try worker.huey.message("tasks.count")
        try await worker.huey.enqueue(periodic.then(next))
        try await worker.drain()
        #expect(values.all == ["42", "42"])
        #expect(try await worker.huey.allResults().keys.sorted() == [next.id])
    }

    @Test("a periodic task takes no argument, in Python's words")
    func periodicArguments() async throws {
        let worker = Worker()
        let failures = Recorder<String>()
        worker.huey.periodicTask("tasks.count", .everyMinute) { _ in 42 }
        worker.huey.onSignal(.error) { event in failures.append((event.error as? PickleException)?.repr ?? "?") }
        try await worker.huey.enqueue(worker.huey.message("tasks.count", TaskArguments([1])))
        try await worker.drain()
        #expect(failures.all == [#"TypeError("count() got multiple values for argument 'task'")"#])
    }
}
