#if Postgres
    import Crypto
    import Huey

    /// The names of huey's tables and of its channel, as `PostgresStorage` makes them.
    struct PostgresTables: Sendable {
        /// What huey leaves of a prefix. Postgres folds it to small letters, because huey does not quote it.
        let prefix: String

        /// - Throws: ``HueyError`` `.invalidConfiguration` for a prefix with which Postgres has no four different tables.
        init(prefix: String) throws {
            let kept = prefix.unicodeScalars.filter {
                $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_")
            }
            self.prefix = String(String.UnicodeScalarView(kept))
            if let first = kept.first, ("0"..."9").contains(first) {
                throw HueyError(.invalidConfiguration, "a table prefix cannot begin with a digit: \(self.prefix)")
            }
            // A longer name is cut at 63 bytes, and the tables are one and the same.
            guard self.prefix.utf8.count <= 61 else {
                throw HueyError(.invalidConfiguration, "a table prefix has at most 61 characters")
            }
        }

        var values: String { prefix + "_kv" }
        var schedule: String { prefix + "_schedule" }
        var tasks: String { prefix + "_task" }
        var counters: String { prefix + "_counter" }
        /// Ours, for messages that cannot be run; made only when there is one.
        var dead: String { prefix + "_swift_dead" }

        /// The channel on which an instance's consumers are told of messages. Postgres takes names of 63 bytes at most; huey hashes longer ones.
        func channel(of name: String) -> String {
            let channel = "\(prefix).q.\(name)"
            guard channel.utf8.count > 63 else { return channel }
            let digest = Insecure.MD5.hash(data: Array(channel.utf8))
            return "huey.q." + digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }

        /// huey's `ddl`.
        var creation: [PostgresStatement] {
            [
                "create table if not exists \(values) (queue text not null, key text not null, value bytea not null, "
                    + "primary key(queue, key))",
                "create table if not exists \(schedule) (id bigserial primary key, queue text not null, "
                    + "data bytea not null, timestamp double precision not null)",
                "create index if not exists \(schedule)_queue_timestamp on \(schedule) (queue, timestamp)",
                "create table if not exists \(tasks) (id bigserial primary key, queue text not null, data bytea not null, "
                    + "priority double precision not null default 0.0)",
                "create index if not exists \(tasks)_queue_priority_id on \(tasks) (queue, priority desc, id)",
                "create table if not exists \(counters) (queue text not null, key text not null, "
                    + "value bigint not null default 0, primary key(queue, key))",
            ].map { PostgresStatement($0) }
        }

        var creationOfDead: PostgresStatement {
            PostgresStatement(
                "create table if not exists \(dead) (id bigserial primary key, queue text not null, letter bytea not null)"
            )
        }

        /// Makes what is missing. Who may not create tables can use those that are there.
        ///
        /// - Throws: ``PostgresError``.
        func create(on connection: PostgresConnection) throws {
            let names = [
                values, schedule, tasks, counters, schedule + "_queue_timestamp", tasks + "_queue_priority_id",
            ]
            let sql = "select count(*) from unnest($1::text[]) as name where to_regclass(left(name, 63)) is not null"
            let found = try connection.read(PostgresStatement(sql, .texts(names))).integer(0, 0)
            guard found < names.count else { return }
            do { _ = try connection.run(creation) } catch let error as PostgresError where error.isConflict {
                // Somebody else made them at the same time: now they are there.
                _ = try connection.run(creation)
            }
        }
    }
#endif
