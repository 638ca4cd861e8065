import ArgumentParser
import Huey
import HueyRedis

/// How full a queue is.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "How many tasks wait, are scheduled, and have results."
    )

    @OptionGroup var queue: QueueArguments
    @Flag(help: "Count results where that takes a scan of all keys of the server: with a storage whose results expire.")
    var countResults = false

    func run() async throws {
        try await queue.withHuey { huey in
            print("pending    \(try await huey.pendingCount())")
            print("scheduled  \(try await huey.scheduledCount())")
            if (huey.storage as? RedisStorage)?.countsResultsByScan == true, !countResults {
                print("results    not counted: that takes a scan of all keys (--count-results)")
            } else {
                print("results    \(try await huey.resultCount())")
            }
            if let storage = huey.storage as? any DeadLetterStorage {
                print("dead       \(try await storage.deadLetterCount())")
            }
        }
    }
}

/// What waits in a queue.
struct PendingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pending",
        abstract: "The tasks that wait in the queue, next first."
    )

    @OptionGroup var queue: QueueArguments
    @Option(help: "At most so many.") var limit = 20

    func run() async throws {
        try await queue.withHuey { huey in
            for message in try await huey.pending(limit: limit) { printEntry("\(message)") }
        }
    }
}

/// What waits for its time.
struct ScheduledCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheduled",
        abstract: "The tasks that wait for their time, soonest first."
    )

    @OptionGroup var queue: QueueArguments
    @Option(help: "At most so many.") var limit = 20

    func run() async throws {
        try await queue.withHuey { huey in
            for message in try await huey.scheduled(limit: limit) { printEntry("\(message)") }
        }
    }
}
