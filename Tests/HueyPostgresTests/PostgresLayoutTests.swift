#if Postgres
    import Foundation
    import Huey
    import HueyPostgres
    import TestSupport
    import Testing

    private func data(_ text: String) -> [UInt8] { Array(text.utf8) }
    private func text(_ data: [UInt8]) -> String { String(decoding: data, as: UTF8.self) }

    /// The oracle is huey's `PostgresStorage`, run by Python on the same server.
    @Suite("Tables that Python shares")
    struct PostgresLayoutTests {
        /// Runs Python with huey's storage as `s`; returns what it prints.
        private func python(_ server: PrivatePostgres, prefix: String, name: String, _ code: String) async throws
            -> String
        {
            let root = URL(fileURLWithPath: #filePath)
                .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            let script = """
                import os, sys
                from huey.storage import PostgresStorage
                s = PostgresStorage(os.environ['QUEUE_NAME'], dsn=os.environ['QUEUE_DSN'], table_prefix=os.environ['QUEUE_PREFIX'])
                \(code)
                """
            let python = root.appendingPathComponent("interop/.env/venv/bin/python").path
            let dsn = "host=\(server.directory) user=postgres dbname=postgres"
            let words = [
                "QUEUE_NAME=" + name, "QUEUE_PREFIX=" + prefix, "QUEUE_DSN=" + dsn, "PYTHONDONTWRITEBYTECODE=1",
            ]
            return try await Shell.run(
                (["env"] + words.map(Shell.quoted) + [python, "-c", Shell.quoted(script)]).joined(separator: " ")
            )
        }

        /// Columns, types, defaults and indexes of the tables.
        private func schema(_ server: PrivatePostgres, _ prefix: String) async throws -> String {
            let columns = try await server.sql(
                """
                select table_name, column_name, data_type, is_nullable, coalesce(column_default, '-') from information_schema.columns \
                where table_name like '\(prefix)%' order by 1, ordinal_position
                """
            )
            let indexes = try await server.sql(
                "select indexdef from pg_indexes where tablename like '\(prefix)%' order by 1"
            )
            return (columns + "\n" + indexes).replacingOccurrences(of: prefix, with: "PREFIX")
        }

        @Test(
            "the tables are huey's, with any prefix",
            arguments: ["", "Capital", "with-a.dot", "ünder_score1", "a;drop table x"]
        )
        func schema(prefix: String) async throws {
            let server = try sharedPostgres.get()
            // Small letters in front, so that both are found again.
            let (ours, theirs) = (
                "o\(UInt16.random(in: 0...9999))x" + prefix, "t\(UInt16.random(in: 0...9999))x" + prefix
            )
            let storage = try postgresStorage(prefix: ours)
            try await storage.enqueue(data("x"), priority: 1)
            await storage.close()
            _ = try await python(server, prefix: theirs, name: "n", "s.enqueue(b'x')")
            func kept(_ prefix: String) -> String {
                prefix.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            }
            #expect(try await schema(server, kept(ours)) == schema(server, kept(theirs)))
        }

        @Test(
            "the channel is huey's, a long one hashed",
            arguments: ["q", "Name \"x\"", String(repeating: "n", count: 56), String(repeating: "ä", count: 40)]
        )
        func channel(name: String) async throws {
            let prefix = "Chan\(UInt32.random(in: 0...UInt32.max))"
            let code = "print(s.channel)"
            let channel = try await python(sharedPostgres.get(), prefix: prefix, name: name, code)
            let storage = try postgresStorage(prefix: prefix, name: name)
            #expect((storage as? PostgresStorage)?.channel == channel)
            await storage.close()
        }

        @Test("what each writes the other reads")
        func bothWays() async throws {
            let server = try sharedPostgres.get()
            let prefix = "Both\(UInt32.random(in: 0...UInt32.max))"
            let storage = try postgresStorage(prefix: prefix, name: "Q") { $0.readTimeout = .seconds(60) }
            let fill = """
                import datetime
                s.enqueue(b'low', -1.5); s.enqueue(b'\\x00\\xff'); s.enqueue(b'high', 7)
                s.add_to_schedule(b'later', datetime.datetime(2026, 1, 2, 3, 4, 5, 250000))
                s.put_data('k', b'v'); s.put_data('ä', b''); s.incr('n', 5)
                """
            _ = try await python(server, prefix: prefix, name: "Q", fill)
            #expect(
                try await storage.dequeue(upTo: 9, wait: .seconds(60)).map(\.data) == [
                    data("high"), [0, 255], data("low"),
                ]
            )
            #expect(try await storage.scheduledItems(limit: nil) == [data("later")])
            #expect(try await storage.resultItems() == ["k": data("v"), "ä": []])
            #expect(try await storage.increment("n", by: -2) == 3)
            try await storage.enqueue(contentsOf: [(data("a"), nil), (data("b"), 2), (data("c"), nil)])
            try await storage.putData(data("w"), forKey: "k", isResult: true)
            let look = """
                import datetime
                print(s.dequeue(), s.dequeue(), s.enqueued_items(), s.peek_many(['k', 'ä']), s.incr('n', 0))
                print(s.read_schedule(datetime.datetime(2026, 1, 2, 3, 4, 5, 249999)), s.read_schedule(datetime.datetime(2026, 1, 2, 3, 4, 5, 250000)))
                """
            let seen = try await python(server, prefix: prefix, name: "Q", look)
            #expect(seen == "b'b' b'a' [b'c'] {'k': b'w', 'ä': b''} 3\n[] [b'later']")
            await storage.close()
        }

        @Test("a prefix with which there are no tables is refused")
        func badPrefix() {
            for prefix in ["1abc", String(repeating: "p", count: 62)] {
                let error = #expect(throws: HueyError.self) { try postgresStorage(prefix: prefix) }
                #expect(error?.code == .invalidConfiguration)
            }
            #expect(throws: HueyError.self) { try postgresStorage(url: "host=\0x") }
        }
    }
#endif
