#if Postgres
    public import Huey

    /// What Postgres, or the way to it, did not do. Never holds a password or a value.
    public struct PostgresError: StorageFailure, Sendable, CustomStringConvertible {
        /// The kind of a ``PostgresError``.
        public enum Kind: Sendable, Hashable {
            /// No connection can be made.
            case connecting
            /// The connection broke, or the server did not answer in time.
            case connectionLost
            /// The server answered with an error.
            case server
            /// The storage was closed.
            case closed
        }

        public let kind: Kind
        /// Postgres' error code (`SQLSTATE`), five characters; empty where there is none.
        public let sqlState: String
        /// One line for people.
        public let message: String
        public let mayHaveHappened: Bool

        init(_ kind: Kind, sqlState: String = "", _ message: String, mayHaveHappened: Bool = false) {
            self.kind = kind
            self.sqlState = sqlState
            self.message = message
            self.mayHaveHappened = mayHaveHappened
        }

        public var description: String { sqlState.isEmpty ? message : "\(message) (SQLSTATE \(sqlState))" }

        /// Whether the same call may succeed later: the server cannot be reached, stops, starts, is full, has no connection left, or cannot be
        /// written to before a failover is over; a statement lost a conflict with another.
        public var isTransient: Bool {
            switch kind {
            case .connecting, .connectionLost: true
            case .closed: false
            case .server:
                isConflict || Self.transientClasses.contains(sqlState.prefix(2)) || Self.transient.contains(sqlState)
            }
        }

        /// Whether somebody has to set something right at the server: a permission, a password, or tables that are missing.
        public var isRefusal: Bool { kind == .server && Self.refusals.contains(sqlState) }

        /// Whether the statements did nothing because others ran at the same time, and may be tried again at once.
        var isConflict: Bool { Self.conflicts.contains(sqlState) }

        /// Whether the connection is of no use any more, though it is open: another server is to be found.
        var endsConnection: Bool { kind != .server || sqlState == "25006" || Self.goingDown.contains(sqlState) }

        /// Whether the connection had broken before anything could happen.
        var isStale: Bool {
            kind == .connectionLost && !mayHaveHappened || kind == .server && Self.goingDown.contains(sqlState)
        }

        var isMissingTable: Bool { sqlState == "42P01" }

        /// serialization_failure, deadlock_detected; unique_violation, duplicate_table and duplicate_object where several create tables at once.
        private static let conflicts: Set<String> = ["40001", "40P01", "23505", "42P07", "42710"]
        /// admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped.
        private static let goingDown: Set<String> = ["57P01", "57P02", "57P03", "57P04"]
        /// Connection exceptions, insufficient resources, operator intervention.
        private static let transientClasses: Set<Substring> = ["08", "53", "57"]
        /// read_only_sql_transaction, lock_not_available, idle_in_transaction_session_timeout.
        private static let transient: Set<String> = ["25006", "55P03", "25P03"]
        /// invalid_authorization_specification, invalid_password, insufficient_privilege, undefined_table, undefined_column,
        /// invalid_schema_name, invalid_catalog_name.
        private static let refusals: Set<String> = ["28000", "28P01", "42501", "42P01", "42703", "3F000", "3D000"]
    }
#endif
