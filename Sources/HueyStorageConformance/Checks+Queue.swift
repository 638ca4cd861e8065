import Huey

extension StorageConformance {
    static let queueChecks: [StorageCheck] = [
        StorageCheck(.storage, "messages come out first in, first out") { run in
            let storage = try await run.storage()
            try expect(await storage.queueSize(), 0)
            try await run.enqueue("a", "b", "c")
            try expect(await storage.queueSize(), 3)
            try expect(await run.waiting(), ["a", "b", "c"])
            try expect(await storage.enqueuedItems(limit: 2).map(text), ["a", "b"])
            try expect(await storage.enqueuedItems(limit: 0).map(text), ["a", "b", "c"], "0 is no limit")
            try expect(await storage.dequeue().map(text), "a")
            try expect(await storage.dequeue().map(text), "b")
            try expect(await storage.queueSize(), 1)
            try await storage.flushQueue()
            try expect(await storage.queueSize(), 0)
        },
        StorageCheck(.storage, "higher priorities come first, equal ones in order; a storage without them refuses") {
            run in
            let storage = try await run.storage()
            try await storage.enqueue(data("none"), priority: nil)
            try await storage.enqueue(data("zero"), priority: 0)
            guard storage.supportsPriority else {
                try await expectError(.priorityNotSupported, "a priority") {
                    try await storage.enqueue(data("x"), priority: 1)
                }
                try await expectError(.priorityNotSupported, "a priority among effects") {
                    try await storage.commit([.enqueue(data("x"), priority: -1)])
                }
                return try expect(await storage.queueSize(), 2)
            }
            try await storage.enqueue(data("low"), priority: -1)
            try await storage.commit([
                .enqueue(data("high"), priority: 9), .enqueue(data("half"), priority: 0.5),
                .enqueue(data("high2"), priority: 9), .enqueue(data("high3"), priority: 9),
            ])
            let order = ["high", "high2", "high3", "half", "none", "zero", "low"]
            try expect(await run.waiting(), order)
            try expect(texts(await storage.dequeue(upTo: 10, wait: .zero)), order)
        },
        StorageCheck(.storage, "many messages are added at once, in order") { run in
            let storage = try await run.storage()
            try await storage.enqueue(contentsOf: [])
            try await storage.enqueue(contentsOf: (0..<100).map { (data("m\($0)"), nil) })
            try expect(await run.waiting(), (0..<100).map { "m\($0)" })
        },
        StorageCheck(.storage, "a batch takes as many as asked for, in order") { run in
            let storage = try await run.storage()
            let names = (0..<10).map { "m\($0)" }
            try await storage.commit(names.map { .enqueue(data($0), priority: nil) })
            try expect(await storage.dequeue(upTo: 0, wait: .zero).count, 0)
            try expect(texts(await storage.dequeue(upTo: 1, wait: .zero)), ["m0"])
            try expect(texts(await storage.dequeue(upTo: 2, wait: .zero)), ["m1", "m2"])
            try expect(texts(await storage.dequeue(upTo: 100, wait: .zero)), Array(names[3...]))
            try expect(await storage.dequeue(upTo: 100, wait: .milliseconds(1)).count, 0)
        },
        StorageCheck(.storage, "what is given back comes out again, first and in order") { run in
            let storage = try await run.storage()
            try await run.enqueue("a", "b", "c", "d")
            let taken = try await storage.dequeue(upTo: 3, wait: .zero)
            try await run.enqueue("e")
            try await storage.giveBack(Array(taken.dropFirst()))
            try await storage.giveBack([])
            try expect(await run.waiting(), ["b", "c", "d", "e"])
            try expect(texts(await storage.dequeue(upTo: 9, wait: .zero)), ["b", "c", "d", "e"])
        },
        StorageCheck(.storage, "what is given back to a queue that was empty meanwhile comes first, too") { run in
            let storage = try await run.storage()
            try await run.enqueue("a", "b", "c")
            let taken = try await storage.dequeue(upTo: 3, wait: .zero)
            try await run.enqueue("d")
            try await storage.giveBack(Array(taken.dropFirst()))
            try await run.enqueue("e")
            try expect(texts(await storage.dequeue(upTo: 9, wait: .zero)), ["b", "c", "d", "e"])
        },
        StorageCheck(.storage, needsPriority: true, "what is given back keeps its priority") { run in
            let storage = try await run.storage()
            try await storage.enqueue(data("low"), priority: -2.5)
            try await storage.enqueue(data("mid"), priority: 1)
            let taken = try await storage.dequeue(upTo: 2, wait: .zero)
            try await storage.enqueue(data("high"), priority: 5)
            try await storage.enqueue(data("zero"), priority: nil)
            try await storage.giveBack(taken)
            try expect(await run.waiting(), ["high", "mid", "zero", "low"])
        },
        StorageCheck(.storage, "a wait ends when a message arrives") { run in
            let storage = try await run.storage()
            guard storage.isBlocking else { return }
            let other = try await run.another()
            async let first = storage.dequeue(upTo: 5, wait: .seconds(1))
            try await other.enqueue(data("x"), priority: nil)
            var found = try await first
            // The wait may have been over before the message came.
            if found.isEmpty { found = try await storage.dequeue(upTo: 5, wait: .seconds(1)) }
            try expect(texts(found), ["x"])
        },
        StorageCheck(.storage, "an interrupted wait is over, and loses nothing") { run in
            let storage = try await run.storage()
            // Before the wait, and in the midst of it: whichever it is, the wait ends.
            await storage.interruptDequeue()
            try expect(await storage.dequeue(upTo: 5, wait: .seconds(600)).count, 0)
            async let waiting = storage.dequeue(upTo: 5, wait: .seconds(600))
            await Task.yield()
            await storage.interruptDequeue()
            try expect(await waiting.count, 0)
            try await run.enqueue("x")
            try expect(texts(await storage.dequeue(upTo: 5, wait: .seconds(600))), ["x"])
        },
        StorageCheck(.storage, "any bytes go through") { run in
            let storage = try await run.storage()
            let payloads: [[UInt8]] = [
                [0], [0, 13, 10, 255, 128], data("$5\r\nhello\r\n"), Array(repeating: 7, count: 1 << 20),
                Array(0...255),
            ]
            for payload in payloads { try await storage.enqueue(payload, priority: nil) }
            try expect(await storage.dequeue(upTo: 10, wait: .zero).map(\.data) == payloads, "the same messages")
            for (index, payload) in payloads.enumerated() {
                try await storage.putData(payload, forKey: "k\(index)", isResult: true)
                try expect(await storage.peekData("k\(index)") == payload, "the same value")
            }
        },
        StorageCheck(.storage, "concurrent consumers share the messages, each once") { run in
            let consumers = [try await run.another(), try await run.another()]
            let names = (0..<200).map { "m\($0)" }
            try await run.storage().commit(names.map { .enqueue(data($0), priority: nil) })
            let taken = try await withThrowingTaskGroup(of: [String].self) { group in
                for consumer in consumers {
                    group.addTask {
                        var taken: [String] = []
                        while true {
                            let batch = try await consumer.dequeue(upTo: 7, wait: .milliseconds(1))
                            if batch.isEmpty { return taken }
                            taken += texts(batch)
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            try expect(taken.sorted(), names.sorted())
        },
        StorageCheck(.storage, "instances of different names do not see each other") { run in
            guard run.choices.hasNames else { return }
            let (storage, other) = try await run.neighbours()
            try await storage.enqueue(data("x"), priority: nil)
            try await storage.addToSchedule(data("x"), at: moment(1))
            try await storage.putData(data("v"), forKey: "k", isResult: true)
            _ = try await storage.increment("n", by: 1)
            try expect(await other.queueSize(), 0)
            try expect(await other.scheduleSize(), 0)
            try expect(await other.peekData("k") == nil, "no value of the other instance")
            try expect(await other.increment("n", by: 0), 0)
            try await other.flushAll()
            try expect(await storage.queueSize(), 1)
            try expect(await storage.scheduleSize(), 1)
            try expect(await storage.resultStoreSize(), 1)
            try expect(await storage.increment("n", by: 0), 1)
        },
        StorageCheck(.storage, "it answers a ping") { run in try await run.storage().ping() },
    ]
}
