#if Postgres
    import CLibpq
    import Foundation
    import Huey

    /// A connection of libpq, for one thread at a time. Its calls block the thread, for no longer than the server is silent for the limit.
    final class PostgresConnection {
        private let connection: OpaquePointer
        private let silenceLimit: Duration
        private var isInTransaction = false
        /// Whether an exchange was not brought to its end: what the server sends next belongs to it.
        private var isBroken = false

        /// Connects. libpq knows what the string and its environment variables mean, several hosts included.
        ///
        /// - Throws: ``PostgresError`` `.connecting`.
        init(_ conninfo: String, silenceLimit: Duration) throws {
            self.silenceLimit = silenceLimit
            var settings = [("fallback_application_name", "huey")]
            if ProcessInfo.processInfo.environment["PGCONNECT_TIMEOUT"] == nil {
                settings.append(("connect_timeout", "10"))
            }
            // What the string says counts more than what comes before it, and less than what comes behind.
            settings += [("dbname", conninfo), ("client_encoding", "UTF8")]
            var keywords = settings.map { UnsafePointer(strdup($0.0)) } + [nil]
            var values = settings.map { UnsafePointer(strdup($0.1)) } + [nil]
            defer { for text in keywords + values { free(UnsafeMutablePointer(mutating: text)) } }
            guard let connection = PQconnectdbParams(&keywords, &values, 1) else {
                throw PostgresError(.connecting, "no memory for a connection")
            }
            // Freed by deinit, also where this throws.
            self.connection = connection
            guard PQstatus(connection) == CONNECTION_OK else {
                let message = Self.line(PQerrorMessage(connection))
                throw PostgresError(.connecting, message.isEmpty ? "no connection" : message)
            }
            PQsetnonblocking(connection, 1)
            // libpq would print them.
            PQsetNoticeProcessor(connection, { _, _ in }, nil)
        }

        deinit { PQfinish(connection) }

        /// Whether it is open, as far as the socket tells: a server that stopped has closed it.
        var isOpen: Bool {
            !isBroken && PQconsumeInput(connection) == 1 && PQstatus(connection) == CONNECTION_OK
        }

        // MARK: statements

        /// Runs statements that change nothing.
        ///
        /// - Throws: as ``run(_:)``, and nothing may have happened.
        func read(_ statement: PostgresStatement) throws -> PostgresRows {
            do { return try run([statement])[0] } catch let error as PostgresError {
                throw PostgresError(error.kind, sqlState: error.sqlState, error.message)
            }
        }

        /// Runs statements in one step, all of them or none, and in one exchange with the server: libpq's pipeline mode.
        ///
        /// - Returns: what each returned.
        /// - Throws: ``PostgresError``; ``HueyError`` `.tooLarge`, before anything was sent.
        func run(_ statements: [PostgresStatement], isCommit: Bool = true) throws -> [PostgresRows] {
            let encoded = try statements.map { try $0.encoded() }
            guard !isBroken, PQenterPipelineMode(connection) == 1 else { throw lost(mayHaveHappened: false) }
            for (statement, (bytes, lengths)) in zip(statements, encoded) {
                guard send(statement, bytes, lengths) else { throw lost(mayHaveHappened: false) }
            }
            let mayHaveHappened = isCommit || !isInTransaction
            guard PQpipelineSync(connection) == 1 else { throw lost(mayHaveHappened: mayHaveHappened) }
            try flush(mayHaveHappened)
            var all: [PostgresRows] = []
            var failure: PostgresError?
            for _ in statements {
                guard let result = try next(mayHaveHappened) else {
                    let error = lost(mayHaveHappened: mayHaveHappened)
                    throw failure ?? error
                }
                defer { PQclear(result) }
                switch PQresultStatus(result) {
                case PGRES_COMMAND_OK, PGRES_TUPLES_OK: all.append(Self.rows(of: result))
                case PGRES_PIPELINE_ABORTED: break
                default:
                    // A connection that broke answers so, too, without a code.
                    guard let error = failure ?? Self.error(of: result) else {
                        throw lost(mayHaveHappened: mayHaveHappened)
                    }
                    failure = error
                }
                // The end of the statement's results.
                PQclear(try next(mayHaveHappened))
            }
            // Where the commit fails its error comes first.
            var isSynchronised = false
            for _ in 0..<4 where !isSynchronised {
                guard let end = try next(mayHaveHappened) else { continue }
                defer { PQclear(end) }
                isSynchronised = PQresultStatus(end) == PGRES_PIPELINE_SYNC
                if !isSynchronised { failure = failure ?? Self.error(of: end) }
            }
            guard isSynchronised, PQexitPipelineMode(connection) == 1 else {
                let error = lost(mayHaveHappened: mayHaveHappened)
                throw failure ?? error
            }
            if let failure { throw failure }
            return all
        }

        /// Runs `body` in one transaction: what it does happens with its end, or not at all.
        ///
        /// - Throws: ``PostgresError``, and what `body` throws, after a rollback.
        func transaction<Value>(_ body: () throws -> Value) throws -> Value {
            _ = try run([PostgresStatement("begin")], isCommit: false)
            isInTransaction = true
            defer { isInTransaction = false }
            let value: Value
            do { value = try body() } catch {
                // A connection that is lost ends it, too.
                _ = try? run([PostgresStatement("rollback")], isCommit: false)
                throw error
            }
            _ = try run([PostgresStatement("commit")])
            return value
        }

        /// Runs statements of a transaction.
        func step(_ statements: [PostgresStatement]) throws -> [PostgresRows] { try run(statements, isCommit: false) }

        private func send(_ statement: PostgresStatement, _ bytes: [UInt8], _ lengths: [Int32]) -> Bool {
            let types = statement.parameters.map(\.type)
            let formats = [Int32](repeating: 1, count: lengths.count)
            // Not empty: a pointer to nothing would be NULL.
            return (bytes + [0]).withUnsafeBytes { buffer in
                var values: [UnsafePointer<CChar>?] = []
                var offset = 0
                for length in lengths {
                    values.append(buffer.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self))
                    offset += Int(length)
                }
                return PQsendQueryParams(
                    connection,
                    statement.sql,
                    Int32(lengths.count),
                    types,
                    values,
                    lengths,
                    formats,
                    1
                ) == 1
            }
        }

        private func flush(_ mayHaveHappened: Bool) throws {
            while true {
                switch PQflush(connection) {
                case 0: return
                case 1:
                    try wait(for: Int16(POLLIN | POLLOUT), mayHaveHappened)
                    guard PQconsumeInput(connection) == 1 else { throw lost(mayHaveHappened: mayHaveHappened) }
                default: throw lost(mayHaveHappened: mayHaveHappened)
                }
            }
        }

        private func next(_ mayHaveHappened: Bool) throws -> OpaquePointer? {
            while PQisBusy(connection) == 1 {
                try wait(for: Int16(POLLIN), mayHaveHappened)
                // What arrived before the end of the connection counts still.
                guard PQconsumeInput(connection) == 1 else { break }
            }
            return PQgetResult(connection)
        }

        private func wait(for events: Int16, _ mayHaveHappened: Bool) throws {
            var descriptors = [pollfd(fd: PQsocket(connection), events: events, revents: 0)]
            guard Self.poll(&descriptors, for: silenceLimit) else {
                isBroken = true
                throw PostgresError(.connectionLost, "no answer for \(silenceLimit)", mayHaveHappened: mayHaveHappened)
            }
        }

        // MARK: notifications

        /// Waits until a notification arrives, something can be read from `wake`, or the time is over.
        ///
        /// - Returns: whether a notification came.
        /// - Throws: ``PostgresError`` `.connectionLost`.
        func awaitNotification(orWake wake: Int32, for time: Duration) throws -> Bool {
            if try takeNotifications() { return true }
            var descriptors = [
                pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0),
                pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            ]
            guard Self.poll(&descriptors, for: time), descriptors[0].revents != 0 else { return false }
            return try takeNotifications()
        }

        private func takeNotifications() throws -> Bool {
            guard isOpen else { throw lost(mayHaveHappened: false) }
            var found = false
            while let notification = PQnotifies(connection) {
                PQfreemem(notification)
                found = true
            }
            return found
        }

        /// - Returns: whether one of them is ready in time.
        static func poll(_ descriptors: inout [pollfd], for time: Duration) -> Bool {
            let deadline = ContinuousClock.now.advanced(by: time)
            while true {
                let left = ContinuousClock.now.duration(to: deadline)
                let milliseconds = Int32(
                    clamping: left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
                )
                let count = Foundation.poll(&descriptors, nfds_t(descriptors.count), max(0, milliseconds))
                if count > 0 { return true }
                if count == 0 || errno != EINTR { return false }
            }
        }

        // MARK: results and errors

        private static func rows(of result: OpaquePointer) -> PostgresRows {
            let columns = PQnfields(result)
            return PostgresRows(
                rows: (0..<PQntuples(result)).map { row in
                    (0..<columns).map { column in
                        guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else {
                            return nil
                        }
                        return Array(UnsafeRawBufferPointer(start: value, count: Int(PQgetlength(result, row, column))))
                    }
                }
            )
        }

        /// The server's error; nil for one of libpq's own.
        private static func error(of result: OpaquePointer) -> PostgresError? {
            // PG_DIAG_SQLSTATE and PG_DIAG_MESSAGE_PRIMARY. The detail may hold values.
            guard let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))) else { return nil }
            let message = line(PQresultErrorField(result, Int32(UInt8(ascii: "M"))))
            return PostgresError(.server, sqlState: String(cString: state), message)
        }

        private func lost(mayHaveHappened: Bool) -> PostgresError {
            isBroken = true
            let message = Self.line(PQerrorMessage(connection))
            return PostgresError(
                .connectionLost,
                message.isEmpty ? "the connection is lost" : message,
                mayHaveHappened: mayHaveHappened
            )
        }

        private static func line(_ text: UnsafePointer<CChar>?) -> String {
            guard let text else { return "" }
            return String(cString: text).split(whereSeparator: \.isNewline).joined(separator: "; ")
        }
    }
#endif
