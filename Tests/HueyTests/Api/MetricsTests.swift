import CoreMetrics
import Pickle
import Synchronization
import TestSupport
import Testing

@testable import Huey

@Suite("Metrics tell of each task by its name")
struct MetricsTests {
    // A backend is the process's: the test gets a process of its own.
    @Test("runs, failures, retries, durations and lateness are counted, with handlers made once")
    func counts() async {
        await #expect(processExitsWith: .success) {
            let metrics = CollectingMetrics()
            MetricsSystem.bootstrap(metrics)
            let worker = Worker()
            let add = worker.huey.task("add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
            let fail = worker.huey.task("fail", settings: TaskSettings(retries: 1)) { () throws -> Int in
                throw PickleException.builtin("ValueError", "boom")
            }
            let again = worker.huey.task("again", parameters: "n") { (_: Int) throws -> Int in
                throw RetryTask(start: .delay(seconds: 60))
            }
            for _ in 0..<3 { try await add(1, 2) }
            try await add.with(TaskOptions(start: .delay(seconds: -2)))(1, 2)
            try await fail()
            try await again(1)
            try await worker.huey.remoteTask("unknown")()
            try await worker.drain()

            #expect(
                metrics.counts == [
                    "huey.tasks.executed add": 4, "huey.tasks.executed fail": 2, "huey.tasks.executed again": 1,
                    "huey.tasks.failed fail": 2, "huey.tasks.retried fail": 1, "huey.tasks.retried again": 1,
                ]
            )
            #expect(metrics.times["huey.tasks.wait add"] == [2_000_000_000])
            #expect(metrics.times["huey.tasks.duration add"]?.count == 4)
            #expect(metrics.made == 15)
        }
    }
}

/// A backend that keeps what it is told, by label and task.
private final class CollectingMetrics: MetricsFactory {
    struct State {
        var made = 0
        var counts: [String: Int64] = [:]
        var times: [String: [Int64]] = [:]
    }

    final class Handler: CounterHandler, TimerHandler, RecorderHandler {
        let key: String
        let metrics: CollectingMetrics

        init(_ label: String, _ dimensions: [(String, String)], _ metrics: CollectingMetrics) {
            key = label + " " + dimensions.filter { $0.0 == "task" }.map(\.1).joined()
            self.metrics = metrics
            metrics.state.withLock { $0.made += 1 }
        }

        func increment(by amount: Int64) { metrics.state.withLock { $0.counts[key, default: 0] += amount } }
        func reset() {}
        func recordNanoseconds(_ duration: Int64) {
            metrics.state.withLock { $0.times[key, default: []].append(duration) }
        }
        func record(_ value: Int64) {}
        func record(_ value: Double) {}
    }

    private let state = Mutex(State())

    var counts: [String: Int64] { state.withLock { $0.counts } }
    var times: [String: [Int64]] { state.withLock { $0.times } }
    var made: Int { state.withLock { $0.made } }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        Handler(label, dimensions, self)
    }
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        Handler(label, dimensions, self)
    }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        Handler(label, dimensions, self)
    }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
}
