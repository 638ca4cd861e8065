import Pickle
import TestSupport
import Testing

@testable import Huey

@Suite("A task's result", .eachRoute)
struct ResultTests {
    private static func ready(_ value: PickleValue = 5) async throws -> (Worker, TaskResult<Int>) {
        let worker = Worker()
        try await worker.storage.putData(PickleSerializer().serialize(value), forKey: "id", isResult: true)
        return (worker, worker.huey.result(id: "id", of: Int.self))
    }

    @Test("reading takes it out of the store, and the handle remembers it")
    func value() async throws {
        let (worker, result) = try await Self.ready()
        #expect(try await result.value() == 5)
        #expect(try await worker.counts().results == 0)
        #expect(try await result.value(timeout: .zero) == 5)
        result.reset()
        let error = await #expect(throws: HueyError.self) { try await result.value(timeout: .zero) }
        #expect(error?.code == .resultTimeout)
    }

    @Test("peeking and preserving leave it in the store")
    func peek() async throws {
        let (worker, result) = try await Self.ready()
        #expect(try await result.peek() == 5)
        #expect(try await result.value(preserve: true) == 5)
        #expect(try await worker.counts().results == 1)
        let missing = worker.huey.result(id: "other", of: Int.self)
        #expect(try await missing.peek() == nil)
        #expect(try await missing.isReady() == false)
        #expect(try await result.isReady())
    }

    @Test("an error result is thrown, every time")
    func exception() async throws {
        let worker = Worker()
        worker.huey.task("tasks.fail") { () -> Int in throw PickleException.builtin("ValueError", "boom") }
        let message = try worker.huey.message("tasks.fail")
        let result: TaskResult<PickleValue> = try #require(try await worker.huey.enqueue(message).first)
        try await worker.drain()
        for _ in 0..<2 {
            let error = await #expect(throws: TaskException.self) { try await result.value() }
            #expect(error?.error == "ValueError('boom')")
            #expect(error?.description == "ValueError('boom')")
            #expect(error?.taskID == message.id)
        }
    }

    @Test("a result that is of another type is a type error")
    func wrongType() async throws {
        let (_, result) = try await Self.ready("text")
        let error = await #expect(throws: PickleError.self) { try await result.value() }
        #expect(error?.code == .typeMismatch)
    }

    @Test("waiting ends when the result comes")
    func wait() async throws {
        let worker = Worker()
        let add = worker.huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        let result = try await add(20, 22)
        async let value = result.value()
        try await worker.drain()
        #expect(try await value == 42)
    }

    @Test("an instance without results has none to wait for")
    func disabled() async throws {
        let worker = Worker(options: HueyOptions(results: false))
        worker.huey.task("tasks.one") { 1 }
        let group = try await worker.huey.enqueue(worker.huey.message("tasks.one"))
        try await worker.drain()
        #expect(try await worker.counts().results == 0)
        let error = await #expect(throws: HueyError.self) { try await group[0].value() }
        #expect(error?.code == .resultsDisabled)
    }

    @Test("None is stored only when asked for", arguments: [false, true])
    func none(storeNone: Bool) async throws {
        let worker = Worker(options: HueyOptions(storeNone: storeNone))
        worker.huey.task("tasks.void") { () -> Void in }
        worker.huey.task("tasks.optional") { () -> Int? in nil }
        worker.huey.task("tasks.pickle") { () -> PickleValue in .none }
        for name in worker.huey.taskNames { try await worker.huey.enqueue(worker.huey.message(name)) }
        try await worker.drain()
        #expect(try await worker.counts().results == (storeNone ? 3 : 0))
    }

    @Test("a handle revokes and restores its task")
    func revoke() async throws {
        let worker = Worker()
        let one = worker.huey.task("tasks.one") { 1 }
        let result = try await one()
        try await result.revoke()
        #expect(try await worker.huey.isRevoked(id: result.id))
        #expect(try await result.restore())
        #expect(try await result.restore() == false)
        #expect(try await worker.huey.isRevoked(id: result.id, task: "tasks.one") == false)
        try await worker.huey.revokeAll("tasks.one")
        #expect(try await worker.huey.isRevoked(task: "tasks.one"))
        #expect(try await worker.huey.isRevoked(id: result.id, task: "tasks.one"))
        #expect(try await worker.huey.isRevoked(id: result.id) == false)
        #expect(try await worker.huey.restoreAll("tasks.one"))
        try await worker.drain()
        #expect(try await result.value() == 1)
    }

    @Test("a pipeline gives all its results, in order")
    func pipeline() async throws {
        let worker = Worker()
        let add = worker.huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        let chain = try add.s(1, 2).then(worker.huey.message("tasks.add", TaskArguments([10])))
            .then(worker.huey.message("tasks.add", TaskArguments([100])))
        let results = try await worker.huey.enqueue(chain)
        #expect(try await worker.drain() == 3)
        #expect(try await results.values() == [3, 13, 113])
    }

    @Test("an error handler receives the exception and may have a handler of its own")
    func errorHandler() async throws {
        let worker = Worker()
        worker.huey.task("tasks.fail") { () -> Int in throw PickleException.builtin("ValueError", "boom") }
        let seen = Recorder<String>()
        worker.huey.task("tasks.report", parameters: "prefix", "exc") { (prefix: String, exc: PickleView) in
            seen.append(
                "\(prefix) \(exc.object?.className?.description ?? "?") \(exc.object?.arguments.first?.string ?? "?")"
            )
            throw PickleException.builtin("KeyError", "again")
        }
        let message = try worker.huey.message("tasks.fail")
            .onError(worker.huey.message("tasks.report", TaskArguments(["first"])))
            .onError(worker.huey.message("tasks.report", TaskArguments(["second"])))
        try await worker.huey.enqueue(message)
        #expect(try await worker.drain() == 3)
        #expect(seen.all == ["first builtins.ValueError boom", "second builtins.KeyError again"])
    }

    @Test("a value of one's own is put, read, peeked and deleted")
    func ownValues() async throws {
        let huey = Worker().huey
        try await huey.put(["a": 1], forKey: "k")
        #expect(try await huey.get("k", peek: true)?.repr == "{'a': 1}")
        #expect(try await huey.get("k")?.repr == "{'a': 1}")
        #expect(try await huey.get("k") == nil)
        try await huey.put(1, forKey: "k")
        #expect(try await huey.delete("k"))
        #expect(try await huey.delete("k") == false)
    }
}
