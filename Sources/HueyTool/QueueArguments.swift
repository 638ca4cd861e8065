public import ArgumentParser
import Huey
public import HueyRedis

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Which queue a command is about.
struct QueueArguments: ParsableArguments {
    @Option(name: .shortAndLong, help: "The Redis server (default: $HUEY_URL, or redis://localhost:6379/0).")
    var url: String?

    @Option(name: .shortAndLong, help: "The Huey instance's name.")
    var name = "huey"

    @Option(help: "How the name becomes part of keys: 3 (huey 3), 2 (huey 2) or off.")
    var cleanName = CleanName.huey3

    @Option(help: "The kind of storage: with priorities, a queue lies differently on Redis.")
    var storage = RedisStorageKind.redis

    enum CleanName: String, ExpressibleByArgument, CaseIterable {
        case huey3 = "3"
        case huey2 = "2"
        case off
    }

    /// Runs `body` with the instance, and closes its connections.
    func withHuey(_ body: (Huey) async throws -> Void) async throws {
        let huey = try makeHuey()
        do {
            try await body(huey)
            await huey.close()
        } catch {
            await huey.close()
            throw error
        }
    }

    private func makeHuey() throws -> Huey {
        let url = url ?? ProcessInfo.processInfo.environment["HUEY_URL"] ?? "redis://localhost:6379/0"
        var options = RedisStorageOptions()
        options.kind = storage
        options.nameCleaning =
            switch cleanName {
            case .huey3: .huey3
            case .huey2: .huey2
            case .off: .off
            }
        return Huey(name, storage: try RedisStorage(url: url, options: options))
    }
}

extension RedisStorageKind: ExpressibleByArgument {}
