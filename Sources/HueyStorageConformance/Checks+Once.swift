import Huey

extension StorageConformance {
    static let onceChecks: [StorageCheck] = [
        StorageCheck(.ticking, "a periodic task's minute is enqueued once, and an earlier one not any more") { run in
            let storages = [
                try await run.storage(as: (any TickingStorage).self),
                try require(await run.another() as? any TickingStorage, "the same kind of storage"),
            ]
            @Sendable func claim(_ task: String, at minute: Int, by index: Int = 0) async throws -> Bool {
                try await storages[index].enqueue(data("\(task)\(minute)"), priority: nil, onceFor: task, at: minute)
            }
            try expect(await storages[0].lastMinute(of: "a") == nil, "no minute")
            let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<10 { group.addTask { try await claim("a", at: 100, by: index % 2) } }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            try expect(winners, 1)
            try expect(await claim("a", at: 99), false)
            try expect(await claim("b", at: 100), true)
            try expect(await claim("a", at: 101, by: 1), true)
            try expect(await storages[0].lastMinute(of: "a"), 101)
            try expect(await run.waiting(), ["a100", "b100", "a101"])
        },
        StorageCheck(.idempotent, "a message that is enqueued twice is there once") { run in
            let storages = [
                try await run.storage(as: (any IdempotentStorage).self),
                try require(await run.another() as? any IdempotentStorage, "the same kind of storage"),
            ]
            func enqueue(_ id: String, by index: Int) async throws -> Bool {
                try await storages[index].enqueue(data(id), priority: nil, onceFor: id, memory: .seconds(600))
            }
            try expect(await enqueue("a", by: 0), true)
            try expect(await enqueue("a", by: 0), false)
            try expect(await enqueue("a", by: 1), false)
            try expect(await enqueue("b", by: 1), true)
            try expect(await run.waiting(), ["a", "b"])
        },
        StorageCheck(.unique, "a unique job is enqueued once until its key is free") { run in
            let storages = [
                try await run.storage(as: (any UniqueStorage).self),
                try require(await run.another() as? any UniqueStorage, "the same kind of storage"),
            ]
            let storage = storages[0]
            func enqueue(_ id: String, by index: Int = 0) async throws -> String {
                try await storages[index].enqueueUnique(
                    data(id),
                    priority: nil,
                    id: id,
                    digest: "d",
                    ttl: .seconds(600)
                )
            }
            try expect(await enqueue("one"), "one")
            try expect(await enqueue("two", by: 1), "one")
            try await storage.releaseUnique("d", id: "two")
            try expect(await enqueue("two"), "one", "only the job that has the key frees it")
            try await storage.commit([.put(data("v"), key: "k", isResult: true), .releaseUnique("d", id: "one")])
            try expect(await enqueue("two", by: 1), "two")
            try await storages[1].releaseUnique("d", id: "two")
            try expect(await enqueue("three"), "three")
            try expect(await run.waiting(), ["one", "two", "three"])
        },
        StorageCheck(.unique, "the key of a unique job is free when its time is over") { run in
            let storage = try await run.storage(as: (any UniqueStorage).self)
            func enqueue(_ id: String) async throws -> String {
                try await storage.enqueueUnique(
                    data(id),
                    priority: nil,
                    id: id,
                    digest: "d",
                    ttl: .milliseconds(300)
                )
            }
            try expect(await enqueue("one"), "one")
            _ = try await eventually { try await enqueue("two") == "two" ? true : nil }
        },
        StorageCheck(.locking, "a lock is held by one at a time") { run in
            let storages = [
                try await run.storage(as: (any LockingStorage).self),
                try require(await run.another() as? any LockingStorage, "the same kind of storage"),
            ]
            func take(by index: Int) async throws -> Bool {
                try await storages[index].acquireLock(data("1"), forKey: "lock", ttl: nil)
            }
            try expect(await storages[0].releaseLock("lock"), false)
            try expect(await take(by: 0), true)
            try expect(await take(by: 0), false)
            try expect(await take(by: 1), false)
            try expect(await storages[1].releaseLock("lock"), true, "whoever holds it")
            try expect(await storages[0].releaseLock("lock"), false)
            try expect(await take(by: 1), true)
        },
    ]
}
