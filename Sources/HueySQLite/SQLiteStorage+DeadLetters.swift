import Foundation
import GRDB
public import Huey

extension SQLiteStorage: DeadLetterStorage {
    public func deadLetterCount() async throws -> Int {
        try await letters { database, name in
            let sql = "select count(*) from huey_swift_dead where queue = ?"
            return try Int.fetchOne(database, sql: sql, arguments: [name]) ?? 0
        } ?? 0
    }

    public func deadLetterEntries(from start: Int, limit: Int) async throws -> [DeadLetterEntry] {
        guard start >= 0, limit > 0 else { return [] }
        return try await letters { database, name in
            try Row.fetchAll(
                database,
                sql: "select letter from huey_swift_dead where queue = ? order by id desc limit ? offset ?",
                arguments: [name, limit, start]
            ).compactMap { DeadLetterEntry(stored: $0.bytes("letter")) }
        } ?? []
    }

    public func requeueDeadLetter(_ entry: DeadLetterEntry, priority: Double?) async throws -> Bool {
        try await letters { database, name in
            guard try Self.remove(entry, from: database, name) else { return false }
            try Self.apply(.enqueue(entry.letter.data, priority: priority), to: database, name)
            return true
        } ?? false
    }

    public func dropDeadLetter(_ entry: DeadLetterEntry) async throws -> Bool {
        try await letters { database, name in try Self.remove(entry, from: database, name) } ?? false
    }

    private static func remove(_ entry: DeadLetterEntry, from database: Database, _ name: String) throws -> Bool {
        try database.execute(
            sql: "delete from huey_swift_dead where id = "
                + "(select max(id) from huey_swift_dead where queue = ? and letter = ?)",
            arguments: [name, Data(entry.stored)]
        )
        return database.changesCount > 0
    }

    /// What `body` says, in one transaction; nil where nothing was ever put aside.
    private func letters<Value: Sendable>(
        _ body: @escaping @Sendable (Database, String) throws -> Value
    ) async throws -> Value? {
        try await transaction { database, name in
            try database.tableExists("huey_swift_dead") ? try body(database, name) : nil
        }
    }
}
