import Foundation
import GRDB
import Huey
import HueySQLite
import Pickle
import Testing

/// SQLite keeps a value of any type in any column: what others have written to the file ends no process.
@Suite("A SQLite file that anybody may have written to")
struct SQLiteFileTests {
    private func withFile(_ body: (SQLiteStorage, DatabaseQueue) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "huey-\(UUID().uuidString).db"
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        let storage = try SQLiteStorage(path: path)
        let database = try DatabaseQueue(path: path)
        try await body(storage, database)
        try database.close()
        await storage.close()
    }

    @Test("columns of other types, and numbers at the ends of theirs")
    func columns() async throws {
        try await withFile { storage, database in
            try await database.write { database in
                for (data, priority) in [("'text'", "'high'"), ("7", "x'00'"), ("1.5", "9e999"), ("x'01'", "-9e999")] {
                    try database.execute(
                        sql: "insert into task (queue, data, priority) values ('huey', \(data), \(priority))"
                    )
                    try database.execute(
                        sql: "insert into schedule (queue, data, timestamp) values ('huey', \(data), \(priority))"
                    )
                    try database.execute(
                        sql: "insert into kv (queue, key, value) values ('huey', 'k' || \(data), \(data))"
                    )
                }
                try database.execute(
                    sql: "insert into task (id, queue, data) values (-9223372036854775808, 'huey', x'02')"
                )
                try database.execute(sql: "insert into kv (queue, key, value) values ('huey', x'FF', 3)")
                try database.execute(
                    sql: "insert into counter (queue, key, value) values ('huey', 'c', 9223372036854775807)"
                )
                try database.execute(sql: "insert into counter (queue, key, value) values ('huey', 't', 'text')")
            }
            #expect(try await storage.enqueuedItems(limit: nil).count == 5)
            #expect(try await storage.scheduledItems(limit: nil).count == 4)
            let deliveries = try await storage.dequeue(upTo: 10, wait: .zero)
            #expect(deliveries.count == 5)
            try await storage.giveBack(deliveries)
            try await storage.giveBack([Delivery(data: [9])])
            #expect(try await storage.queueSize() == 6)
            #expect(try await storage.dequeue() != nil)
            let moment = PickleDateTime(year: 9999, month: 12, day: 31)
            _ = try await storage.promoteSchedule(dueAt: moment, limit: 10) { _ in [] }
            _ = try await storage.readSchedule(dueAt: moment)
            _ = try await storage.resultItems()
            #expect(try await storage.peekData("ktext") == Array("text".utf8))
            #expect(try await storage.popData("k7") == [])
            #expect(try await storage.increment("c", by: 1) == .max)
            #expect(try await storage.increment("t", by: 1) == 1)
        }
    }
}
