import ArgumentParser
import Huey
import HueyRedis
import Synchronization

/// The Swift side of what is measured beside Python: each command prints one line of JSON.
@main
struct QueueBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue-bench",
        abstract: "Enqueues tasks and waits for results, and says how long that took.",
        subcommands: [One.self, Concurrent.self, Bulk.self, RoundTrip.self, Waiters.self, Neighbours.self]
    )
}

/// Which queue, and how many tasks.
struct Place: ParsableArguments {
    @Option(help: "redis-py's form of a URL.")
    var url = "redis://localhost:6379/0"
    @Option var name = "bench"
    @Option var count = 10_000

    var add: RemoteTask<Int> {
        get throws {
            let storage = try RedisStorage(url: url, options: RedisStorageOptions(notifyResult: true))
            return Huey(name, storage: storage).remoteTask("interop_tasks.add", returning: Int.self)
        }
    }

    /// Tasks a second.
    func report(_ duration: Duration) {
        print("{\"rate\": \(Double(count) / duration.inSeconds)}")
    }
}

struct One: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "One after the other, each awaited.")
    @OptionGroup var place: Place

    func run() async throws {
        let add = try place.add
        try await add(1, 2)
        place.report(
            try await add.onStorageThread {
                for number in 0..<place.count { try await add(number, 3) }
            }
        )
    }
}

struct Concurrent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "By many producers at once, each awaiting its own.")
    @OptionGroup var place: Place
    @Option var producers = 64

    func run() async throws {
        let add = try place.add
        try await add(1, 2)
        let share = place.count / producers
        place.report(
            try await ContinuousClock().measure {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<producers {
                        group.addTask { for number in 0..<share { try await add(number, 3) } }
                    }
                    try await group.waitForAll()
                }
            }
        )
    }
}

struct Bulk: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "All at once.")
    @OptionGroup var place: Place

    func run() async throws {
        let add = try place.add
        try await add(1, 2)
        place.report(
            try await ContinuousClock().measure {
                let messages = (0..<place.count).lazy.compactMap { try? add.s($0, 3) }
                try await add.huey.enqueue(streaming: messages)
            }
        )
    }
}

struct RoundTrip: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Enqueues and waits for the result, one after the other.")
    @OptionGroup var place: Place

    func run() async throws {
        let add = try place.add
        let times = Mutex<[Duration]>([])
        _ = try await add.onStorageThread {
            for number in 0..<place.count {
                let time = try await ContinuousClock().measure {
                    let sum = try await add(number, 3).value(timeout: .seconds(10))
                    guard sum == number + 3 else { throw ValidationError("\(number) + 3 is not \(sum)") }
                }
                times.withLock { $0.append(time) }
            }
        }
        let sorted = times.withLock { $0.sorted() }
        let p50 = sorted[sorted.count / 2].inSeconds * 1e6
        let p99 = sorted[sorted.count * 99 / 100].inSeconds * 1e6
        print("{\"p50\": \(p50), \"p99\": \(p99)}")
    }
}

struct Waiters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Waits for many results at once.")
    @OptionGroup var place: Place

    func run() async throws {
        let add = try place.add
        place.report(
            try await ContinuousClock().measure {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<place.count {
                        group.addTask {
                            let sum = try await add(number, 3).value(timeout: .seconds(60))
                            guard sum == number + 3 else { throw ValidationError("\(number) + 3 is not \(sum)") }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        )
    }
}

extension RemoteTask {
    /// How long something takes that waits for the storage again and again, and therefore runs where the storage does.
    fileprivate func onStorageThread(_ body: @escaping @Sendable () async throws -> Void) async throws -> Duration {
        try await Task(executorPreference: huey.storage.executor) {
            try await ContinuousClock().measure { try await body() }
        }.value
    }
}
