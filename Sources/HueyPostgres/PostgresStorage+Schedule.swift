#if Postgres
    public import Huey
    public import Pickle

    extension PostgresStorage {
        public func addToSchedule(_ data: [UInt8], at moment: PickleDateTime) async throws {
            try await commit([.schedule(data, at: moment)])
        }

        public func readSchedule(dueAt moment: PickleDateTime) async throws -> [[UInt8]] {
            let rows = try await change(
                "delete from \(tables.schedule) where id in (select id from \(tables.schedule) where queue = $1 and timestamp <= $2 "
                    + "for update skip locked) returning timestamp, id, data",
                .text(name),
                .double(try moment.pythonTimestamp())
            )
            return (0..<rows.count).map { (rows.double($0, 0), rows.integer($0, 1), rows.bytes($0, 2)) }
                .sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
        }

        public func scheduleSize() async throws -> Int { try await size(of: tables.schedule) }

        public func scheduledItems(limit: Int?) async throws -> [[UInt8]] {
            try await items("select data from \(tables.schedule) where queue = $1 order by timestamp limit $2", limit)
        }

        public func flushSchedule() async throws {
            try await change("delete from \(tables.schedule) where queue = $1", .text(name))
        }

        /// Looks at what is due, then moves each in one transaction: deleting its row is the claim.
        public func promoteSchedule(
            dueAt moment: PickleDateTime,
            limit: Int,
            transform: @Sendable ([UInt8]) async throws -> [StorageEffect]
        ) async throws -> Int {
            let due = try await read(
                "select id, data from \(tables.schedule) where queue = $1 and timestamp <= $2 order by timestamp, id limit $3",
                .text(name),
                .double(try moment.pythonTimestamp()),
                .integer(limit)
            )
            let tables = tables
            for row in 0..<due.count {
                let effects = try await transform(due.bytes(row, 1))
                let (statements, buries) = (try statements(for: effects), Self.buries(effects))
                let claim = PostgresStatement(
                    "delete from \(tables.schedule) where id = $1 returning 1",
                    .integer(due.integer(row, 0))
                )
                try await perform { connection in
                    try tables.withDead(connection, if: buries) {
                        try connection.transaction {
                            guard try connection.step([claim])[0].count == 1, !statements.isEmpty else { return }
                            _ = try connection.step(statements)
                        }
                    }
                }
            }
            return due.count
        }
    }
#endif
