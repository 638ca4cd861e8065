import Huey

extension StorageConformance {
    /// What a consumer that lives does with its messages.
    static let deliveryChecks: [StorageCheck] = [
        StorageCheck(.acknowledging, "a message is kept until it is settled, its outcome written in the same step") {
            run in
            let storage = try await run.storage()
            let channel = try await run.channel()
            try expect(channel.acknowledges, true, "the channel acknowledges")
            try await run.enqueue("a", "b")
            let taken = try await channel.take()
            try expect(texts(taken), ["a", "b"])
            try expect(taken.allSatisfy { $0.receipt != nil }, "a receipt with each message")
            try expect(Set(taken.map(\.receipt)).count, 2, "different receipts")
            try expect(taken.map(\.redeliveries), [0, 0])
            try expect(await run.waiting(), [])
            let effects: [StorageEffect] = [
                .put(data("v"), key: "k", isResult: true), .enqueue(data("c"), priority: nil),
            ]
            try await channel.commit([Settlement(of: taken[0], effects, isFinal: true)], number: 1)
            try expect(await storage.peekData("k").map(text), "v")
            try expect(await run.waiting(), ["c"])
            await channel.close()
            try expect(await run.waiting(), ["b", "c"], "what was not settled goes back to the head")
        },
        StorageCheck(.acknowledging, "a settlement that is not final keeps its message") { run in
            let channel = try await run.channel()
            try await run.enqueue("a")
            let taken = try await channel.take()
            let effect = StorageEffect.put(data("v"), key: "k", isResult: true)
            try await channel.commit([Settlement(of: taken.first, [effect], isFinal: false)], number: 1)
            try expect(await run.storage().peekData("k").map(text), "v")
            await channel.close()
            try expect(await run.waiting(), ["a"])
        },
        StorageCheck(.acknowledging, "effects that belong to no message are written") { run in
            let channel = try await run.channel()
            try await channel.commit(
                [Settlement(of: nil, [.enqueue(data("a"), priority: nil)], isFinal: true)],
                number: 1
            )
            try expect(await run.waiting(), ["a"])
        },
        StorageCheck(.acknowledging, "the ends of many tasks settle their messages") { run in
            let storage = try await run.storage()
            let channel = try await run.channel()
            try await run.enqueue("a", "b", "c")
            try await storage.putData(data("x"), forKey: "r:a", isResult: false)
            let taken = try await channel.take()
            try expect(texts(taken), ["a", "b", "c"])
            var tasks = Completions()
            for (index, delivery) in taken.prefix(2).enumerated() {
                tasks.append(text(delivery.data), index == 0 ? data("v") : nil, of: delivery)
            }
            try await channel.commit([Settlement(of: nil, [.complete(tasks)], isFinal: true)], number: 1)
            try expect(await storage.resultItems().mapValues(text), ["a": "v"])
            await channel.close()
            try expect(await run.waiting(), ["c"])
        },
        StorageCheck(.acknowledging, "a commit whose answer was lost is not done twice") { run in
            let channel = try await run.channel()
            try await run.enqueue("a", "b")
            let taken = try await channel.take()
            try expect(texts(taken), ["a", "b"])
            func settle(_ index: Int) -> [Settlement] {
                [Settlement(of: taken[index], [.enqueue(data("x\(index)"), priority: nil)], isFinal: true)]
            }
            try await channel.commit(settle(0), number: 1)
            try await channel.commit(settle(0), number: 1)
            try await channel.commit(settle(1), number: 2)
            let others = [Settlement(of: nil, [.enqueue(data("y"), priority: nil)], isFinal: true)]
            try await channel.commit(others, number: 3)
            try await channel.commit(others, number: 3)
            try expect(await run.waiting(), ["x0", "x1", "y"])
        },
        StorageCheck(.acknowledging, "what is given back comes first again, in order, and once") { run in
            let channel = try await run.channel()
            try await run.enqueue("a", "b", "c", "d")
            let taken = try await channel.take(3)
            try await channel.giveBack(Array(taken.dropFirst()))
            try await channel.giveBack(Array(taken.dropFirst()))
            try expect(await run.waiting(), ["b", "c", "d"])
            try expect(texts(await channel.take()), ["b", "c", "d"])
        },
        StorageCheck(.acknowledging, "consumers share the messages, each once") { run in
            let consumers = [try await run.channel(), try await run.channel()]
            let names = (0..<100).map { "m\($0)" }
            try await run.storage().commit(names.map { .enqueue(data($0), priority: nil) })
            let taken = try await withThrowingTaskGroup(of: [String].self) { group in
                for consumer in consumers {
                    group.addTask {
                        var (taken, number) = ([String](), 0)
                        while true {
                            let batch = try await consumer.take(7)
                            if batch.isEmpty { return taken }
                            taken += texts(batch)
                            number += 1
                            try await consumer.commit(
                                batch.map { Settlement(of: $0, [], isFinal: true) },
                                number: number
                            )
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            try expect(taken.sorted(), names.sorted())
            for consumer in consumers { await consumer.close() }
            try expect(await run.waiting(), [])
        },
        StorageCheck(.acknowledging, "a consumer's wait ends when a message comes, and when it is interrupted") { run in
            let channel = try await run.channel()
            guard channel.isBlocking else { return }
            await channel.interruptDequeue()
            try expect(await channel.dequeue(upTo: 5, wait: .seconds(600)).count, 0)
            async let interrupted = channel.dequeue(upTo: 5, wait: .seconds(600))
            await Task.yield()
            await channel.interruptDequeue()
            try expect(await interrupted.count, 0)
            async let waiting = channel.dequeue(upTo: 5, wait: .seconds(600))
            await Task.yield()
            try await run.enqueue("a")
            var found = try await waiting
            while found.isEmpty { found = try await channel.dequeue(upTo: 5, wait: .seconds(600)) }
            try expect(texts(found), ["a"])
        },
        StorageCheck(.acknowledging, "after the end nothing is taken, and nothing of it written") { run in
            let channel = try await run.channel()
            try await run.enqueue("a")
            let taken = try await channel.take()
            await channel.close()
            let effect = StorageEffect.put(data("v"), key: "k", isResult: true)
            // Whether it throws is the storage's choice.
            try? await channel.commit([Settlement(of: taken.first, [effect], isFinal: true)], number: 1)
            try expect(await run.waiting(), ["a"])
            try expect(await run.storage().peekData("k") == nil, "no value")
        },
        StorageCheck(.acknowledging, "a member of a chord counts once, and the last one writes nothing yet") { run in
            let storage = try await run.storage()
            let channel = try await run.channel()
            try await run.enqueue("a", "b")
            let taken = try await channel.take()
            try expect(texts(taken), ["a", "b"])
            try expect(await channel.count(.ofMember(0), of: taken[0]), .counted)
            // The answer was lost.
            try expect(await channel.count(.ofMember(0), of: taken[0]), .counted)
            try expect(await storage.increment("chord:c", by: 0), 1)
            try expect(await storage.peekData("chord:c:0").map(text), "v0")
            try expect(await storage.peekData("k0").map(text), "other")
            try expect(await channel.count(.ofMember(1), of: taken[1]), .last)
            try expect(await storage.peekData("chord:c:1") == nil, "nothing written of the last one")
            try expect(await storage.increment("chord:c", by: 0), 1)
            await channel.close()
            try expect(await run.waiting(), ["b"], "the counted one is settled, the last one is held")
        },
    ]
}

extension ChordReport {
    /// The report of a member of a chord of two.
    static func ofMember(_ index: Int) -> ChordReport {
        ChordReport(
            key: "chord:c:\(index)",
            counterKey: "chord:c",
            size: 2,
            value: data("v\(index)"),
            others: [.put(data("other"), key: "k\(index)", isResult: false)]
        )
    }
}
