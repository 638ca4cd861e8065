import HueyRedis
import Pickle
import TestSupport
import Testing

@testable import Huey

@Suite("Every storage keeps values as huey's do")
struct ValueConformanceTests {
    @Test("a value is there until it is taken or deleted", arguments: StorageKind.allCases)
    func values(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            #expect(try await storage.peekData("k") == nil)
            #expect(try await storage.popData("k") == nil)
            #expect(try await storage.hasData(forKey: "k") == false)
            #expect(try await storage.deleteData("k") == false)
            try await storage.putData(data("1"), forKey: "k", isResult: true)
            try await storage.putData(data("2"), forKey: "k", isResult: true)
            #expect(try await storage.hasData(forKey: "k"))
            #expect(try await storage.peekData("k").map(text) == "2")
            #expect(try await storage.resultStoreSize() == 1)
            #expect(try await storage.popData("k").map(text) == "2")
            #expect(try await storage.hasData(forKey: "k") == !kind.popRemoves)
            try await storage.putData(data("3"), forKey: "k", isResult: false)
            #expect(try await storage.deleteData("k"))
            #expect(try await storage.hasData(forKey: "k") == false)
        }
    }

    @Test("many keys are read at once, in the order asked for", arguments: StorageKind.allCases)
    func many(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            #expect(try await storage.peekMany([]).isEmpty)
            try await storage.putData(data("1"), forKey: "a", isResult: true)
            try await storage.putData([], forKey: "empty", isResult: true)
            try await storage.putData(data("2"), forKey: "ä b", isResult: false)
            let values = try await storage.peekMany(["ä b", "missing", "a", "a", "empty"])
            #expect(values == [data("2"), nil, data("1"), data("1"), []])
            let items = try await storage.resultItems()
            #expect(items == ["a": data("1"), "ä b": data("2"), "empty": []])
            #expect(try await storage.resultStoreSize() == 3)
        }
    }

    @Test("only the first of many gets to store", arguments: StorageKind.allCases)
    func putIfEmpty(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<20 {
                    group.addTask { try await storage.putIfEmpty(data("\(index)"), forKey: "lock", ttl: nil) }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(winners == 1)
            #expect(try await storage.putIfEmpty(data("x"), forKey: "lock", ttl: nil) == false)
            #expect(try await storage.peekData("lock") != data("x"))
            #expect(try await storage.deleteData("lock"))
            #expect(try await storage.putIfEmpty(data("x"), forKey: "lock", ttl: nil))
        }
    }

    @Test("counters count for all", arguments: StorageKind.allCases)
    func counters(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            #expect(try await storage.increment("n", by: 0) == 0)
            let seen = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<50 { group.addTask { try await storage.increment("n", by: 1) } }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(seen == Set(1...50))
            #expect(try await storage.increment("n", by: -8) == 42)
            try await storage.deleteCounter("n")
            try await storage.deleteCounter("n")
            #expect(try await storage.increment("n", by: 3) == 3)
            #expect(try await storage.resultStoreSize() == 0)
        }
    }

    @Test("each flush empties its own part", arguments: StorageKind.allCases)
    func flush(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            let moment = PickleDateTime(year: 2026, month: 1, day: 2)
            func fill() async throws {
                try await storage.enqueue(data("x"), priority: nil)
                try await storage.addToSchedule(data("x"), at: moment)
                try await storage.putData(data("x"), forKey: "k", isResult: true)
                try await storage.deleteCounter("n")
                _ = try await storage.increment("n", by: 1)
            }
            func sizes() async throws -> [Int] {
                [
                    try await storage.queueSize(), try await storage.scheduleSize(),
                    try await storage.resultStoreSize(), try await storage.increment("n", by: 0),
                ]
            }
            try await fill()
            #expect(try await sizes() == [1, 1, 1, 1])
            try await storage.flushResults()
            #expect(try await sizes() == [1, 1, 0, 1])
            try await storage.flushCounters()
            #expect(try await sizes() == [1, 1, 0, 0])
            try await storage.flushSchedule()
            #expect(try await sizes() == [1, 0, 0, 0])
            try await fill()
            try await storage.flushAll()
            #expect(try await sizes() == [0, 0, 0, 0])
            try await storage.flushAll()
        }
    }

    @Test("effects end as if they had come one after the other", arguments: StorageKind.allCases)
    func commit(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            let moment = PickleDateTime(year: 2026, month: 1, day: 2)
            try await storage.commit([])
            try await storage.putData(data("old"), forKey: "r:b", isResult: false)
            try await storage.commit([
                .put(data("1"), key: "t", isResult: true),
                .put(data("1"), key: "r:a", isResult: false), .delete(key: "r:a"),
                .delete(key: "r:b"), .put(data("2"), key: "r:b", isResult: false),
                .put(data("3"), key: "t", isResult: true),
                .delete(key: "missing"),
                .enqueue(data("q1"), priority: nil), .schedule(data("s"), at: moment),
                .enqueue(data("q2"), priority: 0),
            ])
            #expect(try await storage.resultItems() == ["t": data("3"), "r:b": data("2")])
            #expect(try await storage.enqueuedItems(limit: nil).map(text) == ["q1", "q2"])
            #expect(try await storage.scheduledItems(limit: nil).map(text) == ["s"])
        }
    }

    @Test("a result is waited for", arguments: StorageKind.allCases, [false, true])
    func wait(kind: StorageKind, notifies: Bool) async throws {
        try await kind.withStorage(change: { $0.notifyResult = notifies }) { storage in
            func wait(_ key: String, _ timeout: Duration?) async throws -> Bool {
                try await storage.waitResult(key, timeout: timeout, backoff: 1.15, maxDelay: .seconds(1))
            }
            #expect(try await wait("k", .milliseconds(5)) == false)
            async let came = wait("k", nil)
            await Task.yield()
            try await storage.putData(data("v"), forKey: "k", isResult: true)
            #expect(try await came)
            #expect(try await wait("k", .seconds(600)))
            #expect(try await storage.peekData("k").map(text) == "v")
        }
    }

    @Test("many wait at once, two of them for the same", arguments: StorageKind.allCases, [false, true])
    func manyWaits(kind: StorageKind, notifies: Bool) async throws {
        try await kind.withStorage(change: { $0.notifyResult = notifies }) { storage in
            @Sendable func value(_ key: String) async throws -> String? {
                let timeout = Duration.seconds(60)
                let maxDelay = Duration.milliseconds(60)
                return try await storage.awaitData(
                    key,
                    preserve: true,
                    timeout: timeout,
                    backoff: 1,
                    maxDelay: maxDelay
                ).map(text)
            }
            let keys = (0..<50).map { "k\($0)" } + ["k7"]
            let values = try await withThrowingTaskGroup(of: (String, String?).self) { group in
                for key in keys { group.addTask { (key, try await value(key)) } }
                for key in Set(keys) { try await storage.putData(data("v" + key), forKey: key, isResult: true) }
                return try await group.reduce(into: [:]) { $0[$1.0, default: []].append($1.1) }
            }
            for key in Set(keys) { #expect(values[key] == Array(repeating: "v" + key, count: key == "k7" ? 2 : 1)) }
            #expect(
                try await storage.awaitData("none", preserve: false, timeout: .zero, backoff: 1, maxDelay: .zero) == nil
            )
        }
    }

    @Test("a cancelled wait ends", arguments: StorageKind.allCases, [false, true])
    func cancelledWait(kind: StorageKind, notifies: Bool) async throws {
        try await kind.withStorage(change: { $0.notifyResult = notifies }) { storage in
            let waiter = Task { try await storage.waitResult("k", timeout: nil, backoff: 1.15, maxDelay: .seconds(1)) }
            await Task.yield()
            waiter.cancel()
            await #expect(throws: (any Error).self) { try await waiter.value }
        }
    }

    @Test("it answers a ping", arguments: StorageKind.allCases)
    func ping(kind: StorageKind) async throws {
        try await kind.withStorage { try await $0.ping() }
    }

    @Test("a task's whole way: enqueued, scheduled, retried, revoked, its result read", arguments: StorageKind.allCases)
    func engine(kind: StorageKind) async throws {
        let huey = Huey(StorageKind.freshName(), storage: try kind.unbound())
        huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in a + b }
        let add = huey.remoteTask("tasks.add", returning: Int.self)
        let result = try await add(1, 2)
        let later = try await add.with(TaskOptions(start: .delay(seconds: 3600)))(3, 4)
        let executor = Executor(
            huey: huey,
            sink: DirectSink(storage: huey.storage),
            inFlight: InFlight(),
            logger: CollectingLog.make().logger
        )
        try await later.revoke()
        for delivery in try await huey.storage.dequeue(upTo: 9, wait: .zero) { try await executor.run(delivery) }
        #expect(try await huey.scheduledCount() == 1)
        #expect(try await result.peek() == 3)
        #expect(try await result.value() == 3)
        #expect(try await huey.isRevoked(id: later.id))
        let scheduled = try #require(try await huey.scheduled().first)
        #expect(scheduled.id == later.id)
        try await huey.flush()
        await huey.close()
    }
}
