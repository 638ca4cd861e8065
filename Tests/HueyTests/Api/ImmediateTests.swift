import Pickle
import TestSupport
import Testing

@testable import Huey

/// `Fixtures/immediate.json` is what huey does; `interop/immediate.py` writes it.
@Suite("Immediate mode runs what huey runs, in its order")
struct ImmediateTests {
    struct Document: Decodable {
        var cases: [Case]
    }

    struct Options: Decodable, Sendable {
        var results: Bool?
        var store_none: Bool?
    }

    struct Step: Decodable, Sendable {
        var message: Base64Bytes?
        var revoke: String?
    }

    struct Case: Decodable, Sendable {
        var name: String
        var options: Options
        var steps: [Step]
        var trace: [String]
        var results: [String: String]
        var queue: Int
        var schedule: [String]
    }

    @Test("the same messages leave the same signals, calls, results and schedule")
    func replay() async throws {
        let cases = try Fixture.load("immediate.json", as: Document.self).cases
        try #require(cases.count > 50)
        for test in cases {
            let trace = Recorder<String>()
            let huey = instance(test.options, trace)
            for step in test.steps {
                if let id = step.revoke { try await huey.revoke(id: id) }
                if let data = step.message { try await huey.enqueue(try huey.deserialize(data.bytes)) }
            }
            #expect(trace.all == test.trace, "\(test.name)")
            #expect(try await stored(huey) == test.results, "\(test.name)")
            #expect(try await huey.pendingCount() == test.queue, "\(test.name)")
            #expect(try await huey.scheduled().map(\.id) == test.schedule, "\(test.name)")
        }
    }

    private func instance(_ options: Options, _ trace: Recorder<String>) -> Huey {
        let options = HueyOptions(
            results: options.results ?? true,
            storeNone: options.store_none ?? false,
            immediate: true
        )
        let huey = Huey("h", storage: UntouchableStorage(), options: options, time: ManualTime().source)
        huey.onSignal { trace.append("signal \($0.signal.rawValue) \($0.message.id)") }
        huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in
            trace.append("call add")
            return a + b
        }
        huey.task("tasks.fail", parameters: .variadic("args")) { (_: PickleValue) in
            trace.append("call fail")
            throw PickleException.builtin("ValueError", "boom")
        }
        huey.task("tasks.cancel") { () throws -> Int in throw CancelExecution("enough") }
        huey.task("tasks.again", parameters: "delay") { (delay: Double) throws -> Int in
            throw RetryTask("again", start: .delay(seconds: .float(delay)))
        }
        huey.task("tasks.nothing", parameters: .variadic("args")) { (_: PickleValue) in trace.append("call nothing") }
        huey.task("tasks.collect", parameters: "values", .variadic("args")) { (values: [PickleView], _: PickleValue) in
            trace.append("call collect")
            return values.map { ErrorResult.matches($0) ? PickleValue.string("Error") : .view($0) }
        }
        return huey
    }

    private func stored(_ huey: Huey) async throws -> [String: String] {
        try await huey.storage.resultItems().mapValues { data in
            let view = try huey.serializer.deserialize(data)
            return ErrorResult.matches(view) ? "error \(try ErrorResult(pickle: view).error)" : view.repr
        }
    }

    @Test("a task that is not registered here is the caller's error, as is one behind a task")
    func unknownTask() async throws {
        let huey = instance(Options(), Recorder())
        let add = huey.remoteTask("tasks.add"), other = huey.remoteTask("tasks.other")
        for message in [try other.s(), try add.s(1, 2).then(try other.s())] {
            let error = await #expect(throws: HueyError.self) { try await huey.enqueue(message) }
            #expect(error?.code == .unknownTask)
        }
    }

    @Test("an immediate instance uses the storage given only when told to, and priorities are no matter there")
    func ownStorage() async throws {
        let memory = MemoryStorage()
        for storage in [memory as any Storage, WithoutPriority(storage: memory)] {
            let options = HueyOptions(immediate: true, immediateUsesMemory: false)
            let huey = Huey("h", storage: storage, options: options)
            let add = huey.task("add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
            try await add.with(TaskOptions(id: "x", priority: 3))(1, 2)
            #expect(try await memory.popData("x") != nil)
        }
    }

    @Test("immediate mode is switched on and off: memory begins empty, the storage given is as it was left")
    func switched() async throws {
        let storage = WithoutPriority(storage: MemoryStorage())
        let huey = Huey("h", storage: storage, options: HueyOptions(immediate: true))
        let next = huey.task("next", parameters: "n") { (n: Int) in n + 1 }
        #expect(try await next(1).value() == 2)
        huey.immediate = false
        let waiting = try await next.with(TaskOptions(id: "waits"))(2)
        #expect(try await huey.pendingCount() == 1)
        #expect(try await huey.resultCount() == 0)
        huey.immediate = true
        #expect(huey.storage is MemoryStorage)
        #expect(try await huey.pendingCount() == 0)
        #expect(try await next.with(TaskOptions(id: "kept", priority: 5))(3).peek() == 4)
        huey.immediate = false
        let data = try #require(try await huey.storage.dequeue())
        try await Executor(
            huey: huey,
            sink: DirectSink(storage: huey.storage),
            inFlight: InFlight(),
            logger: huey.logger
        )
        .run(Delivery(data: data))
        #expect(try await waiting.value() == 3)
        huey.immediate = true
        #expect(try await huey.result(id: "kept", of: Int.self).peek() == nil)
    }

    @Test("a timeout cancels nothing, but a task can ask")
    func timeout() async throws {
        let huey = Huey("h", storage: MemoryStorage(), options: HueyOptions(immediate: true))
        let task = huey.contextTask("t", settings: TaskSettings(timeout: 1e-9)) { (context: TaskContext) -> Bool in
            #expect(context.timeRemaining == .zero)
            return Task.isCancelled
        }
        #expect(try await task().value() == false)
    }

    @Test("groups, maps and chords are done when enqueued, with huey's values")
    func compositions() async throws {
        let huey = Huey("h", storage: MemoryStorage(), options: HueyOptions(immediate: true))
        let increment = huey.task("a", parameters: "n", settings: TaskSettings(retries: 1)) { (n: Int) in n + 1 }
        let decrement = huey.task("b", parameters: "n") { (n: Int) in n - 1 }
        let sum = huey.task("agg", parameters: "ns") { (ns: [Int]) in ns.reduce(0, +) }
        func ints(_ group: ResultGroup) async throws -> [Int] {
            var ints: [Int] = []
            for result in group { ints.append(try Int(pickle: try await result.view())) }
            return ints
        }

        var values: [Int] = []
        for result in try await increment.map(0..<8) { values.append(try await result.value()) }
        #expect(values == [1, 2, 3, 4, 5, 6, 7, 8])

        let group = Group([try increment.s(1), try decrement.s(100), try increment.s(2), try decrement.s(200)])
        #expect(try await ints(huey.enqueue(group)) == [2, 99, 3, 199])

        let chord = Group(try (0..<10).map { try increment.s($0) }).then(try sum.bare())
        #expect(try await ints(huey.enqueue(chord).callback) == [55])

        let pipelines = Chord(
            [
                try increment.s(1).then(increment.bare()).then(increment.bare()),
                try increment.s(3).then(increment.bare()),
                try increment.s(5),
                try increment.s(7).then(increment.bare()).then(increment.bare()),
            ],
            callback: try sum.bare()
        )
        let results = try await huey.enqueue(pipelines.then(try increment.bare()).then(try increment.bare()))
        #expect(try await ints(results.members) == [4, 5, 6, 10])
        #expect(try await ints(results.callback) == [25, 26, 27])
    }
}

extension LocalTask {
    /// The task without arguments, for a pipeline.
    fileprivate func bare() throws -> Message { try huey.message(name) }
}

/// Fails whoever looks.
private struct UntouchableStorage: Storage {
    struct Touched: Error {}

    func enqueue(_ data: [UInt8], priority: Double?) async throws { throw Touched() }
    func dequeue() async throws -> [UInt8]? { throw Touched() }
    func queueSize() async throws -> Int { throw Touched() }
    func enqueuedItems(limit: Int?) async throws -> [[UInt8]] { throw Touched() }
    func flushQueue() async throws { throw Touched() }
    func addToSchedule(_ data: [UInt8], at moment: PickleDateTime) async throws { throw Touched() }
    func readSchedule(dueAt moment: PickleDateTime) async throws -> [[UInt8]] { throw Touched() }
    func scheduleSize() async throws -> Int { throw Touched() }
    func scheduledItems(limit: Int?) async throws -> [[UInt8]] { throw Touched() }
    func flushSchedule() async throws { throw Touched() }
    func putData(_ value: [UInt8], forKey key: String, isResult: Bool) async throws { throw Touched() }
    func peekData(_ key: String) async throws -> [UInt8]? { throw Touched() }
    func popData(_ key: String) async throws -> [UInt8]? { throw Touched() }
    func hasData(forKey key: String) async throws -> Bool { throw Touched() }
    func increment(_ key: String, by amount: Int) async throws -> Int { throw Touched() }
    func deleteCounter(_ key: String) async throws { throw Touched() }
    func resultStoreSize() async throws -> Int { throw Touched() }
    func resultItems() async throws -> [String: [UInt8]] { throw Touched() }
    func flushResults() async throws { throw Touched() }
    func flushCounters() async throws { throw Touched() }
    func putIfEmpty(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool { throw Touched() }
    func giveBack(_ deliveries: [Delivery]) async throws { throw Touched() }
}

/// A storage that refuses priorities, as huey's list on Redis does.
private struct WithoutPriority: Storage {
    let storage: MemoryStorage

    var supportsPriority: Bool { false }

    func enqueue(_ data: [UInt8], priority: Double?) async throws { try await storage.enqueue(data, priority: nil) }
    func dequeue() async throws -> [UInt8]? { try await storage.dequeue() }
    func queueSize() async throws -> Int { try await storage.queueSize() }
    func enqueuedItems(limit: Int?) async throws -> [[UInt8]] { try await storage.enqueuedItems(limit: limit) }
    func flushQueue() async throws { try await storage.flushQueue() }
    func addToSchedule(_ data: [UInt8], at moment: PickleDateTime) async throws {
        try await storage.addToSchedule(data, at: moment)
    }
    func readSchedule(dueAt moment: PickleDateTime) async throws -> [[UInt8]] {
        try await storage.readSchedule(dueAt: moment)
    }
    func scheduleSize() async throws -> Int { try await storage.scheduleSize() }
    func scheduledItems(limit: Int?) async throws -> [[UInt8]] { try await storage.scheduledItems(limit: limit) }
    func flushSchedule() async throws { try await storage.flushSchedule() }
    func putData(_ value: [UInt8], forKey key: String, isResult: Bool) async throws {
        try await storage.putData(value, forKey: key, isResult: isResult)
    }
    func peekData(_ key: String) async throws -> [UInt8]? { try await storage.peekData(key) }
    func popData(_ key: String) async throws -> [UInt8]? { try await storage.popData(key) }
    func hasData(forKey key: String) async throws -> Bool { try await storage.hasData(forKey: key) }
    func increment(_ key: String, by amount: Int) async throws -> Int { try await storage.increment(key, by: amount) }
    func deleteCounter(_ key: String) async throws { try await storage.deleteCounter(key) }
    func resultStoreSize() async throws -> Int { try await storage.resultStoreSize() }
    func resultItems() async throws -> [String: [UInt8]] { try await storage.resultItems() }
    func flushResults() async throws { try await storage.flushResults() }
    func flushCounters() async throws { try await storage.flushCounters() }
    func putIfEmpty(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool {
        try await storage.putIfEmpty(value, forKey: key, ttl: ttl)
    }
    func giveBack(_ deliveries: [Delivery]) async throws { try await storage.giveBack(deliveries) }
}
