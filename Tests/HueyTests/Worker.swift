import Logging
import Pickle
import Synchronization
import TestSupport
import Testing

@testable import Huey

/// A way of a message through the executor.
enum Route: CaseIterable, Sendable {
    /// Every effect is written at once.
    case direct
    /// Values are handed over without being waited for.
    case gathered
    /// The same, and synchronous handlers run in place.
    case loop

    @TaskLocal static var current = Route.direct
}

/// Runs each test of a suite once for each ``Route``: what it expects holds whichever way a message takes.
struct EachRoute: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        for route in Route.allCases { try await Route.$current.withValue(route) { try await function() } }
    }
}

extension Trait where Self == EachRoute {
    static var eachRoute: Self { EachRoute() }
}

/// Gathers the ends of tasks as a consumer's outbox does, and writes them when it is flushed, or before anything else.
final class GatheredSink: GatheringSink {
    private let sink: DirectSink
    private let completions = Mutex(Completions())

    init(storage: any Storage) { sink = DirectSink(storage: storage) }

    var acknowledges: Bool { sink.acknowledges }

    func complete(
        _ id: UnsafeBufferPointer<UInt8>,
        _ value: UnsafeBufferPointer<UInt8>?,
        of message: (block: MessageBlock, place: Int),
        at now: ContinuousClock.Instant
    ) -> Bool {
        completions.withLock { completions in
            completions.append(id, value, of: message.block, at: message.place)
            return completions.count == 2
        }
    }

    func writeSoon() {}

    func submit(_ settlement: Settlement) async throws {
        try await flush()
        try await sink.submit(settlement)
    }

    func flush() async throws {
        let done = completions.withLock { completions in
            defer { completions = Completions() }
            return completions
        }
        if done.count > 0 { try await sink.submit(Settlement(of: nil, [.complete(done)], isFinal: true)) }
    }

    func count(_ report: ChordReport, of delivery: Delivery) async throws -> ChordProgress {
        try await flush()
        return try await sink.count(report, of: delivery)
    }

    func noteStart(of delivery: Delivery) async throws {}
}

/// A huey on a memory storage, and what runs its tasks one by one.
struct Worker: Sendable {
    let storage: MemoryStorage
    let time = ManualTime()
    let huey: Huey
    let logger: Logger
    let log: Recorder<String>
    let inFlight = InFlight()

    init(
        options: HueyOptions = HueyOptions(),
        settings: TaskSettings = TaskSettings(),
        wrapping wrap: (MemoryStorage) -> any Storage = { $0 }
    ) {
        storage = MemoryStorage()
        (logger, log) = CollectingLog.make()
        huey = Huey("h", storage: wrap(storage), options: options, time: time.source, logger: logger)
    }

    var executor: Executor {
        Executor(huey: huey, sink: DirectSink(storage: huey.storage), inFlight: inFlight, logger: logger)
    }

    /// Runs what is in the queue until it is empty, the way that ``Route/current`` says; how many messages that were.
    @discardableResult
    func drain() async throws -> Int {
        let sink = GatheredSink(storage: huey.storage)
        let gathering = Executor(huey: huey, sink: sink, inFlight: inFlight, logger: logger)
        let loop = PlainLoop(gathering)
        var count = 0
        while let data = try await huey.storage.dequeue() {
            let block = MessageBlock(huey, [Delivery(data: data)])
            if Route.current != .direct { await block.lookAtRevocations() }
            let place = try #require(block.claim())
            switch Route.current {
            case .direct: try await executor.run(block.deliveries[place])
            case .gathered: try await gathering.run(block, place)
            case .loop:
                switch loop.run(block, from: place, atMost: .max, isLast: true).end {
                case .done: break
                case .full: try await sink.flush()
                case .message(let place): try await gathering.run(block, place)
                case .open(let call): try await gathering.conclude(call)
                }
            }
            try await sink.flush()
            count += 1
        }
        return count
    }

    /// Moves due tasks from the schedule to the queue, as a consumer's scheduler does.
    func promote() async throws {
        _ = try await huey.storage.promoteSchedule(dueAt: huey.now(), limit: 100) { data in
            await huey.promoted(data, logger: logger)
        }
    }

    /// Enqueues a message, runs everything, and reads the message's result.
    func run(_ message: Message) async throws -> Result<PickleView?, TaskException> {
        try await huey.enqueue(message)
        try await drain()
        do {
            return .success(try await huey.result(id: message.id, of: PickleValue.self).peekView(preserve: true))
        } catch let error as TaskException {
            return .failure(error)
        }
    }

    /// How many messages of one kind the storage holds.
    func counts() async throws -> (queue: Int, schedule: Int, results: Int) {
        (try await huey.pendingCount(), try await huey.scheduledCount(), try await huey.resultCount())
    }
}
