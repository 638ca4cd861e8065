import Foundation
import GRDB
public import Huey
import Pickle

/// One SQLite file, with huey's own tables: Python and Swift may consume from it side by side. Mirrors huey's `SqliteStorage`.
///
/// SQLite cannot wait for a message, so a consumer polls. Schedules are kept by `datetime.timestamp()` of the naive moment.
public final class SQLiteStorage: Storage {
    let database: DatabaseQueue
    let name: String

    /// Opens the file, and creates it and the tables where they are missing.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - busyTimeout: how long to wait for another process's transaction; huey waits 5 s.
    ///   - strictFIFO: never uses an id twice; it can only be chosen for a new file.
    /// - Throws: SQLite's error as GRDB's `DatabaseError`.
    public convenience init(path: String, busyTimeout: Duration = .seconds(5), strictFIFO: Bool = false) throws {
        var configuration = Configuration()
        let (seconds, attoseconds) = busyTimeout.components
        configuration.busyMode = .timeout(Double(seconds) + Double(attoseconds) / 1e18)
        configuration.prepareDatabase { database in
            try database.execute(sql: "pragma journal_mode=\"wal\"")
            try database.execute(sql: "pragma cache_size=-8000")
        }
        let database = try DatabaseQueue(path: path, configuration: configuration)
        try database.write { try SQLiteSchema.create(in: $0, strictFIFO: strictFIFO) }
        self.init(database: database, name: "huey")
    }

    private init(database: DatabaseQueue, name: String) {
        self.database = database
        self.name = name
    }

    public func bound(to name: String) -> any Storage { SQLiteStorage(database: database, name: name) }

    public func close() async { try? database.close() }

    /// Reads or writes in one transaction, off the cooperative threads.
    func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (Database, String) throws -> Value
    ) async throws -> Value {
        try await database.write { [name] database in try body(database, name) }
    }
}

// MARK: the queue

extension SQLiteStorage {
    public func enqueue(_ data: [UInt8], priority: Double?) async throws {
        try await commit([.enqueue(data, priority: priority)])
    }

    public func dequeue() async throws -> [UInt8]? { try await dequeue(upTo: 1, wait: .zero).first?.data }

    public func dequeue(upTo count: Int, wait: Duration) async throws -> [Delivery] {
        // A look without the exclusive lock first, as huey does.
        let isEmpty = try await database.unsafeRead { [name] database in
            try Row.fetchOne(database, sql: "select 1 from task where queue = ? limit 1", arguments: [name]) == nil
        }
        guard !isEmpty else { return [] }
        return try await transaction { database, name in
            let rows = try Row.fetchAll(
                database,
                sql: "select id, data, priority from task where queue = ? order by priority desc, id limit ?",
                arguments: [name, count]
            )
            for row in rows {
                try database.execute(sql: "delete from task where id = ?", arguments: [row.integer("id")])
            }
            return rows.map { row in
                let place = QueuePlace(order: row.integer("id") ?? 0, priority: row.number("priority"))
                return Delivery(data: row.bytes("data"), token: place.token)
            }
        }
    }

    /// To the places where they stood. SQLite uses ids again once a table is empty: where that has put a younger message before a
    /// place, or on it, what is given back comes first of all.
    public func giveBack(_ deliveries: [Delivery]) async throws {
        try await transaction { database, name in
            // Last first, so that each may go in front of the one before.
            for delivery in deliveries.reversed() {
                let place = QueuePlace(token: delivery.token)
                let priority = place?.priority ?? 0
                var id = place?.order
                if try place == nil || Self.isOutrun(place, in: database, name) {
                    let sql = "select min(id) as first from task"
                    let first = try Row.fetchOne(database, sql: sql)?.integer("first") ?? 1
                    // Where there is no smaller number, SQLite chooses one.
                    id = first == .min ? nil : first - 1
                }
                try database.execute(
                    sql: "insert into task (id, queue, data, priority) values (?, ?, ?, ?)",
                    arguments: [id, name, Data(delivery.data), priority]
                )
            }
        }
    }

    private static func isOutrun(_ place: QueuePlace?, in database: Database, _ name: String) throws -> Bool {
        guard let place else { return false }
        let sql = "select 1 from task where id = ? or (queue = ? and priority = ? and id < ?) limit 1"
        let arguments: StatementArguments = [place.order, name, place.priority, place.order]
        return try Row.fetchOne(database, sql: sql, arguments: arguments) != nil
    }

    public func queueSize() async throws -> Int { try await count("task") }

    public func enqueuedItems(limit: Int?) async throws -> [[UInt8]] {
        try await items("select data from task where queue=? order by priority desc, id", limit)
    }

    public func flushQueue() async throws { try await flush("task") }

    func count(_ table: String) async throws -> Int {
        try await transaction { database, name in
            try Int.fetchOne(database, sql: "select count(*) from \(table) where queue=?", arguments: [name]) ?? 0
        }
    }

    func items(_ sql: String, _ limit: Int?) async throws -> [[UInt8]] {
        try await transaction { database, name in
            // A negative limit is none.
            let limit = limit.flatMap { $0 > 0 ? $0 : nil } ?? -1
            return try Row.fetchAll(database, sql: sql + " limit ?", arguments: [name, limit]).map { $0.bytes("data") }
        }
    }

    func flush(_ table: String) async throws {
        try await transaction { database, name in
            try database.execute(sql: "delete from \(table) where queue=?", arguments: [name])
        }
    }
}
