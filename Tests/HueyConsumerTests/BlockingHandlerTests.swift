import Huey
import Pickle
import Synchronization
import TestSupport
import Testing

@testable import HueyConsumer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite("Handlers that block", .timeLimit(.minutes(5)))
struct BlockingHandlerTests {
    private struct Rig {
        let huey: Huey
        let consumer: Consumer
        /// How many handlers block now, and whether they may end.
        let blocked = Counter()
        let isOpen = Flag()

        init(workers: Int, shutdownTimeout: Duration? = nil) {
            var options = ConsumerOptions()
            options.workers = workers
            options.initialDelay = .milliseconds(1)
            options.maxDelay = .milliseconds(5)
            options.shutdownTimeout = shutdownTimeout
            let log = CollectingLog.make()
            huey = Huey("h", storage: MemoryStorage(), logger: log.logger)
            consumer = Consumer(huey, options: options, logger: log.logger)
            huey.task("tasks.block") { [blocked, isOpen] in
                blocked.value.add(1, ordering: .acquiringAndReleasing)
                while !isOpen.value.load(ordering: .acquiring) { usleep(1000) }
            }
            huey.task("tasks.quick") { 1 }
            huey.task("tasks.yield") {
                await Task.yield()
                return 1
            }
        }

        /// Enqueues handlers that block, and returns once they do.
        func block(_ count: Int) async throws {
            for _ in 0..<count { try await huey.remoteTask("tasks.block")() }
            while blocked.value.load(ordering: .acquiring) < count { await Task.yield() }
        }
    }

    private final class Counter: Sendable { let value = Atomic(0) }
    private final class Flag: Sendable { let value = Atomic(false) }

    @Test("as many block at once as there are workers, and others run beside them")
    func beside() async throws {
        let rig = Rig(workers: 12)
        let running = Task { try await rig.consumer.run() }
        try await rig.block(10)
        for name in ["tasks.quick", "tasks.yield", "tasks.quick"] {
            #expect(try await rig.huey.remoteTask(name, returning: Int.self)().value() == 1)
        }
        rig.isOpen.value.store(true, ordering: .releasing)
        rig.consumer.stop(.graceful)
        try await running.value
    }

    @Test("a consumer ends though handlers block", arguments: [Consumer.Stop.interrupt, .graceful])
    func stop(_ how: Consumer.Stop) async throws {
        let rig = Rig(workers: 4, shutdownTimeout: .milliseconds(50))
        defer { rig.isOpen.value.store(true, ordering: .releasing) }
        let running = Task { try await rig.consumer.run() }
        try await rig.block(4)
        rig.consumer.stop(how)
        try await running.value
    }
}
