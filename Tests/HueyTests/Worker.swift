import Logging
import Pickle
import TestSupport

@testable import Huey

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

    /// Runs what is in the queue until it is empty; how many messages that were.
    @discardableResult
    func drain() async throws -> Int {
        var count = 0
        while let data = try await huey.storage.dequeue() {
            try await executor.run(Delivery(data: data))
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
