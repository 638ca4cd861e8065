public import ArgumentParser
import Huey
public import HueyRedis

#if Postgres
    import HueyPostgres
#endif

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Which queue a command is about.
struct QueueArguments: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: "The Redis server or Postgres database (default: $HUEY_URL, or redis://localhost:6379/0)."
    )
    var url: String?

    @Option(name: .shortAndLong, help: "The Huey instance's name.")
    var name = "huey"

    @Option(help: "How the name becomes part of keys: 3 (huey 3), 2 (huey 2) or off.")
    var cleanName = CleanName.huey3

    @Option(help: "The kind of storage: with priorities, a queue lies differently on Redis.")
    var storage = RedisStorageKind.redis

    @Option(help: "What the names of Postgres' tables begin with.")
    var tablePrefix: String?

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
        if url.hasPrefix("postgresql://") || url.hasPrefix("postgres://") { return try makePostgresHuey(url) }
        guard tablePrefix == nil else {
            throw ValidationError("--table-prefix is for Postgres, and the URL is none of Postgres.")
        }
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

    private func makePostgresHuey(_ url: String) throws -> Huey {
        guard storage == .redis else {
            throw ValidationError(
                "--storage \(storage.rawValue) is a kind of Redis storage, and the URL is one of Postgres."
            )
        }
        #if Postgres
            // A command of one's own does not make tables by a slip of the prefix.
            var options = PostgresStorageOptions(tablePrefix: tablePrefix ?? "huey")
            options.createTables = false
            return Huey(name, storage: try PostgresStorage(url: url, options: options))
        #else
            throw ValidationError("This tool was built without Postgres.")
        #endif
    }
}

extension RedisStorageKind: ExpressibleByArgument {}
