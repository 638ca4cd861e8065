import Huey
import Pickle

extension StorageConformance {
    static let effectChecks: [StorageCheck] = [
        StorageCheck(.storage, "effects end as if they had come one after the other") { run in
            let storage = try await run.storage()
            try await storage.commit([])
            try await storage.putData(data("old"), forKey: "r:b", isResult: false)
            _ = try await storage.increment("n", by: 4)
            try await storage.commit([
                .put(data("1"), key: "t", isResult: true),
                .put(data("1"), key: "r:a", isResult: false), .delete(key: "r:a"),
                .delete(key: "r:b"), .put(data("2"), key: "r:b", isResult: false),
                .put(data("3"), key: "t", isResult: true),
                .delete(key: "missing"), .deleteCounter(key: "n"), .deleteCounter(key: "missing"),
                .enqueue(data("q1"), priority: nil), .schedule(data("s"), at: moment(1)),
                .enqueue(data("q2"), priority: 0),
            ])
            try expect(await storage.resultItems().mapValues(text), ["t": "3", "r:b": "2"])
            try expect(await run.waiting(), ["q1", "q2"])
            try expect(await storage.scheduledItems(limit: nil).map(text), ["s"])
            try expect(await storage.increment("n", by: 0), 0)
        },
        StorageCheck(.storage, "the ends of many tasks store their values and forget their revocations") { run in
            let storage = try await run.storage()
            for id in ["a", "b"] { try await storage.putData(data("x"), forKey: "r:" + id, isResult: false) }
            var tasks = Completions()
            tasks.append("a", data("value"), of: Delivery(data: data("a")))
            tasks.append("b", nil, of: Delivery(data: data("b")))
            try await storage.commit([.complete(tasks)])
            try expect(await storage.resultItems().mapValues(text), ["a": "value"])
        },
        StorageCheck(.storage, "revocations are found by ids and by names") { run in
            let storage = try await run.storage()
            try await storage.putData(data("one"), forKey: "r:b", isResult: false)
            try await storage.putData(data("all"), forKey: "rt:tasks.add", isResult: false)
            let found = try await storage.peekRevocations(
                ofTasks: TaskIDs(["a", "b"]),
                named: ["tasks.none", "tasks.add"]
            )
            try expect(found.mapValues(text), [1: "one", 3: "all"])
        },
        StorageCheck(.storage, "a message that cannot be run is put aside, outside the queue") { run in
            let storage = try await run.storage()
            let letter = DeadLetter(data: data("m"), reason: .undecodable, detail: "d", time: 5)
            try await storage.bury(letter)
            try await storage.commit([.bury(letter)])
            try expect(await storage.queueSize(), 0)
            try expect(await storage.scheduleSize(), 0)
        },
    ]

    static let deadLetterChecks: [StorageCheck] = [
        StorageCheck(.deadLetters, "dead letters are listed newest first, under ids that stay") { run in
            let storage = try await run.storage(as: (any DeadLetterStorage).self)
            try expect(await storage.deadLetterCount(), 0)
            try expect(await storage.deadLetterEntries(from: 0, limit: 100).count, 0)
            for text in ["a", "b", "c"] { try await storage.bury(letter(text)) }
            try expect(await storage.deadLetterCount(), 3)
            let entries = try await storage.deadLetterEntries(from: 0, limit: 100)
            try expect(entries.map { text($0.letter.data) }, ["c", "b", "a"])
            try expect(Set(entries.map(\.id)).count, 3)
            try expect(entries.map(\.letter.reason), [.failed, .failed, .failed])
            try expect(await storage.deadLetterEntries(from: 1, limit: 1).map(\.id), [entries[1].id])
            try expect(await storage.deadLetterEntries(id: String(entries[2].id.prefix(12))).map(\.id), [entries[2].id])
            try expect(await storage.deadLetterEntries(id: "x").count, 0)
            try expect(await storage.deadLetterEntries(from: 3, limit: 1).count, 0)
        },
        StorageCheck(.deadLetters, "dead letters go back to the queue once, byte for byte") { run in
            let storage = try await run.storage(as: (any DeadLetterStorage).self)
            let bytes: [UInt8] = [0, 13, 10, 255]
            try await storage.bury(
                DeadLetter(data: bytes, reason: .undecodable, detail: "", time: 1_700_000_000_000_000)
            )
            try await storage.bury(letter("other"))
            let entries = try await storage.deadLetterEntries(from: 0, limit: 100)
            try expect(entries.count, 2)
            try expect(await storage.requeueDeadLetter(entries[1], priority: nil), true)
            try expect(await storage.requeueDeadLetter(entries[1], priority: nil), false)
            try expect(await storage.enqueuedItems(limit: nil), [bytes])
            try expect(await storage.deadLetterCount(), 1)
            try expect(await storage.dropDeadLetter(entries[0]), true)
            try expect(await storage.dropDeadLetter(entries[0]), false)
            try expect(await storage.queueSize(), 1)
        },
        StorageCheck(.deadLetters, needsPriority: true, "dead letters go back with their priority") { run in
            let storage = try await run.storage(as: (any DeadLetterStorage).self)
            try await storage.enqueue(data("five"), priority: 5)
            try await storage.bury(letter("seven"))
            let entry = try require(await storage.deadLetterEntries(from: 0, limit: 1).first, "a letter")
            try expect(await storage.requeueDeadLetter(entry, priority: 7), true)
            try expect(await run.waiting(), ["seven", "five"])
        },
    ]

    private static func letter(_ text: String) -> DeadLetter {
        DeadLetter(data: data(text), reason: .failed, detail: "d", time: TimeSource.system.microseconds())
    }
}
