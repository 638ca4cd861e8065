import Pickle
import TestSupport
import Testing

@testable import Huey

@Suite("Handles on results do what huey's do")
struct ResultHandleTests {
    @Test("rescheduling revokes the task once and enqueues another that keeps what was asked for")
    func reschedule() async throws {
        let worker = Worker()
        let add = worker.huey.task("add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        let result = try await add.with(TaskOptions(start: .delay(seconds: 60), retries: 3, timeout: 9))(1, 2)
        try await worker.drain()
        let moved = try await result.reschedule(.delay(seconds: 120), expires: .seconds(300))

        #expect(moved.id != result.id)
        #expect(try await result.isRevoked())
        #expect(try await !moved.isRevoked())
        try await worker.drain()
        let scheduled = try await worker.huey.scheduled()
        #expect(scheduled.map(\.id) == [result.id, moved.id])
        let message = try #require(scheduled.last)
        #expect(message.retries == 3 && message.timeout == 9)
        #expect(try message.eta == worker.huey.now().adding(seconds: 120))
        #expect(try message.expiresResolved == worker.huey.now().adding(seconds: 300))

        worker.time.advance(seconds: 130)
        try await worker.promote()
        try await worker.drain()
        #expect(try await moved.value() == 3)
        #expect(try await result.peekView() == nil)
        // The revocation was for one run.
        #expect(try await !result.isRevoked())
    }

    @Test("a rescheduled task brings its pipeline and its error handler along, or leaves them")
    func pipeline() async throws {
        let worker = Worker()
        worker.huey.task("add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        let add = worker.huey.remoteTask("add")
        let first = try add.s(1, 2).then(try add.s(3)).onError(try add.s(4))
        for isPreserved in [true, false] {
            let result = TaskResult<Int>(huey: worker.huey, message: first)
            let moved = try await result.reschedule(priority: 7, preservingPipeline: isPreserved)
            let message = try #require(try await worker.huey.pending().first)
            #expect(message.id == moved.id)
            #expect(message.priority == 7)
            #expect(message.onComplete?.message.id == (isPreserved ? first.onComplete?.message.id : nil))
            #expect(message.onError?.message.id == (isPreserved ? first.onError?.message.id : nil))
            #expect(try await worker.drain() == (isPreserved ? 2 : 1))
        }
        let error = await #expect(throws: HueyError.self) {
            try await worker.huey.result(id: "x", of: Int.self).reschedule()
        }
        #expect(error?.code == .unknownTask)
    }

    @Test("a task is revoked by its id or with all of its name")
    func revoked() async throws {
        let worker = Worker()
        let result = try await worker.huey.remoteTask("add")(1, 2)
        #expect(try await !result.isRevoked())
        try await worker.huey.revokeAll("add")
        #expect(try await result.isRevoked())
        #expect(try await !worker.huey.result(id: result.id, of: Int.self).isRevoked())
        try await worker.huey.restoreAll("add")
        try await result.revoke()
        #expect(try await worker.huey.result(id: result.id, of: Int.self).isRevoked())
    }

    @Test("a wait that ends without a result revokes the task when asked to", arguments: [true, false])
    func revokeOnTimeout(_ isAsked: Bool) async throws {
        let worker = Worker()
        let add = worker.huey.task("add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        let result = try await add(1, 2)
        let error = await #expect(throws: HueyError.self) {
            try await result.value(timeout: .milliseconds(1), revokeOnTimeout: isAsked)
        }
        #expect(error?.code == .resultTimeout)
        try await worker.drain()
        #expect(try await result.peek() == (isAsked ? nil : 3))
    }

    @Test("results come in the order in which they are there, failures among them")
    func asCompleted() async throws {
        let worker = Worker()
        let add = worker.huey.task("add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        worker.huey.task("fail") { () throws -> Int in throw PickleException.builtin("ValueError", "boom") }
        let fail = worker.huey.remoteTask("fail")
        let group = Group([try add.s(1, 1), try fail.s(), try add.s(2, 2), try add.s(3, 3)])
        let results = try await worker.huey.enqueue(group)
        // Asked before the first is there; each further one comes when the one before it was handed out.
        var messages: [Message] = []
        while let data = try await worker.storage.dequeue() { messages.append(try worker.huey.deserialize(data)) }
        var order = [2, 0, 1, 3].map { messages[$0] }
        var ids: [String] = []
        let iterate = results.asCompleted(maxDelay: .milliseconds(1))
        let next = order.removeFirst()
        async let first = worker.executor.run(Delivery(data: try worker.huey.serialize(next)))
        for try await result in iterate {
            ids.append(result.id)
            do {
                _ = try await result.value()
            } catch let error as TaskException {
                #expect(error.error == "ValueError('boom')")
            }
            if !order.isEmpty {
                try await worker.executor.run(Delivery(data: try worker.huey.serialize(order.removeFirst())))
            }
        }
        _ = try await first
        #expect(ids == [2, 0, 1, 3].map { messages[$0].id })
        #expect(try await worker.huey.resultCount() == 0)
    }

    @Test("one question asks for all results that are missing")
    func fewQuestions() async throws {
        let worker = Worker()
        let add = worker.huey.task("add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        let results = try await add.map((0..<20).map { ($0, 1) })
        try await worker.drain()
        var sums: [Int] = []
        for try await result in results.asCompleted() { sums.append(try await result.value()) }
        #expect(sums == Array(1...20))
    }

    @Test("who waits for results can be cancelled, and an instance without results says so")
    func cancelled() async throws {
        let worker = Worker()
        let results = try await worker.huey.enqueue(Group([try worker.huey.remoteTask("add").s(1, 2)]))
        let waiting = Task { for try await _ in results.asCompleted() {} }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }

        let without = Worker(options: HueyOptions(results: false))
        let none = try await without.huey.enqueue(Group([try without.huey.remoteTask("add").s(1, 2)]))
        let error = await #expect(throws: HueyError.self) { for try await _ in none.asCompleted() {} }
        #expect(error?.code == .resultsDisabled)
    }

    @Test("a task's handler can be called without the queue")
    func callLocal() async throws {
        let worker = Worker()
        let add = worker.huey.task("add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        let calls = Recorder<String>()
        let note = worker.huey.task("note", parameters: "text") { (text: String) in calls.append(text) }
        let context = worker.huey.contextTask("me", parameters: "a", settings: TaskSettings(retries: 4)) {
            (context: TaskContext, a: Int) in "\(context.message.name) \(context.retries) \(a)"
        }
        #expect(try await add.callLocal(3, 4) == 7)
        _ = try await note.callLocal("x")
        #expect(try await context.callLocal(5) == "me 4 5")
        #expect(calls.all == ["x"])
        #expect(try await worker.counts() == (0, 0, 0))
    }

    @Test("a group's error handler is there for each task, with an id of its own where it is made anew")
    func groupHandlers() async throws {
        let worker = Worker()
        let fail = worker.huey.remoteTask("fail"), log = worker.huey.remoteTask("log")
        let group = Group([try fail.s(), try fail.s()])
        let anew = try group.onError(try log.s())
        #expect(Set(anew.tasks.compactMap { $0.onError?.message.id }).count == 2)
        let same = try log.s()
        #expect(group.onError(same).tasks.map { $0.onError?.message.id } == [same.id, same.id])
        // A second handler is the handler of the first.
        let chain = anew.onError(same)
        #expect(chain.tasks.map { $0.onError?.message.onError?.message.id } == [same.id, same.id])
        let chord = group.then(try log.s()).then(same).onError(same)
        #expect(chord.callback.onComplete?.message.id == same.id)
        #expect(chord.callback.onError?.message.id == same.id)
    }
}
