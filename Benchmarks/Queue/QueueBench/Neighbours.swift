import ArgumentParser
import Huey
import HueyConsumer
import HueyRedis
import Synchronization

/// How long fast tasks wait when every hundredth task takes 200 ms and workers are idle: batches must not keep them behind a slow one.
struct Neighbours: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fast tasks beside slow ones, with a consumer of its own."
    )
    @OptionGroup var place: Place
    @Option(help: "Tasks run at once.") var workers = 4

    func run() async throws {
        let huey = Huey(place.name, storage: try RedisStorage(url: place.url))
        let start = ContinuousClock.now
        let waits = Mutex<[Double]>([])
        let ended = Mutex(0)
        let fast = huey.task("bench.fast", parameters: "sent") { (sent: Double) in
            let now = start.duration(to: .now).inSeconds
            waits.withLock { $0.append(now - sent) }
            ended.withLock { $0 += 1 }
        }
        let slow = huey.task("bench.slow") {
            try await Task.sleep(for: .milliseconds(200))
            ended.withLock { $0 += 1 }
        }
        var options = ConsumerOptions()
        options.workers = workers
        options.periodic = false
        options.delivery = .atMostOnce
        let consumer = Consumer(huey, options: options)
        let running = Task { try await consumer.run() }
        for number in 0..<place.count {
            // A burst of ten every ten milliseconds.
            if number % 10 == 0 { try await Task.sleep(for: .milliseconds(10)) }
            if number % 100 == 50 {
                try await slow()
            } else {
                try await fast(start.duration(to: .now).inSeconds)
            }
        }
        while ended.withLock({ $0 }) < place.count { try await Task.sleep(for: .milliseconds(20)) }
        consumer.stop(.graceful)
        try await running.value
        let sorted = waits.withLock { $0.sorted() }
        func percentile(_ share: Double) -> Double {
            sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] * 1e3
        }
        print("{\"p50\": \(percentile(0.5)), \"p99\": \(percentile(0.99)), \"max\": \(percentile(1))}")
    }
}
