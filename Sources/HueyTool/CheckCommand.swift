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
    @Flag(help: "The same as a JSON object.") var json = false

    func run() async throws {
        var status = Status.fine
        var messages: [String] = []
        var server: ServerState?
        do {
            try await queue.withHuey { huey in
                guard let storage = huey.storage as? RedisStorage else { return try await huey.storage.ping() }
                let state = try await storage.serverState()
                server = state
                messages += state.evictionWarning.map { [$0] } ?? []
                if state.evictionPolicy == nil {
                    messages.append("the server does not tell its maxmemory-policy")
                    status = max(status, .unknown)
                } else if state.evictionWarning != nil {
                    status = max(status, .warning)
                }
            }
        } catch let error as any StorageFailure {
            messages.append("\(error)")
            status = .unknown
        }
        try report(status, messages, server)
        if status != .fine { throw ExitCode(status.rawValue) }
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
    }

    private func report(_ status: Status, _ messages: [String], _ server: ServerState?) throws {
        guard json else {
            let rest = messages.isEmpty ? server?.version ?? "" : messages.joined(separator: "; ")
            return printEntry("\(status.name): \(rest)")
        }
        let words = server?.version?.split(separator: " ").map(String.init) ?? []
        let report = Report(
            status: status.name,
            messages: messages.map { $0.field() },
            server: .init(kind: words.first, version: words.dropFirst().first, memory: server?.usedMemory)
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(report), as: UTF8.self))
    }
}
