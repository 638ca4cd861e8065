import HueyRedis
import Pickle
import TestSupport
import Testing

@testable import Huey

@Suite("A task on every storage")
struct WholeWayTests {
    @Test("a task's whole way: enqueued, scheduled, retried, revoked, its result read", arguments: StorageKind.allCases)
    func engine(kind: StorageKind) async throws {
        let huey = Huey(StorageKind.freshName(), storage: try kind.unbound())
        huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        let add = huey.remoteTask("tasks.add", returning: Int.self)
        let result = try await add(1, 2)
        let later = try await add.with(TaskOptions(start: .delay(seconds: 3600)))(3, 4)
        let executor = Executor(
            huey: huey,
            sink: DirectSink(storage: huey.storage),
            inFlight: InFlight(),
            logger: CollectingLog.make().logger
        )
        try await later.revoke()
        for delivery in try await huey.storage.dequeue(upTo: 9, wait: .zero) { try await executor.run(delivery) }
        #expect(try await huey.scheduledCount() == 1)
        #expect(try await result.peek() == 3)
        #expect(try await result.value() == 3)
        #expect(try await huey.isRevoked(id: later.id))
        let scheduled = try #require(try await huey.scheduled().first)
        #expect(scheduled.id == later.id)
        try await huey.flush()
        await huey.close()
    }
}
