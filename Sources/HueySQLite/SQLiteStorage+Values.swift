import Foundation
import GRDB
public import Huey
import Pickle

extension SQLiteStorage {
    public func putData(_ value: [UInt8], forKey key: String, isResult: Bool) async throws {
        try await commit([.put(value, key: key, isResult: isResult)])
    }

    public func peekData(_ key: String) async throws -> [UInt8]? { try await peekMany([key]).first ?? nil }

    public func peekMany(_ keys: [String]) async throws -> [[UInt8]?] {
        try await transaction { database, name in
            try keys.map { try Self.value(of: $0, in: database, name) }
        }
    }

    private static func value(of key: String, in database: Database, _ name: String) throws -> [UInt8]? {
        try Row.fetchOne(database, sql: "select value from kv where queue = ? and key = ?", arguments: [name, key])
            .map { $0.bytes("value") }
    }

    public func popData(_ key: String) async throws -> [UInt8]? {
        try await transaction { database, name in
            let value = try Self.value(of: key, in: database, name)
            if value != nil {
                try database.execute(sql: "delete from kv where queue=? and key=?", arguments: [name, key])
            }
            return value
        }
    }

    public func hasData(forKey key: String) async throws -> Bool { try await peekData(key) != nil }

    public func putIfEmpty(_ value: [UInt8], forKey key: String, ttl: Int?) async throws -> Bool {
        guard ttl == nil else { throw HueyError(.notSupported, "ttl is not supported by this storage.") }
        return try await transaction { database, name in
            try database.execute(
                sql: "insert or ignore into kv (queue, key, value) values (?, ?, ?)",
                arguments: [name, key, Data(value)]
            )
            return database.changesCount == 1
        }
    }

    public func increment(_ key: String, by amount: Int) async throws -> Int {
        try await transaction { database, name in
            let sql = "select value from counter where queue = ? and key = ?"
            let stored = try Row.fetchOne(database, sql: sql, arguments: [name, key])?.integer("value")
            // SQLite would make a float of a sum that is too large.
            let sum = Int(stored ?? 0).saturatingAdded(to: amount)
            try database.execute(
                sql: "insert into counter (queue, key, value) values (?, ?, ?) "
                    + "on conflict (queue, key) do update set value = ?",
                arguments: [name, key, sum, sum]
            )
            return sum
        }
    }

    public func deleteCounter(_ key: String) async throws {
        try await transaction { database, name in
            try database.execute(sql: "delete from counter where queue = ? and key = ?", arguments: [name, key])
        }
    }

    public func resultStoreSize() async throws -> Int { try await count("kv") }

    public func resultItems() async throws -> [String: [UInt8]] {
        try await transaction { database, name in
            let rows = try Row.fetchAll(database, sql: "select key, value from kv where queue=?", arguments: [name])
            let items = rows.compactMap { row in row.text("key").map { ($0, row.bytes("value")) } }
            return Dictionary(items) { $1 }
        }
    }

    public func flushResults() async throws { try await flush("kv") }

    public func flushCounters() async throws { try await flush("counter") }

    /// All effects in one transaction.
    public func commit(_ effects: [StorageEffect]) async throws {
        try await transaction { database, name in
            for effect in effects { try Self.apply(effect, to: database, name) }
        }
    }

    public func bury(_ letter: DeadLetter) async throws { try await commit([.bury(letter)]) }

    static func apply(_ effect: StorageEffect, to database: Database, _ name: String) throws {
        switch effect {
        case .put(let value, let key, _):
            try database.execute(
                sql: "insert or replace into kv (queue, key, value) values (?, ?, ?)",
                arguments: [name, key, Data(value)]
            )
        case .complete(let tasks):
            for effect in tasks.effects { try apply(effect, to: database, name) }
        case .delete(let key):
            try database.execute(sql: "delete from kv where queue=? and key=?", arguments: [name, key])
        case .deleteCounter(let key):
            try database.execute(sql: "delete from counter where queue = ? and key = ?", arguments: [name, key])
        case .enqueue(let data, let priority):
            try database.execute(
                sql: "insert into task (queue, data, priority) values (?, ?, ?)",
                arguments: [name, Data(data), priority ?? 0]
            )
        case .schedule(let data, let moment):
            try database.execute(
                sql: "insert into schedule (queue, data, timestamp) values (?, ?, ?)",
                arguments: [name, Data(data), try moment.pythonTimestamp()]
            )
        case .bury(let letter):
            try database.execute(sql: SQLiteSchema.createDead)
            try database.execute(
                sql: "insert into huey_swift_dead (queue, letter) values (?, ?)",
                arguments: [name, Data(try DeadLetterEntry(letter).stored)]
            )
        case .releaseUnique:
            // No unique job was ever enqueued here.
            break
        }
    }
}
