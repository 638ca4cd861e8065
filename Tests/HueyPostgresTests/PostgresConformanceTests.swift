#if Postgres
    import Foundation
    import Huey
    import HueyPostgres
    import HueyStorageConformance
    import TestSupport
    import Testing

    /// The server that tests share that do not stop it.
    let sharedPostgres = Result { try PrivatePostgres(settings: ["max_connections = 400"]) }

    /// A storage with tables of its own.
    func postgresStorage(
        prefix: String = "t\(UInt32.random(in: 0...UInt32.max))",
        name: String = "huey",
        url: String? = nil,
        change: (inout PostgresStorageOptions) -> Void = { _ in }
    ) throws -> any Storage {
        var options = PostgresStorageOptions(tablePrefix: prefix)
        change(&options)
        return try PostgresStorage(url: url ?? sharedPostgres.get().url(), options: options).bound(to: name)
    }

    @Suite("Postgres keeps a storage's promises", .serialized)
    struct PostgresConformanceTests {
        @Test("all that it conforms to", arguments: StorageConformance.checks)
        func checks(check: StorageCheck) async throws {
            let conformance = StorageConformance { name in
                var options = PostgresStorageOptions()
                options.readTimeout = .seconds(600)
                options.connections = 3
                return try PostgresStorage(url: sharedPostgres.get().url(), options: options)
            }
            let outcome = try await conformance.run(check)
            #expect((outcome == .kept) == check.contracts.allSatisfy { $0 == .storage || $0 == .deadLetters })
        }

        @Test("without notifications, too", arguments: StorageConformance.checks.filter { $0.contracts == [.storage] })
        func polling(check: StorageCheck) async throws {
            let conformance = StorageConformance { name in
                var options = PostgresStorageOptions(tablePrefix: "polled")
                options.blocking = false
                return try PostgresStorage(url: sharedPostgres.get().url(), options: options)
            }
            try await conformance.run(check)
        }
    }
#endif
