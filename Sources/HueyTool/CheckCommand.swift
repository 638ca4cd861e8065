import ArgumentParser
import Huey
import HueyRedis
import Redis

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One line for monitoring, and an exit status as monitoring plugins have it.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Whether the server is set up so that no task is lost, as one line for monitoring.",
        discussion:
            "Exit status: 0 fine, 1 a warning, 2 a limit is exceeded, 3 the server cannot be asked, or a bad option."
    )

    /// What the check came to, and the exit status that says so.
    enum Status: Int32, Comparable {
        case fine = 0
        case warning = 1
        case exceeded = 2
        case unknown = 3

        static func < (left: Status, right: Status) -> Bool { left.rawValue < right.rawValue }

        var name: String {
            switch self {
            case .fine: "ok"
            case .warning: "warning"
            case .exceeded: "critical"
            case .unknown: "unknown"
            }
        }
    }

    @OptionGroup var queue: QueueArguments
    @Option(help: ArgumentHelp("At most so many messages may wait.", valueName: "count")) var maxPending: Int?
    @Option(
        help: ArgumentHelp(
            "The oldest message may have waited so long. Known of storages with priorities, and of an empty queue.",
            valueName: "seconds"
        )
    )
    var maxAge: Double?
    @Option(help: ArgumentHelp("There may be so many dead letters.", valueName: "count")) var maxDead: Int?
    @Option(
        help: ArgumentHelp(
            "So many consumers must be alive. Counted are those that deliver at least once; it takes up to three seconds.",
            valueName: "count"
        )
    )
    var minConsumers: Int?
    @Flag(help: "The same as a JSON object.") var json = false

    func validate() throws {
        let counts = [maxPending, maxDead, minConsumers].compactMap { $0 }
        guard counts.allSatisfy({ $0 >= 0 }), (maxAge ?? 0) >= 0, maxAge?.isFinite != false else {
            throw ValidationError("Limits must be numbers, not negative.")
        }
    }

    /// What is found while the check goes on: the worst status counts.
    private struct Findings {
        var status = Status.fine
        var messages: [String] = []
        var server: ServerState?
        var counts: [String: Double] = [:]

        mutating func add(_ status: Status, _ message: String) {
            self.status = max(self.status, status)
            messages.append(message)
        }

        /// Takes in a number, and whether it is beyond its limit.
        mutating func add(_ name: String, _ number: Double, isExceeded: Bool, _ message: String) {
            counts[name] = number
            if isExceeded { add(.exceeded, message) }
        }
    }

    func run() async throws {
        var findings = Findings()
        do {
            try await queue.withHuey { huey in
                guard let storage = huey.storage as? RedisStorage else {
                    try await huey.storage.ping()
                    return try await checkLimits(of: huey.storage, &findings)
                }
                findings.server = try await storage.serverState()
                if findings.server?.evictionPolicy == nil {
                    findings.add(.unknown, "the server does not tell its maxmemory-policy")
                } else if let warning = findings.server?.evictionWarning {
                    findings.add(.warning, warning)
                }
                try await checkLimits(of: storage, &findings)
            }
        } catch let error as any StorageFailure {
            findings.add(.unknown, "\(error)")
        }
        try report(findings)
        if findings.status != .fine { throw ExitCode(findings.status.rawValue) }
    }

    /// Of a storage other than Redis only what waits can be counted.
    private func checkLimits(of storage: any Storage, _ findings: inout Findings) async throws {
        if let maxPending { try await checkPending(storage, maxPending, &findings) }
        if let maxDead {
            guard let letters = storage as? any DeadLetterStorage else {
                return findings.add(.unknown, "this storage keeps no dead letters")
            }
            let count = try await letters.deadLetterCount()
            let message = "\(count) dead letters, more than \(maxDead)"
            findings.add("dead", Double(count), isExceeded: count > maxDead, message)
        }
        if maxAge != nil { findings.add(.unknown, "how long messages have waited is not known of this storage") }
        if minConsumers != nil { findings.add(.unknown, "who consumes is not known of this storage") }
    }

    private func checkPending(_ storage: any Storage, _ limit: Int, _ findings: inout Findings) async throws {
        let count = try await storage.queueSize()
        let message = "\(count) messages wait, more than \(limit)"
        findings.add("pending", Double(count), isExceeded: count > limit, message)
    }

    private func checkLimits(of storage: RedisStorage, _ findings: inout Findings) async throws {
        if let maxPending { try await checkPending(storage, maxPending, &findings) }
        if let maxAge {
            if let age = try await storage.oldestMessageAge() {
                let message = "the oldest message has waited \(Int(age.inSeconds)) seconds, more than \(maxAge)"
                findings.add("age", age.inSeconds, isExceeded: age.inSeconds > maxAge, message)
            } else {
                findings.add(.unknown, "how long messages have waited is not known of a storage without priorities")
            }
        }
        if let maxDead {
            let count = try await storage.deadLetterCount()
            let message = "\(count) dead letters, more than \(maxDead)"
            findings.add("dead", Double(count), isExceeded: count > maxDead, message)
        }
        if let minConsumers {
            let count = try await storage.liveConsumers(enough: minConsumers)
            let message =
                "\(count) consumers that deliver at least once are alive, fewer than \(minConsumers); others cannot be counted"
            findings.add("consumers", Double(count), isExceeded: count < minConsumers, message)
        }
    }

    /// The answer of `--json`.
    private struct Report: Encodable {
        struct Server: Encodable {
            var kind: String?
            var version: String?
            var memory: Int?
        }
        var status: String
        var messages: [String]
        var server: Server
        /// What was counted: `pending`, `age`, `dead`, `consumers`.
        var counts: [String: Double]
    }

    private func report(_ findings: Findings) throws {
        let (status, messages, server) = (findings.status, findings.messages, findings.server)
        guard json else {
            let rest = messages.isEmpty ? server?.version ?? "" : messages.joined(separator: "; ")
            return printEntry("\(status.name): \(rest)")
        }
        let words = server?.version?.split(separator: " ").map(String.init) ?? []
        let report = Report(
            status: status.name,
            messages: messages.map { $0.field() },
            server: .init(kind: words.first, version: words.dropFirst().first, memory: server?.usedMemory),
            counts: findings.counts
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(report), as: UTF8.self))
    }
}
