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

    @Test("asynchronous handlers that keep the pool are named, each once; one that waits is not")
    func watchdog() async throws {
        let log = CollectingLog.make()
        let huey = Huey("h", storage: MemoryStorage(), logger: log.logger)
        let inFlight = InFlight()
        let processors = ProcessIdentity.processors
        let blocked = Counter()
        // The process's own is shared with other tests.
        let pool = ThreadExecutor(limit: processors)
        @Sendable func warnings() -> [String] { log.lines.all.filter { $0.contains("cooperative pool") } }
        huey.task("tasks.wait") { try await Task.sleep(for: .seconds(3600)) }
        huey.task("tasks.block") { () async in
            blocked.value.add(1, ordering: .acquiringAndReleasing)
            while warnings().count < processors { usleep(1000) }
        }
        func start(_ name: String) async throws -> Task<Void, any Error> {
            try await huey.remoteTask(name)()
            let delivery = try #require(try await huey.storage.dequeue(upTo: 1, wait: .zero).first)
            let executor = Executor(
                huey: huey,
                sink: DirectSink(storage: huey.storage),
                inFlight: inFlight,
                logger: log.logger
            )
            return Task(executorPreference: pool) { try await executor.run(delivery) }
        }
        let waiting = try await start("tasks.wait")
        while inFlight.count < 1 { await Task.yield() }
        let threads = ThreadExecutor(limit: 4)
        let watchdog = Task(executorPreference: threads) {
            await PoolWatchdog(inFlight: inFlight, logger: log.logger, pool: pool, patience: .milliseconds(500)).run()
        }
        var blocking: [Task<Void, any Error>] = []
        for _ in 0..<processors { blocking.append(try await start("tasks.block")) }
        for task in blocking { try await task.value }
        watchdog.cancel()
        waiting.cancel()
        await watchdog.value
        _ = await waiting.result
        #expect(warnings().count == processors)
        #expect(warnings().allSatisfy { $0.contains("tasks.block (") })
    }

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
