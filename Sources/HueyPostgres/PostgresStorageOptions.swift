#if Postgres
    public import Logging

    /// How a ``PostgresStorage`` works: what huey's `PostgresStorage` takes, and what ours needs beyond it.
    public struct PostgresStorageOptions: Sendable {
        /// What the tables' names begin with. As in huey, characters other than ASCII letters, digits and `_` are left out.
        public var tablePrefix = "huey"
        /// Whether consumers wait for a message to be notified of.
        public var blocking = true
        /// After how long a consumer that waits looks again, notified or not.
        public var readTimeout = Duration.seconds(1)
        /// Whether tables that are missing are made with the first use.
        public var createTables = true
        /// How many connections there are at most, beside the one of a consumer that waits.
        public var connections = 8
        /// For how long a server may not answer before its connection is given up.
        public var silenceLimit = Duration.seconds(60)
        public var logger = Logger(label: "huey.postgres")

        public init(tablePrefix: String = "huey") { self.tablePrefix = tablePrefix }
    }
#endif
