import Huey
import Pickle
import Synchronization
import TestSupport
import Testing

@testable import Huey

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Lets so many callers go on at once, and none before: each blocks its thread.
private final class Barrier: Sendable {
    private let count: Int
    private let arrived = Atomic(0)

    init(_ count: Int) { self.count = count }

    func wait() {
        arrived.add(1, ordering: .acquiringAndReleasing)
        while arrived.load(ordering: .acquiring) < count { usleep(1000) }
    }
}

private final class Running: Sendable { let count = Atomic(0) }

@Suite("Threads of one's own", .timeLimit(.minutes(5)))
struct ThreadExecutorTests {
    @TaskLocal private static var number = 0

    private func run(_ count: Int, on threads: ThreadExecutor, _ body: @escaping @Sendable (Int) -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<count { group.addTask(executorPreference: threads) { body(index) } }
        }
    }

    @Test("as many jobs block at once as there may be threads")
    func atOnce() async {
        let threads = ThreadExecutor(limit: 40)
        let barrier = Barrier(40)
        await run(40, on: threads) { _ in barrier.wait() }
        #expect(threads.threadCount <= 40)
    }

    @Test("more jobs than threads run one after the other")
    func waiting() async {
        let threads = ThreadExecutor(limit: 2)
        let seen = Recorder<Int>()
        let running = Running()
        await run(200, on: threads) { _ in
            seen.append(running.count.add(1, ordering: .acquiringAndReleasing).newValue)
            running.count.subtract(1, ordering: .acquiringAndReleasing)
        }
        #expect(seen.count == 200)
        #expect(seen.all.allSatisfy { $0 <= 2 })
    }

    @Test("an idle thread ends, and another is started when there is work again")
    func idle() async {
        let threads = ThreadExecutor(limit: 4, idleSeconds: 0)
        for _ in 0..<3 {
            await run(4, on: threads) { _ in }
            while threads.threadCount > 0 { await Task.yield() }
        }
    }

    @Test("a job has its Swift task's values and its cancellation")
    func values() async {
        let threads = ThreadExecutor(limit: 1)
        let observe: @Sendable () async -> (Int, Bool) = {
            while !Task.isCancelled { usleep(1000) }
            return (Self.number, threads.isCurrent)
        }
        let task = Self.$number.withValue(7) { Task(executorPreference: threads, operation: observe) }
        task.cancel()
        #expect(await task.value == (7, true))
        #expect(!threads.isCurrent)
    }
}

@Suite("Synchronous and asynchronous handlers", .timeLimit(.minutes(5)))
struct HandlerTests {
    private static func plain(_ a: Int) -> Int { a }
    private static func suspending(_ a: Int) async throws -> Int { a }

    @Test("a registration takes the kind that its closure is")
    func kinds() throws {
        let huey = Worker().huey
        huey.task("sync.value", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        huey.task("sync.function", parameters: "a", handler: Self.plain)
        huey.task("sync.nothing", parameters: "a") { (a: Int) in _ = a }
        huey.task("sync.none") { 5 }
        huey.task("sync.throws", parameters: "a") { (a: Int) in if a > 0 { throw CancellationError() } }
        huey.task("sync.optional", parameters: "a") { (a: Int) -> Int? in
            if a > 3 { return nil }
            return a
        }
        huey.task("sync.array", parameters: ["a"]) { (a: Int) in _ = a }
        huey.contextTask("sync.context") { (context: TaskContext) in context.id }
        huey.periodicTask("sync.periodic", .everyMinute) { _ in }
        huey.periodicTask("sync.periodic.value", .everyMinute) { _ in 1 }
        huey.task("async.value", parameters: "a") { (a: Int) in try await Self.suspending(a) }
        huey.task("async.function", parameters: "a", handler: Self.suspending)
        huey.task("async.declared", parameters: "a") { (a: Int) async in _ = a }
        huey.task("async.nothing") { try await Task.sleep(for: .zero) }
        huey.task("async.array", parameters: ["a"]) { (a: Int) in await Task.yield() }
        huey.contextTask("async.context") { (context: TaskContext) in
            await Task.yield()
            return context.id
        }
        huey.periodicTask("async.periodic", .everyMinute) { _ in await Task.yield() }
        try huey.checkRegistrations()
        for name in huey.taskNames {
            #expect(try #require(huey.registry.task(named: name)).isSynchronous == name.hasPrefix("sync"), "\(name)")
        }
    }

    @Test("each kind runs where it belongs, whoever calls it", arguments: [false, true])
    func places(fromThread: Bool) async throws {
        let worker = Worker()
        let threads = ThreadExecutor(limit: 1)
        worker.huey.task("tasks.sync") { threads.isCurrent }
        worker.huey.task("tasks.async") {
            await Task.yield()
            return threads.isCurrent
        }
        let executor = Executor(
            huey: worker.huey,
            sink: DirectSink(storage: worker.storage),
            inFlight: InFlight(),
            threads: threads,
            logger: worker.logger
        )
        for (name, isOnThread) in [("tasks.sync", true), ("tasks.async", false)] {
            // With a time limit, too: its handler runs in a child task.
            for timeout in [nil, 60] as [PythonNumber?] {
                let message = try worker.huey.message(name, TaskArguments([]), options: TaskOptions(timeout: timeout))
                let delivery = Delivery(data: try worker.huey.serialize(message))
                try await withTaskExecutorPreference(fromThread ? threads : nil) {
                    _ = try await executor.run(delivery)
                }
                #expect(try await worker.huey.result(id: message.id, of: Bool.self).value() == isOnThread)
            }
        }
    }

    @Test("a synchronous handler can see that its time is over")
    func timeout() async throws {
        let worker = Worker()
        worker.huey.task("tasks.wait", settings: TaskSettings(timeout: .float(0.01))) {
            while !Task.isCancelled { usleep(1000) }
            throw CancellationError()
        }
        let executor = Executor(
            huey: worker.huey,
            sink: DirectSink(storage: worker.storage),
            inFlight: InFlight(),
            threads: ThreadExecutor(limit: 1),
            logger: worker.logger
        )
        let message = try worker.huey.message("tasks.wait", TaskArguments([]), options: TaskOptions())
        try await executor.run(Delivery(data: try worker.huey.serialize(message)))
        let error = await #expect(throws: TaskException.self) {
            try await worker.huey.result(id: message.id, of: PickleValue.self).value()
        }
        #expect(error?.error.contains("TaskTimeout") == true)
    }
}
