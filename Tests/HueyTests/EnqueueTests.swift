import Pickle
import TestSupport
import Testing

@testable import Huey

@Suite("Enqueueing")
struct EnqueueTests {
    @Test("a call carries its arguments and options")
    func options() async throws {
        let worker = Worker()
        let remote = worker.huey.remoteTask("images.thumbnail").with(
            TaskOptions(
                id: "me",
                start: .delay(seconds: 1.5),
                priority: 4,
                retries: 3,
                retryDelay: 2,
                retryBackoff: 1.5,
                expires: .timedelta(PickleTimeDelta(days: 1)),
                timeout: 30
            )
        )
        try await remote("cat.png", keywords: ["width": 640])
        let message = try #require(try await worker.huey.pending().first)
        #expect(message.id == "me")
        #expect(message.name == "images.thumbnail")
        #expect(message.eta == (try worker.huey.now().adding(seconds: 1.5)))
        #expect(message.priority == 4)
        #expect(message.retries == 3)
        #expect(message.retryDelay == 2)
        #expect(message.retryBackoff == 1.5)
        #expect(message.timeout == 30)
        #expect(message.expires == .timedelta(PickleTimeDelta(days: 1)))
        #expect(message.expiresResolved == (try worker.huey.now().adding(seconds: 86400)))
        let (args, kwargs) = try message.arguments.views()
        #expect(args.repr == "('cat.png',)")
        #expect(kwargs.repr == "{'width': 640}")
    }

    @Test("ids are random UUIDs in Python's spelling")
    func ids() throws {
        let huey = Worker().huey
        let ids = try (0..<100).map { _ in try huey.message("tasks.add").id }
        #expect(Set(ids).count == 100)
        let pattern = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
        #expect(ids.allSatisfy { $0.wholeMatch(of: pattern) != nil })
    }

    @Test("the producer leaves open what it does not say")
    func open() async throws {
        let worker = Worker()
        try await worker.huey.remoteTask("tasks.add")(1)
        let message = try #require(try await worker.huey.pending().first)
        #expect(message.eta == nil && message.retries == nil && message.retryDelay == nil && message.priority == nil)
        #expect(message.expires == nil && message.timeout == nil && message.retryBackoff == nil)
    }

    @Test("a registered task's priority and expiry are the producer's to set")
    func settings() async throws {
        let worker = Worker()
        let settings = TaskSettings(retries: 9, priority: 2, expires: .seconds(5))
        let one = worker.huey.task("tasks.one", settings: settings) { 1 }
        try await one()
        try await one.with(TaskOptions(priority: 7))()
        let messages = try await worker.huey.pending()
        #expect(messages.map(\.priority) == [7, 2])
        #expect(messages.allSatisfy { $0.expires == .seconds(5) && $0.retries == nil })
        #expect(messages[0].expiresResolved == (try worker.huey.now().adding(seconds: 5)))
    }

    @Test("many messages go in their order, each announced before it is there")
    func many() async throws {
        let worker = Worker()
        let announced = Recorder<String>()
        worker.huey.onSignal(.enqueued) { announced.append($0.message.id) }
        let messages = try (0..<1203).map { try worker.huey.message("tasks.add", options: TaskOptions(id: "m\($0)")) }
        let ids = try await worker.huey.enqueue(contentsOf: messages)
        #expect(ids == messages.map(\.id))
        #expect(announced.all == ids)
        #expect(try await worker.huey.pending().map(\.id) == ids)
        #expect(try await worker.huey.pending(limit: 3).map(\.id) == ["m0", "m1", "m2"])
    }

    @Test("any number of messages is taken from a sequence as it is written, in order")
    func streaming() async throws {
        let worker = Worker()
        let taken = Recorder<Int>()
        let seen = Recorder<[Int]>()
        let messages = (0..<1203).lazy.compactMap { number -> Message? in
            taken.append(number)
            return try? worker.huey.message("tasks.add", options: TaskOptions(id: "m\(number)"))
        }
        let count = try await worker.huey.enqueue(streaming: messages) { seen.append([$0, taken.all.count]) }
        #expect(count == 1203)
        #expect(seen.all.map { $0[0] } == [500, 1000, 1203])
        // The next write is made ready meanwhile, and no more.
        #expect(seen.all.allSatisfy { $0[1] <= $0[0] + 500 })
        #expect(try await worker.huey.pending().map(\.id) == (0..<1203).map { "m\($0)" })
    }

    @Test("ids are random UUIDs of version 4, as Python spells them")
    func randomIDs() {
        let ids = (0..<2000).map { _ in Huey.makeID() }
        #expect(Set(ids).count == ids.count)
        for id in ids {
            #expect(id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
        }
        // Every bit that is not fixed is drawn.
        let digits = ids.map { Array($0.utf8) }
        for place in 0..<36 where ![8, 13, 14, 18, 19, 23].contains(place) {
            #expect(Set(digits.map { $0[place] }).count == 16)
        }
    }

    @Test("the wire's limits are the producer's errors, and nothing is enqueued")
    func wire() async throws {
        let worker = Worker(options: HueyOptions(wire: .v2_0))
        let error = await #expect(throws: HueyError.self) {
            try await worker.huey.remoteTask("tasks.add").with(TaskOptions(timeout: 5))(1)
        }
        #expect(error?.code == .wireTooOld)
        #expect(try await worker.counts() == (0, 0, 0))
    }

    @Test("a start that no datetime can express is an error", arguments: [Double.infinity, 1e15])
    func start(delay: Double) async throws {
        let error = #expect(throws: HueyError.self) {
            try Worker().huey.message("tasks.add", options: TaskOptions(start: .delay(seconds: .float(delay))))
        }
        #expect(error?.code == .dateOutOfRange)
    }

    @Test("two tasks of one name, or impossible parameters, are reported")
    func registrations() throws {
        let huey = Worker().huey
        huey.task("tasks.one") { 1 }
        try huey.checkRegistrations()
        huey.task("tasks.one") { 2 }
        let error = #expect(throws: HueyError.self) { try huey.checkRegistrations() }
        #expect(error?.code == .duplicateTask)
        #expect(huey.taskNames == ["tasks.one"])
        let other = Worker().huey
        other.task("tasks.bad", parameters: "a", "a") { (_: Int, _: Int) in 1 }
        #expect(throws: HueyError.self) { try other.checkRegistrations() }
    }

    @Test("an unregistered task is gone")
    func unregister() throws {
        let huey = Worker().huey
        huey.task("tasks.one") { 1 }
        #expect(huey.unregister("tasks.one"))
        #expect(huey.unregister("tasks.one") == false)
        #expect(huey.taskNames.isEmpty)
    }

    @Test("periodic tasks are due when their crontab matches, with a fresh id each")
    func periodic() throws {
        let huey = Worker().huey
        huey.periodicTask("tasks.hourly", .hourly) { _ in }
        huey.periodicTask("tasks.minutely", .everyMinute) { _ in }
        huey.task("tasks.other") { 1 }
        let full = PickleDateTime(year: 2026, month: 1, day: 2, hour: 3)
        #expect(huey.duePeriodicTasks(at: full).map(\.name) == ["tasks.hourly", "tasks.minutely"])
        let later = try full.adding(seconds: 60)
        #expect(huey.duePeriodicTasks(at: later).map(\.name) == ["tasks.minutely"])
        #expect(huey.duePeriodicTasks(at: full)[0].id != huey.duePeriodicTasks(at: full)[0].id)
    }

    @Test("a message that cannot be read is left out of the list, and logged")
    func unreadable() async throws {
        let worker = Worker()
        try await worker.storage.enqueue([1, 2, 3], priority: nil)
        try await worker.huey.remoteTask("tasks.add")(1)
        #expect(try await worker.huey.pending().count == 1)
        #expect(try await worker.huey.pendingCount() == 2)
        #expect(worker.log.all.contains("error Unable to deserialize task."))
    }
}
