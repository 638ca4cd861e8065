import Huey

extension StorageConformance {
    static let valueChecks: [StorageCheck] = [
        StorageCheck(.storage, "a value is there until it is taken or deleted") { run in
            let storage = try await run.storage()
            try expect(await storage.peekData("k") == nil, "no value")
            try expect(await storage.popData("k") == nil, "no value")
            try expect(await storage.hasData(forKey: "k"), false)
            try expect(await storage.deleteData("k"), false)
            try await storage.putData(data("1"), forKey: "k", isResult: true)
            try await storage.putData(data("2"), forKey: "k", isResult: true)
            try expect(await storage.hasData(forKey: "k"), true)
            try expect(await storage.peekData("k").map(text), "2")
            try expect(await storage.resultStoreSize(), 1)
            try expect(await storage.popData("k").map(text), "2")
            try expect(await storage.hasData(forKey: "k"), !run.choices.popRemoves)
            try await storage.putData(data("3"), forKey: "k", isResult: false)
            try expect(await storage.deleteData("k"), true)
            try expect(await storage.hasData(forKey: "k"), false)
        },
        StorageCheck(.storage, "many keys are read at once, in the order asked for") { run in
            let storage = try await run.storage()
            try expect(await storage.peekMany([]).count, 0)
            try await storage.putData(data("1"), forKey: "a", isResult: true)
            try await storage.putData([], forKey: "empty", isResult: true)
            try await storage.putData(data("2"), forKey: "ä b", isResult: false)
            let values = try await storage.peekMany(["ä b", "missing", "a", "a", "empty"])
            try expect(values, [data("2"), nil, data("1"), data("1"), []])
            try expect(await storage.resultItems(), ["a": data("1"), "ä b": data("2"), "empty": []])
            try expect(await storage.resultStoreSize(), 3)
        },
        StorageCheck(.storage, "only the first of many gets to store a value where there is none") { run in
            let storages = [try await run.storage(), try await run.another()]
            let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<20 {
                    group.addTask {
                        try await storages[index % 2].putIfEmpty(data("\(index)"), forKey: "lock", ttl: nil)
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            try expect(winners, 1)
            try expect(await storages[0].putIfEmpty(data("x"), forKey: "lock", ttl: nil), false)
            try expect(await storages[0].peekData("lock") != data("x"), "the value of the first one")
            try expect(await storages[0].deleteData("lock"), true)
            try expect(await storages[0].putIfEmpty(data("x"), forKey: "lock", ttl: nil), true)
        },
        StorageCheck(.storage, "counters count for all") { run in
            let storages = [try await run.storage(), try await run.another()]
            let storage = storages[0]
            try expect(await storage.increment("n", by: 0), 0)
            let seen = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<50 { group.addTask { try await storages[index % 2].increment("n", by: 1) } }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            try expect(seen, Set(1...50))
            try expect(await storage.increment("n", by: -8), 42)
            try await storage.deleteCounter("n")
            try await storage.deleteCounter("n")
            try expect(await storage.increment("n", by: 3), 3)
            try expect(await storage.resultStoreSize(), 0, "a counter is no value")
        },
        StorageCheck(.storage, "each flush empties its own part") { run in
            let storage = try await run.storage()
            func fill() async throws {
                try await storage.enqueue(data("x"), priority: nil)
                try await storage.addToSchedule(data("x"), at: moment(1))
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
            try expect(await sizes(), [1, 1, 1, 1])
            try await storage.flushResults()
            try expect(await sizes(), [1, 1, 0, 1])
            try await storage.flushCounters()
            try expect(await sizes(), [1, 1, 0, 0])
            try await storage.flushSchedule()
            try expect(await sizes(), [1, 0, 0, 0])
            try await fill()
            try await storage.flushAll()
            try expect(await sizes(), [0, 0, 0, 0])
            try await storage.flushAll()
        },
    ]

    static let resultChecks: [StorageCheck] = [
        StorageCheck(.storage, "a result is waited for") { run in
            let (storage, writer) = (try await run.storage(), try await run.another())
            @Sendable func wait(_ key: String, _ timeout: Duration?) async throws -> Bool {
                try await storage.waitResult(key, timeout: timeout, backoff: 1.15, maxDelay: .seconds(1))
            }
            try expect(await wait("k", .milliseconds(5)), false)
            async let came = wait("k", nil)
            await Task.yield()
            try await writer.putData(data("v"), forKey: "k", isResult: true)
            try expect(await came, true)
            try expect(await wait("k", .seconds(600)), true)
            try expect(await storage.peekData("k").map(text), "v")
        },
        StorageCheck(.storage, "many results are waited for at once, one of them twice") { run in
            let (storage, writer) = (try await run.storage(), try await run.another())
            @Sendable func value(_ key: String, _ timeout: Duration = .seconds(600)) async throws -> String? {
                try await storage.awaitData(
                    key,
                    preserve: true,
                    timeout: timeout,
                    backoff: 1,
                    maxDelay: .milliseconds(60)
                ).map(text)
            }
            let keys = (0..<50).map { "k\($0)" } + ["k7"]
            let values = try await withThrowingTaskGroup(of: (String, String?).self) { group in
                for key in keys { group.addTask { (key, try await value(key)) } }
                for key in Set(keys) { try await writer.putData(data("v" + key), forKey: key, isResult: true) }
                return try await group.reduce(into: [:]) { $0[$1.0, default: []].append($1.1) }
            }
            for key in Set(keys) {
                try expect(values[key], Array(repeating: "v" + key, count: key == "k7" ? 2 : 1))
            }
            try expect(await value("none", .zero), nil)
        },
        StorageCheck(.storage, "a result that was waited for is taken away unless it is to be preserved") { run in
            let storage = try await run.storage()
            try await storage.putData(data("v"), forKey: "k", isResult: true)
            for preserve in [true, false] {
                let value = try await storage.awaitData(
                    "k",
                    preserve: preserve,
                    timeout: .zero,
                    backoff: 1,
                    maxDelay: .zero
                )
                try expect(value.map(text), "v")
            }
            try expect(await storage.hasData(forKey: "k"), !run.choices.popRemoves)
        },
        StorageCheck(.storage, "a wait for a result ends when it is cancelled") { run in
            let storage = try await run.storage()
            let waiter = Task { try await storage.waitResult("k", timeout: nil, backoff: 1.15, maxDelay: .seconds(1)) }
            await Task.yield()
            waiter.cancel()
            let outcome = await waiter.result
            try expect((try? outcome.get()) == nil, "an error")
        },
    ]
}
