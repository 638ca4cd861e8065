#if Postgres
    import Huey

    extension PostgresStorage {
        public func putData(_ value: [UInt8], forKey key: String, isResult: Bool) async throws {
            try await commit([.put(value, key: key, isResult: isResult)])
        }

        /// Whether Postgres can have a value under the key: text has no NUL there. Of a key that it cannot have there is no value.
        static func canKeep(_ key: String) -> Bool { !key.utf8.contains(0) }

        public func peekData(_ key: String) async throws -> [UInt8]? {
            guard Self.canKeep(key) else { return nil }
            return try await read(
                "select value from \(tables.values) where queue = $1 and key = $2",
                .text(name),
                .text(key)
            ).firstColumn.first
        }

        public func peekMany(_ keys: [String]) async throws -> [[UInt8]?] {
            let kept = keys.filter(Self.canKeep)
            guard !kept.isEmpty else { return keys.map { _ in nil } }
            let found = try await items(
                "select key, value from \(tables.values) where queue = $1 and key = any($2)",
                .texts(kept)
            )
            return keys.map { found[$0] }
        }

        public func popData(_ key: String) async throws -> [UInt8]? {
            guard Self.canKeep(key) else { return nil }
            return try await change(
                "delete from \(tables.values) where queue = $1 and key = $2 returning value",
                .text(name),
                .text(key)
            ).firstColumn.first
        }

        public func deleteData(_ key: String) async throws -> Bool {
            guard Self.canKeep(key) else { return false }
            return try await change(
                "delete from \(tables.values) where queue = $1 and key = $2 returning 1",
                .text(name),
                .text(key)
            ).count > 0
        }

        public func hasData(forKey key: String) async throws -> Bool {
            guard Self.canKeep(key) else { return false }
            return try await read(
                "select 1 from \(tables.values) where queue = $1 and key = $2",
                .text(name),
                .text(key)
            ).count > 0
        }

        public func putIfEmpty(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool {
            guard ttl == nil else { throw HueyError(.notSupported, "ttl is not supported by this storage.") }
            return try await change(
                "insert into \(tables.values) (queue, key, value) values ($1, $2, $3) on conflict do nothing returning 1",
                .text(name),
                .text(key),
                .bytes(value)
            ).count == 1
        }

        public func increment(_ key: String, by amount: Int) async throws -> Int {
            try await change(
                "insert into \(tables.counters) as c (queue, key, value) values ($1, $2, $3) "
                    + "on conflict (queue, key) do update set value = c.value + excluded.value returning value",
                .text(name),
                .text(key),
                .integer(amount)
            ).integer(0, 0)
        }

        public func deleteCounter(_ key: String) async throws { try await commit([.deleteCounter(key: key)]) }

        public func resultStoreSize() async throws -> Int { try await size(of: tables.values) }

        public func resultItems() async throws -> [String: [UInt8]] {
            try await items("select key, value from \(tables.values) where queue = $1")
        }

        public func flushResults() async throws {
            try await change("delete from \(tables.values) where queue = $1", .text(name))
        }

        public func flushCounters() async throws {
            try await change("delete from \(tables.counters) where queue = $1", .text(name))
        }

        private func items(_ sql: String, _ parameters: PostgresParameter...) async throws -> [String: [UInt8]] {
            let statement = PostgresStatement(sql, [.text(name)] + parameters)
            let rows = try await perform { try $0.read(statement) }
            return Dictionary((0..<rows.count).map { (rows.text($0, 0), rows.bytes($0, 1)) }) { $1 }
        }
    }
#endif
