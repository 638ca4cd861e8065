#if Postgres
    public import Huey

    extension PostgresStorage: DeadLetterStorage {
        public func deadLetterCount() async throws -> Int {
            try await letters("select count(*) from \(tables.dead) where queue = $1").map { $0.integer(0, 0) } ?? 0
        }

        public func deadLetterEntries(from start: Int, limit: Int) async throws -> [DeadLetterEntry] {
            guard start >= 0, limit > 0 else { return [] }
            let rows = try await letters(
                "select letter from \(tables.dead) where queue = $1 order by id desc limit $2 offset $3",
                .integer(limit),
                .integer(start)
            )
            return rows?.firstColumn.compactMap { DeadLetterEntry(stored: $0) } ?? []
        }

        public func requeueDeadLetter(_ entry: DeadLetterEntry, priority: Double?) async throws -> Bool {
            let rows = try await letters(
                "with gone as (\(removal)), added as (insert into \(tables.tasks) (queue, data, priority) "
                    + "select $1, $3, $4 from gone returning id) select pg_notify($5, '') from added",
                .bytes(entry.stored),
                .bytes(entry.letter.data),
                .double(priority ?? 0),
                .text(tables.channel(of: name)),
                changes: true
            )
            return rows?.count == 1
        }

        public func dropDeadLetter(_ entry: DeadLetterEntry) async throws -> Bool {
            try await letters(removal, .bytes(entry.stored), changes: true)?.count == 1
        }

        /// Of several that are the same, the newest.
        private var removal: String {
            "delete from \(tables.dead) where id = (select max(id) from \(tables.dead) where queue = $1 and letter = $2) returning 1"
        }

        /// What a statement returns; nil where nothing was ever put aside.
        private func letters(
            _ sql: String,
            _ parameters: PostgresParameter...,
            changes: Bool = false
        ) async throws -> PostgresRows? {
            let statement = PostgresStatement(sql, [.text(name)] + parameters)
            do {
                return try await perform { changes ? try $0.run([statement])[0] : try $0.read(statement) }
            } catch let error as PostgresError where error.isMissingTable { return nil }
        }
    }

    extension PostgresTables {
        /// Runs `body`, which puts messages aside, and makes their table where it is missing. Who may not create tables can use one that is there.
        ///
        /// - Throws: ``PostgresError``, and what `body` throws.
        func withDead(_ connection: PostgresConnection, if buries: Bool, _ body: () throws -> Void) throws {
            do { try body() } catch let error as PostgresError where buries && error.isMissingTable {
                _ = try connection.run([creationOfDead])
                try body()
            }
        }
    }
#endif
