import InMemoryTracing
import Pickle
import TestSupport
import Testing
import Tracing

@testable import Huey

@Suite("Spans are linked from producer to worker, behind Python's back")
struct TracingTests {
    private let tracer = InMemoryTracer()

    private func traced(_ options: HueyOptions = HueyOptions(), settings: TaskSettings = TaskSettings()) -> Worker {
        var options = options
        options.tracer = tracer
        let worker = Worker(options: options)
        worker.huey.task("add", parameters: "a", "b", settings: settings) { (a: Int, b: Int) in a + b }
        worker.huey.task("fail", parameters: "secret", settings: settings) { (secret: String) throws -> Int in
            throw PickleException.builtin("ValueError", secret)
        }
        worker.huey.task("report", parameters: "exc") { (_: PickleView) in }
        worker.huey.task("total", parameters: "values") { (values: [Int]) in values.reduce(0, +) }
        return worker
    }

    private func spans(_ name: String) -> [FinishedInMemorySpan] {
        tracer.finishedSpans.filter { $0.operationName == name }
    }

    private func span(_ name: String) throws -> FinishedInMemorySpan {
        let found = spans(name)
        try #require(found.count == 1, "\(tracer.finishedSpans.map(\.operationName))")
        return found[0]
    }

    private func message(_ worker: Worker, _ name: String, _ values: TaskArguments.Value...) throws -> Message {
        try worker.huey.message(name, TaskArguments(values))
    }

    @Test("a run is the child of its enqueueing, in the trace that was current there")
    func links() async throws {
        let worker = traced()
        let sent = try message(worker, "add", 1, 2)
        try await tracer.withSpan("request") { _ in
            _ = try await worker.huey.enqueue(sent)
        }
        try await worker.drain()
        let (request, send, run) = (try span("request"), try span("enqueue add"), try span("run add"))
        #expect(send.kind == .producer && run.kind == .consumer)
        #expect(send.spanContext.parentSpanID == request.spanID && run.spanContext.parentSpanID == send.spanID)
        #expect(run.traceID == request.traceID)
        #expect(run.attributes.get("messaging.system") == "huey")
        #expect(run.attributes.get("messaging.destination.name") == "h")
        #expect(run.attributes.get("messaging.message.id")?.toSpanAttribute() == .string(sent.id))
        #expect(run.attributes.get("huey.task.name") == "add")
        #expect(run.attributes.get("huey.task.retries") == 0)
        #expect(run.status == nil && run.errors.isEmpty)
    }

    @Test("without an instrument, and for a serializer of one's own, messages are what they were")
    func untouched() async throws {
        let (plain, traced) = (Worker(), traced())
        let message = try message(plain, "add", 1, 2)
        try await plain.huey.enqueue(message)
        try await traced.huey.enqueue(message)
        let one = try #require(try await plain.storage.dequeue())
        let other = try #require(try await traced.storage.dequeue())
        #expect(other.count > one.count && other.starts(with: one))
        #expect(try plain.huey.deserialize(one).trace == nil)
        // A consumer that does not trace hands the context on, and reads the same message.
        let read = try plain.huey.deserialize(other)
        #expect(read.trace != nil && read.id == message.id)
        #expect(try plain.huey.serialize(read) == other)
    }

    @Test("the context is there for what runs later, again, and after")
    func keeps() async throws {
        let worker = traced(settings: TaskSettings(retries: 1, retryDelay: 5))
        let failing = try worker.huey.message(
            "fail",
            TaskArguments(["hunter2"]),
            options: TaskOptions(start: .delay(seconds: 60))
        )
        .onError(try message(worker, "report"))
        try await worker.huey.enqueue(failing)
        try await worker.drain()
        for _ in 0..<2 {
            worker.time.advance(seconds: 61)
            try await worker.promote()
            try await worker.drain()
        }
        let send = try span("enqueue fail")
        let runs = spans("run fail")
        #expect(runs.map(\.spanContext.parentSpanID) == [send.spanID, send.spanID])
        #expect(runs.map { $0.attributes.get("huey.task.retries") } == [1, 0])
        let handlers = spans("enqueue report")
        #expect(handlers.map(\.spanContext.parentSpanID) == runs.map(\.spanID))
        #expect(spans("run report").map(\.spanContext.parentSpanID) == handlers.map(\.spanID))
        for run in runs {
            #expect(run.status?.code == .error)
            #expect(run.attributes.get("error.type") == "ValueError")
            #expect(run.errors.map { "\($0.error)" } == ["ValueError"])
        }
        #expect(!tracer.finishedSpans.contains { "\($0)".contains("hunter2") })
    }

    @Test("pipelines, chords and batches are one trace each")
    func compositions() async throws {
        let worker = traced()
        let pipeline = try message(worker, "add", 1, 2).then(try message(worker, "add", 3))
        try await worker.huey.enqueue(pipeline)
        try await worker.drain()
        #expect(Set(tracer.finishedSpans.map(\.traceID)).count == 1)
        #expect(spans("run add").count == 2 && spans("enqueue add").count == 2)
        tracer.clearAll()

        let members = try (1...3).map { try message(worker, "add", $0, $0) }
        try await tracer.withSpan("request") { _ in
            _ = try await worker.huey.enqueue(Chord(members, callback: try message(worker, "total")))
        }
        try await worker.drain()
        #expect(Set(tracer.finishedSpans.map(\.traceID)).count == 1)
        let callback = try span("enqueue total")
        #expect(callback.spanContext.parentSpanID == spans("run add").last?.spanID)
        #expect(try span("run total").spanContext.parentSpanID == callback.spanID)
        tracer.clearAll()

        try await worker.huey.enqueue(Group(members))
        try await worker.drain()
        let batch = try span("enqueue batch")
        #expect(batch.kind == .producer && batch.attributes.get("messaging.batch.message_count") == 3)
        #expect(spans("run add").allSatisfy { $0.spanContext.parentSpanID == batch.spanID })
    }

    @Test("what only waits is no failure, and an enqueueing that fails is one")
    func outcomes() async throws {
        let worker = traced()
        worker.huey.task("wait") { () throws -> Int in throw RetryTask(start: .delay(seconds: 60)) }
        worker.huey.task("cancel") { () throws -> Int in throw CancelExecution() }
        worker.huey.task("held") { () throws -> Int in throw TaskLocked(lockName: "l") }
        for name in ["wait", "cancel", "held"] { try await worker.huey.enqueue(try message(worker, name)) }
        try await worker.drain()
        let outcomes = try ["wait", "cancel", "held"].map { try span("run \($0)").attributes.get("huey.task.outcome") }
        #expect(outcomes == ["retrying", "canceled", "locked"])
        #expect(!tracer.finishedSpans.contains { $0.status?.code == .error })

        let narrow = traced(HueyOptions(maximumMessageSize: 10))
        await #expect(throws: HueyError.self) { try await narrow.huey.enqueue(try message(narrow, "add", 1, 2)) }
        #expect(spans("enqueue add").last?.status?.code == .error)
    }

    @Test("in immediate mode the run is within the enqueueing")
    func immediate() async throws {
        let worker = traced(HueyOptions(immediate: true))
        try await worker.huey.enqueue(try message(worker, "add", 1, 2))
        #expect(try span("run add").spanContext.parentSpanID == span("enqueue add").spanID)
    }

    @Test(
        "the context is signed and compressed with its message",
        arguments: [nil, Compression.gzip, .zlib],
        [false, true]
    )
    func serializers(_ compression: Compression?, isSigned: Bool) throws {
        let signer = isSigned ? try MessageSigner(secret: "s") : nil
        let serializer = PickleSerializer(compression: compression, signer: signer)
        let trace = try #require(TraceCarrier(entries: ["traceparent": "00-01-02-01", "baggage": "k=v"]))
        let data = try serializer.serialize(7, followedBy: trace.bytes)
        let view = try serializer.deserialize(data)
        #expect(view.int == 7)
        #expect(TraceCarrier(trailing: view.document.trailingBytes)?.entries == trace.entries)
        if isSigned, compression == nil {
            let end = try #require(data.lastIndex(of: UInt8(ascii: ":")))
            #expect(throws: HueyError.self) {
                try serializer.deserialize(Array(data[..<(end - trace.bytes.count)] + data[end...]))
            }
        }
    }

    @Test("what else stands behind a pickle is ignored, and the message runs")
    func strangers() async throws {
        let worker = traced()
        let good = try #require(TraceCarrier(entries: ["k": "v"])).bytes
        func pair(_ mark: String, _ value: PickleValue) throws -> [UInt8] {
            try PickleValue.tuple([.string(mark), value]).pickled(protocol: 4)
        }
        let many = PickleDictionary((0..<33).map { (.string("k\($0)"), .string("v")) })
        var strangers: [[UInt8]] = [
            [0], [0x2E], Array("noise".utf8), Array(good.dropLast()), Array(repeating: 0x28, count: 16_384),
            try pair("huey.swift.trade", .dict(["k": "v"])), try pair("huey.swift.trace", .none),
            try pair("huey.swift.trace", .dict([:])), try pair("huey.swift.trace", .dict(["k": 1])),
            try pair("huey.swift.trace", .dict(["": "v"])), try pair("huey.swift.trace", .dict(["a b": "v"])),
            try pair("huey.swift.trace", .dict(["k": "v\r\nx: y"])), try pair("huey.swift.trace", .dict(many)),
            try pair("huey.swift.trace", .dict(["k": .string(String(repeating: "v", count: 8193))])),
            good + Array(repeating: 0, count: 16_384),
        ]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var bytes = good
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            strangers.append(bytes)
        }
        for (index, stranger) in strangers.enumerated() {
            if index < 15 { #expect(TraceCarrier(trailing: stranger) == nil, "\(index)") }
            let sent = try message(worker, "add", 1, index)
            let data = try PickleSerializer().serialize(sent.encodable(in: worker.huey), followedBy: stranger)
            try await worker.storage.enqueue(data, priority: nil)
            try await worker.drain()
            let value = try await worker.huey.result(id: sent.id, of: Int.self).peek()
            #expect(value == index + 1)
        }
    }

    @Test("a context that is too large loses its largest entries")
    func bounds() throws {
        let large = String(repeating: "x", count: 8_000)
        let carrier = try #require(
            TraceCarrier(entries: ["traceparent": "t", "a": large, "b": large, "c": large, "d\n": "v", "e": "\u{1}"])
        )
        #expect(carrier.entries.keys.sorted() == ["a", "b", "traceparent"])
        #expect(carrier.bytes.count <= 16_384)
        #expect(TraceCarrier(trailing: carrier.bytes)?.entries == carrier.entries)
        #expect(TraceCarrier(entries: [:]) == nil)
    }
}

extension Message {
    fileprivate func encodable(in huey: Huey) throws -> PickleView {
        try PickleSerializer().deserialize(huey.serialize(self))
    }
}
