#if Postgres
    import Foundation
    import Huey
    import HueyPostgres
    import Pickle
    import Synchronization
    import TestSupport
    import Testing

    private func data(_ text: String) -> [UInt8] { Array(text.utf8) }
    private func text(_ data: [UInt8]) -> String { String(decoding: data, as: UTF8.self) }

    /// Each test has a server of its own, because it changes how that behaves.
    @Suite("Where Postgres is difficult")
    struct PostgresFaultTests {
        private func failure(_ body: () async throws -> Void) async -> PostgresError? {
            await #expect(throws: PostgresError.self) { try await body() }
        }

        @Test("a server that is down is waited for, and one that restarts is found again")
        func restart() async throws {
            let server = try PrivatePostgres()
            try await server.control("-m fast stop")
            let storage = try postgresStorage(url: server.url()) { $0.readTimeout = .seconds(600) }
            let down = await failure { try await storage.enqueue(data("x"), priority: nil) }
            #expect(down?.isTransient == true && down?.mayHaveHappened == false && down?.kind == .connecting)
            #expect(down?.description.contains("\n") == false)
            try await server.control("start")
            try await storage.enqueue(data("a"), priority: nil)
            #expect(try await storage.dequeue(upTo: 1, wait: .seconds(600)).map { text($0.data) } == ["a"])
            // Connections that broke meanwhile are replaced unnoticed, the listening one, too.
            @Sendable func next() async throws -> [Delivery] {
                while true {
                    // It may look while the server is down.
                    do { return try await storage.dequeue(upTo: 1, wait: .seconds(600)) } catch let error
                        as PostgresError
                        where error.isTransient
                    {}
                }
            }
            async let waiting = next()
            for _ in 0..<2 {
                try await server.control("-m fast restart")
                #expect(try await storage.queueSize() == 0)
            }
            try await storage.enqueue(data("b"), priority: nil)
            #expect(try await waiting.map { text($0.data) } == ["b"])
            try await server.control("-m immediate restart")
            #expect(try await storage.queueSize() == 0)
            await storage.close()
            #expect(await failure { try await storage.ping() }?.kind == .closed)
        }

        @Test("a statement that the server ended with its connection is tried again")
        func terminated() async throws {
            let server = try PrivatePostgres()
            let storage = try postgresStorage(prefix: "huey", url: server.url())
            try await storage.putData(data("1"), forKey: "k", isResult: true)
            // Somebody holds the row, so that the statement waits.
            try await server.beginSQL("begin; update huey_kv set value = '2'; select pg_sleep(3600)")
            let isIn = { (event: String) in
                try await server.sql("select count(*) from pg_stat_activity where wait_event\(event)") != "0"
            }
            while try await !isIn(" = 'PgSleep'") {}
            async let done: Void = storage.putData(data("3"), forKey: "k", isResult: true)
            while try await !isIn("_type = 'Lock'") {}
            for event in ["_type = 'Lock'", " = 'PgSleep'"] {
                try await server.sql("select pg_terminate_backend(pid) from pg_stat_activity where wait_event\(event)")
            }
            try await done
            #expect(try await storage.peekData("k").map(text) == "3")
            await storage.close()
        }

        @Test("a server that does not answer is given up, and its statement may have been carried out")
        func silent() async throws {
            let server = try PrivatePostgres()
            let storage = try postgresStorage(prefix: "huey", url: server.url()) {
                $0.silenceLimit = .milliseconds(300)
            }
            try await storage.ping()
            try await server.sql(
                "create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(5); return new; end'"
            )
            try await server.sql("create trigger slow before insert on huey_task for each row execute function slow()")
            let error = await failure { try await storage.enqueue(data("x"), priority: nil) }
            #expect(error?.kind == .connectionLost && error?.mayHaveHappened == true && error?.isTransient == true)
            try await storage.ping()
            await storage.close()
        }

        @Test("a server without free connections is waited for")
        func connections() async throws {
            let server = try PrivatePostgres(settings: ["max_connections = 4", "superuser_reserved_connections = 1"])
            try await server.sql("create role worker login; grant all on schema public to worker")
            let url = server.url("&user=worker")
            let storages = try (0..<3).map { try postgresStorage(prefix: "p\($0)", url: url) }
            for storage in storages { try await storage.ping() }
            let late = try postgresStorage(url: url)
            let error = await failure { try await late.ping() }
            #expect(error?.isTransient == true && error?.mayHaveHappened == false)
            for storage in storages { await storage.close() }
            var isDone = false
            while !isDone { isDone = (try? await late.ping()) != nil }
            await late.close()
        }

        @Test("a server that is read-only is waited for, and left for another")
        func readOnly() async throws {
            let server = try PrivatePostgres()
            let storage = try postgresStorage(url: server.url())
            try await storage.enqueue(data("a"), priority: nil)
            try await server.sql("alter system set default_transaction_read_only = on")
            try await server.sql("select pg_reload_conf()")
            try await server.sql(
                "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
            )
            var error: PostgresError?
            // Until the server has read its settings.
            while error == nil {
                do { try await storage.enqueue(data("b"), priority: nil) } catch let failure as PostgresError {
                    error = failure
                }
            }
            #expect(error?.sqlState == "25006", "\(String(describing: error))")
            #expect(error?.isTransient == true && error?.mayHaveHappened == false)
            let size = try await storage.queueSize()
            try await server.sql("alter system reset default_transaction_read_only")
            try await server.sql("select pg_reload_conf()")
            while try await server.sql("show default_transaction_read_only") == "on" {}
            try await storage.enqueue(data("b"), priority: nil)
            #expect(try await storage.queueSize() == size + 1)
            await storage.close()
        }

        @Test("transactions that conflict are tried again", arguments: ["read committed", "serializable"])
        func conflicts(isolation: String) async throws {
            let server = try PrivatePostgres(settings: [
                "default_transaction_isolation = '\(isolation)'", "deadlock_timeout = 10ms",
            ])
            let storage = try postgresStorage(url: server.url())
            // Each writes the same two keys, half of them in the other order: a deadlock.
            let orders = [["a", "b"], ["b", "a"]]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        let keys = orders[index % 2]
                        try await storage.commit(keys.map { .put(data("\(index)"), key: $0, isResult: true) })
                        _ = try await storage.increment("n", by: 1)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await storage.increment("n", by: 0) == 100)
            #expect(try await storage.peekData("a") == storage.peekData("b"))
            await storage.close()
        }

        @Test("many that make the tables at once all succeed")
        func creation() async throws {
            let server = try PrivatePostgres()
            let storages = try (0..<8).map { _ in try postgresStorage(prefix: "same", url: server.url()) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for storage in storages { group.addTask { try await storage.enqueue(data("x"), priority: nil) } }
                try await group.waitForAll()
            }
            #expect(try await storages[0].queueSize() == 8)
            for storage in storages { await storage.close() }
        }

        @Test("who may not create tables can use those that are there, and is told of those that are missing")
        func permissions() async throws {
            let server = try PrivatePostgres()
            let owner = try postgresStorage(prefix: "given", url: server.url())
            try await owner.ping()
            try await server.sql(
                "create role worker login; grant all on all tables in schema public to worker; grant all on all sequences in schema public to worker"
            )
            let storage = try postgresStorage(prefix: "given", url: server.url("&user=worker"))
            try await storage.enqueue(data("x"), priority: nil)
            #expect(try await storage.dequeue(upTo: 1, wait: .seconds(60)).count == 1)
            let letter = DeadLetter(data: data("m"), reason: .failed, detail: "", time: 5)
            let refused = await failure { try await storage.bury(letter) }
            #expect(refused?.isRefusal == true && refused?.sqlState == "42501")
            let other = try postgresStorage(prefix: "missing", url: server.url("&user=worker"))
            let missing = await failure { try await other.ping() }
            #expect(missing?.isRefusal == true)
            for storage in [owner, storage, other] { await storage.close() }
        }

        @Test("tables that are missing or lack a column are refused by name")
        func olderSchema() async throws {
            let server = try PrivatePostgres()
            try await server.sql(
                "create table old_task (id bigserial primary key, queue text not null, data bytea not null)"
            )
            let storage = try postgresStorage(prefix: "old", url: server.url()) { $0.createTables = false }
            let column = await failure { try await storage.enqueue(data("x"), priority: nil) }
            #expect(column?.isRefusal == true && column?.description.contains("priority") == true)
            let table = await failure { try await storage.putData(data("x"), forKey: "k", isResult: true) }
            #expect(table?.isRefusal == true && table?.description.contains("old_kv") == true)
            await storage.close()
        }

        @Test("several hosts: the one that can be written to is found")
        func hosts() async throws {
            let (dead, server) = (try PrivatePostgres(), try PrivatePostgres())
            try await dead.sql("alter system set default_transaction_read_only = on")
            try await dead.control("restart")
            let url =
                "host=\(dead.directory),\(server.directory) user=postgres dbname=postgres target_session_attrs=read-write"
            let storage = try postgresStorage(url: url)
            try await storage.enqueue(data("x"), priority: nil)
            #expect(try await storage.queueSize() == 1)
            try await dead.control("-m immediate stop")
            let late = try postgresStorage(url: url)
            try await late.ping()
            for storage in [storage, late] { await storage.close() }
        }

        @Test("a password that is wrong is never shown")
        func password() async throws {
            let server = try PrivatePostgres()
            try await server.sql("create role worker login password 'right'")
            try await server.run("sed -i '1i local all worker scram-sha-256' '\(server.directory)/data/pg_hba.conf'")
            try await server.sql("select pg_reload_conf()")
            let url = server.url("&user=worker&password=")
            var error: PostgresError?
            // Until the server has read its file.
            while error == nil {
                let storage = try postgresStorage(url: url + "hidden") { $0.createTables = false }
                do { try await storage.ping() } catch let failure as PostgresError { error = failure }
                await storage.close()
            }
            #expect(error?.isRefusal == true || error?.isTransient == true)
            #expect(error?.description.contains("hidden") == false)
            let storage = try postgresStorage(url: url + "right") { $0.createTables = false }
            try await storage.ping()
            await storage.close()
        }

        @Test("keys and values that Postgres cannot keep are refused, and nothing else happens")
        func values() async throws {
            let server = try PrivatePostgres()
            let storage = try postgresStorage(url: server.url())
            let error = await failure {
                try await storage.commit([
                    .put(data("v"), key: "a", isResult: true), .put(data("v"), key: "b\0", isResult: true),
                ])
            }
            #expect(error?.isTransient == false && error?.isRefusal == false && error?.mayHaveHappened == false)
            #expect(try await storage.resultStoreSize() == 0)
            _ = try await storage.increment("n", by: .max)
            #expect(await failure { _ = try await storage.increment("n", by: 1) }?.sqlState == "22003")
            #expect(try await storage.increment("n", by: 0) == .max)
            await storage.close()
        }

        @Test("what cannot be moved stays in the schedule")
        func schedule() async throws {
            let server = try PrivatePostgres()
            let storage = try postgresStorage(prefix: "huey", url: server.url())
            let moment = PickleDateTime(year: 2024, month: 1, day: 2)
            try await storage.addToSchedule(data("a"), at: moment)
            try await server.sql("alter table huey_task add check (octet_length(data) < 1)")
            for _ in 0..<2 {
                _ = await failure {
                    _ = try await storage.promoteSchedule(dueAt: moment, limit: 9) { [.enqueue($0, priority: nil)] }
                }
            }
            #expect(try await storage.scheduleSize() == 1)
            #expect(try await storage.queueSize() == 0)
            await storage.close()
        }

        @Test("a storage that nobody keeps ends its threads and connections")
        func abandoned() async throws {
            let server = try PrivatePostgres()
            func use() async throws {
                let storage = try postgresStorage(url: server.url())
                _ = try await storage.dequeue(upTo: 1, wait: .milliseconds(50))
            }
            try await use()
            while try await server.sql("select count(*) from pg_stat_activity where application_name = 'huey'") != "0" {
            }
        }
    }
#endif
