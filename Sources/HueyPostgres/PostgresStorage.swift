#if Postgres
    public import Huey
    import Logging
    import Pickle
    import Synchronization

    /// A Postgres database, with huey's own tables: Python and Swift may consume from it side by side. Mirrors huey's `PostgresStorage`.
    ///
    /// Messages are taken with `for update skip locked`, so consumers do not wait for one another; they are told of messages by `NOTIFY`.
    /// Schedules are kept by `datetime.timestamp()` of the naive moment. Every change is one transaction.
    public final class PostgresStorage: Storage {
        let tables: PostgresTables
        let name: String
        let options: PostgresStorageOptions
        private let workers: PostgresWorkers
        private let connect: @Sendable () throws -> PostgresConnection
        private let listener: NotificationListener

        /// Nothing is connected yet: that happens with the first use.
        ///
        /// - Parameter url: libpq's connection string, as a URI (`postgresql://…`) or as words (`host=… dbname=…`). What it does not say, libpq takes
        ///   from its environment variables and files (`PGHOST`, `PGPASSFILE`, `PGSERVICE` …). It may name several hosts.
        /// - Throws: ``/Huey/HueyError`` `.invalidConfiguration` for a table prefix that cannot be one.
        public convenience init(url: String = "", options: PostgresStorageOptions = PostgresStorageOptions()) throws {
            guard !url.utf8.contains(0) else {
                throw HueyError(.invalidConfiguration, "a NUL in the connection string")
            }
            let tables = try PostgresTables(prefix: options.tablePrefix)
            let isReady = Flag()
            let connect: @Sendable () throws -> PostgresConnection = {
                let connection = try PostgresConnection(url, silenceLimit: options.silenceLimit)
                if options.createTables, !isReady.isSet {
                    try tables.create(on: connection)
                    isReady.set()
                }
                return connection
            }
            self.init(
                tables: tables,
                name: "huey",
                options: options,
                workers: PostgresWorkers(limit: options.connections, connect: connect),
                connect: connect
            )
        }

        /// Whether the tables are known to be there.
        private final class Flag: Sendable {
            private let value = Atomic(false)
            var isSet: Bool { value.load(ordering: .acquiring) }
            func set() { value.store(true, ordering: .releasing) }
        }

        private init(
            tables: PostgresTables,
            name: String,
            options: PostgresStorageOptions,
            workers: PostgresWorkers,
            connect: @escaping @Sendable () throws -> PostgresConnection
        ) {
            self.tables = tables
            self.name = name
            self.options = options
            self.workers = workers
            self.connect = connect
            listener = NotificationListener(channel: tables.channel(of: name), logger: options.logger, connect: connect)
        }

        public func bound(to name: String) -> any Storage {
            PostgresStorage(tables: tables, name: name, options: options, workers: workers, connect: connect)
        }

        public var isBlocking: Bool { options.blocking }

        /// The channel of `NOTIFY` on which consumers are told of messages: huey's `channel`.
        public var channel: String { tables.channel(of: name) }

        /// Ends the connections, those of other instances that share them, too.
        public func close() async {
            listener.close()
            workers.close()
        }

        /// Runs `body` with a connection, off the cooperative threads.
        func perform<Value: Sendable>(
            _ body: @escaping @Sendable (PostgresConnection) throws -> Value
        ) async throws -> Value {
            try await workers.perform(body)
        }

        /// Runs a statement that changes something, in a transaction of its own.
        @discardableResult
        func change(_ sql: String, _ parameters: PostgresParameter...) async throws -> PostgresRows {
            let statement = PostgresStatement(sql, parameters)
            return try await perform { try $0.run([statement])[0] }
        }

        func read(_ sql: String, _ parameters: PostgresParameter...) async throws -> PostgresRows {
            let statement = PostgresStatement(sql, parameters)
            return try await perform { try $0.read(statement) }
        }

        public func ping() async throws { _ = try await read("select 1") }
    }

    // MARK: the queue

    extension PostgresStorage {
        public func enqueue(_ data: [UInt8], priority: Double?) async throws {
            try await commit([.enqueue(data, priority: priority)])
        }

        public func dequeue() async throws -> [UInt8]? {
            try await dequeue(upTo: 1, wait: isBlocking ? options.readTimeout : .zero).first?.data
        }

        public func dequeue(upTo count: Int, wait: Duration) async throws -> [Delivery] {
            guard count > 0 else { return [] }
            guard isBlocking, wait > .zero else { return try await take(count) }
            let deadline = ContinuousClock.now.advanced(by: min(wait, options.readTimeout))
            while true {
                let count = (messages: count, rings: listener.count)
                let taken = try await take(count.messages)
                let left = ContinuousClock.now.duration(to: deadline)
                guard taken.isEmpty, left > .zero, !Task.isCancelled else { return taken }
                guard await listener.wait(after: count.rings, for: left) else { return [] }
            }
        }

        private func take(_ count: Int) async throws -> [Delivery] {
            let rows = try await change(
                """
                with taken as materialized (select id from \(tables.tasks) where queue = $1 order by priority desc, id limit $2 \
                for update skip locked) delete from \(tables.tasks) as t using taken where t.id = taken.id \
                returning t.id, t.data, t.priority::float8
                """,
                .text(name),
                .integer(count)
            )
            let messages = (0..<rows.count).map { row in
                (
                    place: QueuePlace(order: Int64(rows.integer(row, 0)), priority: rows.double(row, 2)),
                    data: rows.bytes(row, 1)
                )
            }
            return messages.sorted {
                $0.place.priority > $1.place.priority
                    || $0.place.priority == $1.place.priority && $0.place.order < $1.place.order
            }
            .map { Delivery(data: $0.data, token: $0.place.token) }
        }

        public func interruptDequeue() async { listener.interrupt() }

        /// To the places where they stood; numbers are never used twice. What has no place comes first of all.
        public func giveBack(_ deliveries: [Delivery]) async throws {
            guard !deliveries.isEmpty else { return }
            // Last first, so that each may go in front of the one before.
            let statements = deliveries.reversed().map { delivery in
                let place = QueuePlace(token: delivery.token)
                let first = "(select coalesce(min(id), 1) - 1 from \(tables.tasks))"
                return PostgresStatement(
                    "insert into \(tables.tasks) (id, queue, data, priority) "
                        + "values (\(place == nil ? "\(first) + 0 * $1" : "$1"), $2, $3, $4) on conflict (id) do nothing",
                    .integer(Int(place?.order ?? 0)),
                    .text(name),
                    .bytes(delivery.data),
                    .double(place?.priority ?? 0)
                )
            }
            let notification = notification
            try await perform { _ = try $0.run(statements + [notification]) }
        }

        /// Tells consumers that there are messages.
        var notification: PostgresStatement {
            PostgresStatement("select pg_notify($1, '')", .text(channel))
        }

        public func queueSize() async throws -> Int { try await size(of: tables.tasks) }

        public func enqueuedItems(limit: Int?) async throws -> [[UInt8]] {
            try await items(
                "select data from \(tables.tasks) where queue = $1 order by priority desc, id limit $2",
                limit
            )
        }

        public func flushQueue() async throws {
            try await change("delete from \(tables.tasks) where queue = $1", .text(name))
        }

        func size(of table: String) async throws -> Int {
            try await read("select count(*) from \(table) where queue = $1", .text(name)).integer(0, 0)
        }

        func items(_ sql: String, _ limit: Int?) async throws -> [[UInt8]] {
            try await read(sql, .text(name), .integer(limit.flatMap { $0 > 0 ? $0 : nil } ?? .max)).firstColumn
        }
    }
#endif
