import Huey
import HueyRedis
import TestSupport
import Testing

@Suite("Unique jobs")
struct UniqueJobTests {
    private struct Failure: Error {}

    /// An instance whose queue a test works off.
    private struct Rig {
        let huey: Huey
        private let executor: Executor

        init(_ kind: StorageKind = .redis) throws {
            let name = StorageKind.freshName()
            huey = Huey(name, storage: try kind.unbound(name: name))
            huey.task("tasks.good") { 1 }
            huey.task("tasks.bad") { () -> Int in throw Failure() }
            executor = Executor(
                huey: huey,
                sink: DirectSink(storage: huey.storage),
                inFlight: InFlight(),
                logger: CollectingLog.make().logger
            )
        }

        func enqueue(_ task: String, options: TaskOptions = TaskOptions()) async throws -> UniqueJob {
            try await huey.enqueue(huey.message(task, options: options), uniqueBy: "key of \(task)", for: .seconds(600))
        }

        func runNext() async throws {
            for delivery in try await huey.storage.dequeue(upTo: 1, wait: .milliseconds(1)) {
                try await executor.run(delivery)
            }
        }
    }

    @Test("a second one is not enqueued, and gets the first one's id, until that is done", arguments: ChannelRig.kinds)
    func success(kind: StorageKind) async throws {
        let rig = try Rig(kind)
        let first = try await rig.enqueue("tasks.good")
        #expect(first.isNew)
        let second = try await rig.enqueue("tasks.good")
        #expect(!second.isNew)
        #expect(second.id == first.id)
        #expect(try await rig.huey.pendingCount() == 1)
        #expect(try await rig.enqueue("tasks.bad").isNew, "another key")
        try await rig.runNext()
        #expect(try await rig.huey.result(id: first.id, of: Int.self).value(timeout: .zero) == 1)
        let third = try await rig.enqueue("tasks.good")
        #expect(third.isNew)
        #expect(third.id != first.id)
    }

    @Test("retries keep the key, the last failure frees it")
    func retries() async throws {
        let rig = try Rig()
        let first = try await rig.enqueue("tasks.bad", options: TaskOptions(retries: 1))
        try await rig.runNext()
        #expect(try await rig.enqueue("tasks.bad").id == first.id)
        try await rig.runNext()
        #expect(try await rig.enqueue("tasks.bad").isNew)
    }

    @Test("a revoked one frees the key")
    func revoked() async throws {
        let rig = try Rig()
        let first = try await rig.enqueue("tasks.good")
        try await rig.huey.revoke(id: first.id)
        try await rig.runNext()
        #expect(try await rig.enqueue("tasks.good").isNew)
    }

    @Test("one that is put aside frees the key")
    func unknown() async throws {
        let rig = try Rig()
        _ = try await rig.enqueue("tasks.unknown")
        try await rig.runNext()
        #expect(try await rig.enqueue("tasks.unknown").isNew)
    }

    @Test("one that waits for its time keeps the key")
    func scheduled() async throws {
        let rig = try Rig()
        let first = try await rig.enqueue("tasks.good", options: TaskOptions(start: .delay(seconds: 600)))
        try await rig.runNext()
        #expect(try await rig.huey.scheduledCount() == 1)
        #expect(try await rig.enqueue("tasks.good").id == first.id)
    }

    @Test("a storage that cannot keep jobs unique says so")
    func notSupported() async throws {
        let rig = try Rig(.memory)
        let error = await #expect(throws: HueyError.self) { try await rig.enqueue("tasks.good") }
        #expect(error?.code == .notSupported)
    }
}
