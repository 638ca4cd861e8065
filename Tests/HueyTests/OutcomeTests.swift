import Pickle
import TestSupport
import Testing

@testable import Huey

/// `Fixtures/outcomes.json` is what real huey does with each outcome of a task; `interop/outcomes.py` writes it.
@Suite("What follows from a task's outcome is what follows in huey, in its order")
struct OutcomeTests {
    struct Document: Decodable {
        var now: Fields
        var outcomes: [String: Outcome]
        var options: [String: Options]
        var retries: [String: Retries]
        var queues: [[Base64Bytes]]
        var cases: [Case]
    }

    struct Outcome: Decodable, Sendable {
        var value: Base64Bytes?
        var raise: String?
        var message: String?
        var delay: Double?
        var retry: Bool?
        var key: String?
        var eta: Base64Bytes?

        func run() throws -> PickleValue {
            if let value { return PickleValue(try PickleDocument(value.bytes).root) }
            switch raise {
            case "RetryTask":
                let eta = try eta.map { try PickleDateTime(pickle: PickleDocument($0.bytes).root) }
                throw RetryTask(message, start: eta.map { .eta($0) } ?? delay.map { .delay(seconds: .float($0)) })
            case "CancelExecution": throw CancelExecution(message, retry: retry)
            case "TaskTimeout": throw TaskTimeout(message ?? "")
            case "TaskLockedException": throw TaskLocked(lockName: "l")
            case "RateLimitExceeded": throw RateLimitExceeded(key: key ?? "", delay: delay ?? 0, retry: retry ?? true)
            default: throw PickleException(name: raise ?? "", arguments: message.map { [.string($0)] } ?? [])
            }
        }
    }

    struct Options: Decodable {
        var results: Bool?
        var store_none: Bool?
        var store_intermediate_errors: Bool?

        var options: HueyOptions {
            HueyOptions(
                results: results ?? true,
                storeNone: store_none ?? false,
                storeIntermediateErrors: store_intermediate_errors ?? true
            )
        }
    }

    struct Retries: Decodable {
        var retries: Int?
        var retry_delay: Double?
        var retry_backoff: Double?

        private static func number(_ value: Double) -> PythonNumber {
            Int(exactly: value).map { .int($0) } ?? .float(value)
        }

        var settings: TaskSettings {
            TaskSettings(
                retries: retries ?? 0,
                retryDelay: Self.number(retry_delay ?? 0),
                retryBackoff: retry_backoff.map(Self.number)
            )
        }
    }

    struct Case: Decodable, Sendable {
        var name: String
        var outcome: String
        var options: String
        var retries: String
        var periodic: Bool
        var hook: String?
        var queue: Int
        var store: [String: Base64Bytes]
        /// Signals, hooks and writes, in order.
        var trace: [String]
        /// What the result store holds afterwards.
        var results: [String: String]
    }

    static let document = Result { try Fixture.load("outcomes.json", as: Document.self) }

    @Test(
        "every outcome, on every shape of task",
        arguments: [
            "value", "none", "tuple", "empty-tuple", "dict", "list", "false", "error", "error-without-message",
            "timeout",
            "locked", "rate-limited", "rate-limited-no-retry", "retry", "retry-message", "retry-delay", "retry-delay-0",
            "retry-eta", "cancel", "cancel-message", "cancel-retry", "cancel-no-retry",
        ]
    )
    func outcome(name: String) async throws {
        let document = try Self.document.get()
        let cases = document.cases.filter { $0.outcome == name }
        try #require(cases.count > 30)
        for test in cases {
            let (trace, results) = try await Self.replay(test, document)
            #expect(trace == test.trace, "\(test.name)")
            #expect(results == test.results, "\(test.name)")
        }
    }

    private static func replay(_ test: Case, _ document: Document) async throws -> ([String], [String: String]) {
        let trace = Recorder<String>()
        let options = try #require(document.options[test.options])
        let worker = Worker(options: options.options) { RecordingStorage(storage: $0, trace: trace) }
        worker.time.set(document.now.moment.naiveMicroseconds)
        let outcome = try #require(document.outcomes[test.outcome])
        let settings = try #require(document.retries[test.retries]).settings
        let huey = worker.huey
        if test.periodic {
            huey.periodicTask("tasks.main", .everyMinute, settings: settings) { _ in _ = try outcome.run() }
        } else {
            huey.task("tasks.main", parameters: .variadic("args"), .keywords("kwargs"), settings: settings) {
                (_: PickleValue, _: PickleValue) in try outcome.run()
            }
        }
        huey.task("tasks.other", parameters: .variadic("args"), .keywords("kwargs")) {
            (_: PickleValue, _: PickleValue) in "other"
        }
        listen(huey, test, trace)
        for (key, value) in test.store { try await worker.storage.putData(value.bytes, forKey: key, isResult: false) }
        for data in document.queues[test.queue] { try await worker.executor.run(Delivery(data: data.bytes)) }
        var results: [String: String] = [:]
        for (key, data) in try await worker.storage.resultItems() {
            let view = try PickleDocument(data).root
            if ErrorResult.matches(view) {
                let error = try ErrorResult(pickle: view)
                results[key] = "error \(error.error) retries=\(error.retries) id=\(error.taskID)"
            } else {
                results[key] = view.portable
            }
        }
        return (trace.all, results)
    }

    private static func listen(_ huey: Huey, _ test: Case, _ trace: Recorder<String>) {
        huey.onSignal { event in
            let error = event.error.map { " \(PickleException.mapping($0).portable)" } ?? ""
            trace.append("signal \(event.signal.rawValue) \(event.message.id)\(error)")
        }
        huey.postExecute("post") { context, outcome in
            let text =
                switch outcome {
                case .value(let value): try PickleDocument(value.pickled()).root.portable
                case .failure(let error): PickleException.mapping(error).portable
                }
            trace.append("post \(context.id) \(text)")
        }
        guard let hook = test.hook else { return }
        huey.preExecute("hook") { context in
            if hook == "pre-error" { throw PickleException.builtin("ValueError", "hook") }
            if context.id == "m" { throw CancelExecution() }
        }
    }
}

/// Notes every change to a memory storage, in the words of `interop/outcomes.py`.
struct RecordingStorage: Storage {
    let storage: MemoryStorage
    let trace: Recorder<String>

    func enqueue(_ data: [UInt8], priority: Double?) async throws {
        trace.append("enqueue \(try Self.summary(data))")
        try await storage.enqueue(data, priority: priority)
    }

    func addToSchedule(_ data: [UInt8], at moment: PickleDateTime) async throws {
        trace.append("schedule \(moment) \(try Self.summary(data))")
        try await storage.addToSchedule(data, at: moment)
    }

    func putData(_ value: [UInt8], forKey key: String, isResult: Bool) async throws {
        trace.append("put \(key)")
        try await storage.putData(value, forKey: key, isResult: isResult)
    }

    func popData(_ key: String) async throws -> [UInt8]? {
        trace.append("delete \(key)")
        return try await storage.popData(key)
    }

    func increment(_ key: String, by amount: Int) async throws -> Int {
        trace.append("incr \(key)")
        return try await storage.increment(key, by: amount)
    }

    func deleteCounter(_ key: String) async throws {
        trace.append("delete_counter \(key)")
        try await storage.deleteCounter(key)
    }

    func bury(_ letter: DeadLetter) async throws {
        trace.append("bury \(letter.reason.rawValue)")
        try await storage.bury(letter)
    }

    func dequeue() async throws -> [UInt8]? { try await storage.dequeue() }
    func queueSize() async throws -> Int { try await storage.queueSize() }
    func enqueuedItems(limit: Int?) async throws -> [[UInt8]] { try await storage.enqueuedItems(limit: limit) }
    func flushQueue() async throws { try await storage.flushQueue() }
    func readSchedule(dueAt moment: PickleDateTime) async throws -> [[UInt8]] {
        try await storage.readSchedule(dueAt: moment)
    }
    func scheduleSize() async throws -> Int { try await storage.scheduleSize() }
    func scheduledItems(limit: Int?) async throws -> [[UInt8]] { try await storage.scheduledItems(limit: limit) }
    func flushSchedule() async throws { try await storage.flushSchedule() }
    func peekData(_ key: String) async throws -> [UInt8]? { try await storage.peekData(key) }
    func hasData(forKey key: String) async throws -> Bool { try await storage.hasData(forKey: key) }
    func resultStoreSize() async throws -> Int { try await storage.resultStoreSize() }
    func resultItems() async throws -> [String: [UInt8]] { try await storage.resultItems() }
    func flushResults() async throws { try await storage.flushResults() }
    func flushCounters() async throws { try await storage.flushCounters() }
    func putIfEmpty(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool {
        try await storage.putIfEmpty(value, forKey: key, ttl: ttl)
    }
    func giveBack(_ deliveries: [Delivery]) async throws { try await storage.giveBack(deliveries) }

    private static func summary(_ data: [UInt8]) throws -> String {
        let message = try Message(pickle: PickleDocument(data).root)
        let (args, kwargs) = try message.arguments.views()
        var parts = [message.id, message.name, "args=\(args.portable)", "kwargs=\(kwargs.portable)"]
        if let eta = message.eta { parts.append("eta=\(eta)") }
        if let retries = message.retries, retries != 0 { parts.append("retries=\(retries)") }
        if let delay = message.retryDelay, delay.isTrue { parts.append("retry_delay=\(delay)") }
        if let backoff = message.retryBackoff, backoff.isTrue { parts.append("retry_backoff=\(backoff)") }
        if let priority = message.priority { parts.append("priority=\(priority)") }
        if case .seconds(let seconds) = message.expires { parts.append("expires=\(seconds)") }
        if let expires = message.expiresResolved { parts.append("expires_resolved=\(expires)") }
        if let timeout = message.timeout { parts.append("timeout=\(timeout)") }
        if let next = message.onComplete { parts.append("then=\(next.message.id)") }
        if let handler = message.onError { parts.append("error=\(handler.message.id)") }
        if let chord = message.chord { parts.append("chord=\(chord.size)/\(chord.index)") }
        return parts.joined(separator: " ")
    }
}

extension PickleException {
    fileprivate var portable: String {
        guard let bytes = try? pickled(), let document = try? PickleDocument(bytes) else { return "?" }
        return document.root.portable
    }
}

extension PickleView {
    /// A text for a value that shows what is pickled, as `interop/outcomes.py` writes it.
    fileprivate var portable: String {
        if let moment = try? PickleDateTime(pickle: self) { return "\(moment)" }
        if Skipped.matches(self) { return "SKIPPED" }
        if let object, let name = object.className {
            return "\(name)(\(Self.portable(object.arguments)))\(object.state?.portable ?? "")"
        }
        if let pairs {
            // The traceback's text is not compared.
            let texts = pairs.map { "\($0.repr): \($0.equals("traceback") ? "'T'" : $1.portable)" }
            return "{\(texts.joined(separator: ", "))}"
        }
        switch kind {
        case .tuple: return "(\(elements.map(Self.portable) ?? ""))"
        case .list: return "[\(elements.map(Self.portable) ?? "")]"
        default: return repr
        }
    }

    private static func portable(_ elements: Elements) -> String { elements.map(\.portable).joined(separator: ", ") }
}
