import Foundation
import GRDB
public import Huey
public import Pickle

extension SQLiteStorage {
    public func addToSchedule(_ data: [UInt8], at moment: PickleDateTime) async throws {
        try await commit([.schedule(data, at: moment)])
    }

    public func readSchedule(dueAt moment: PickleDateTime) async throws -> [[UInt8]] {
        let timestamp = try moment.pythonTimestamp()
        return try await transaction { database, name in
            let arguments: StatementArguments = [name, timestamp]
            let due = try Row.fetchAll(
                database,
                sql: "select data from schedule where queue = ? and timestamp <= ? order by timestamp, id",
                arguments: arguments
            )
            try database.execute(sql: "delete from schedule where queue = ? and timestamp <= ?", arguments: arguments)
            return due.map { $0.bytes("data") }
        }
    }

    public func scheduleSize() async throws -> Int { try await count("schedule") }

    public func scheduledItems(limit: Int?) async throws -> [[UInt8]] {
        try await items("select data from schedule where queue=? order by timestamp", limit)
    }

    public func flushSchedule() async throws { try await flush("schedule") }

    /// Looks at what is due, then moves each in one transaction; deleting its row is the claim.
    public func promoteSchedule(
        dueAt moment: PickleDateTime,
        limit: Int,
        transform: @Sendable ([UInt8]) async throws -> [StorageEffect]
    ) async throws -> Int {
        let timestamp = try moment.pythonTimestamp()
        let due = try await transaction { database, name in
            try Row.fetchAll(
                database,
                sql: "select id, data from schedule where queue = ? and timestamp <= ? order by timestamp, id limit ?",
                arguments: [name, timestamp, limit]
            ).map { (id: $0.integer("id"), data: $0.bytes("data")) }
        }
        for item in due {
            let effects = try await transform(item.data)
            try await transaction { database, name in
                try database.execute(sql: "delete from schedule where id = ?", arguments: [item.id])
                guard database.changesCount == 1 else { return }
                for effect in effects { try Self.apply(effect, to: database, name) }
            }
        }
        return due.count
    }
}
