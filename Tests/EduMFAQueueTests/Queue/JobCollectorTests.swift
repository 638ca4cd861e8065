import Huey
import Logging
import Pickle
import TestSupport
import Testing

@testable import EduMFAQueue

/// eduMFA's job queue by its parts; the rules are those of its `lib/queue.py`.
struct JobCollectorTests {
    /// A queue that writes down what it is told.
    final class RecordingQueue: BaseQueue {
        let options: [String: PickleValue]
        let jobs = Recorder<String>()
        let calls = Recorder<String>()

        init(options: [String: PickleValue], logger: Logger) { self.options = options }

        func registerJob(_ job: Job) { jobs.append(job.taskName) }
        func enqueue(_ name: String, _ arguments: TaskArguments) {
            calls.append("\(name) \(arguments.positionalCount)")
        }
    }

    private func makeCollector() throws -> JobCollector {
        let collector = JobCollector()
        collector.registerQueueClass("tests.RecordingQueue", RecordingQueue.self)
        try job("one", module: "tests.module", parameters: "a", in: collector) { (_: Int) in }
        return collector
    }

    private let config: [String: PickleValue] = [
        "EDUMFA_JOB_QUEUE_CLASS": "tests.RecordingQueue", "EDUMFA_JOB_QUEUE_NAME": "x", "EDUMFA_JOB_QUEUE_DB": 3,
        "SECRET_KEY": "s",
    ]

    @Test("a job that is collected first is registered when the app is, and options have their prefix taken off")
    func registersLater() async throws {
        let (collector, app) = (try makeCollector(), EduMFAApp(config: config))
        #expect(!hasJobQueue(app))
        try collector.registerApp(app)
        let queue = try #require(try getJobQueue(app) as? RecordingQueue)
        #expect(queue.jobs.all == ["tests.module.one"])
        #expect(queue.options == ["name": "x", "db": 3])
    }

    @Test("a second job of one name is an error, and so is a second queue for one app")
    func duplicates() throws {
        let (collector, app) = (try makeCollector(), EduMFAApp(config: config))
        #expect(throws: JobCollectorError("Duplicate jobs: 'one'")) {
            try collector.registerJob(Job("one", module: "elsewhere"))
        }
        try collector.registerApp(app)
        #expect(throws: JobCollectorError.self) { try collector.registerApp(app) }
    }

    @Test("an unknown queue class is a warning, and no queue")
    func unknownClass() throws {
        let (logger, lines) = CollectingLog.make()
        let app = EduMFAApp(config: ["EDUMFA_JOB_QUEUE_CLASS": "no.such.Queue"], logger: logger)
        try makeCollector().registerApp(app)
        #expect(!hasJobQueue(app))
        #expect(lines.all.contains { $0.hasPrefix("warning Could not import job queue class 'no.such.Queue'") })
    }

    @Test(
        "without a queue there is nothing to get",
        arguments: [[:], ["EDUMFA_JOB_QUEUE_CLASS": ""]] as [[String: PickleValue]]
    )
    func noQueue(config: [String: PickleValue]) async throws {
        let app = EduMFAApp(config: config)
        try registerApp(app)
        #expect(throws: ServerError("eduMFA has no job queue configured!")) { try getJobQueue(app) }
        await #expect(throws: ServerError.self) { try await wrapJob("one", true, app: app)(1) }
    }

    @Test("a wrapped job is enqueued, and returns what it was told to")
    func wrapped() async throws {
        let (collector, app) = (try makeCollector(), EduMFAApp(config: config))
        try collector.registerApp(app)
        let result = try await app.run { try await wrapJob("one", "done")(1, 2, keywords: ["b": 3]) }
        #expect(result == "done")
        let queue = try #require(try getJobQueue(app) as? RecordingQueue)
        #expect(queue.calls.all == ["one 2"])
    }

    @Test("the function itself can still be called at once")
    func function() async throws {
        let calls = Recorder<Int>()
        let collector = JobCollector()
        let function = try job("two", module: "m", parameters: "a", in: collector) { (a: Int) in calls.append(a) }
        try await function(5)
        #expect(calls.all == [5])
    }
}
