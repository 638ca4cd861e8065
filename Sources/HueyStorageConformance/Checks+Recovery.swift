import Huey

/// A consumer that is dead: it sends no heartbeat. Another one, that lives, takes over what it held.
extension StorageConformance {
    static let recoveryChecks: [StorageCheck] = [
        StorageCheck(.acknowledging, "what a dead consumer held returns in order, before what came later") { run in
            let dead = try await run.channel()
            try await run.enqueue("a", "b", "c", "d")
            try expect(texts(await dead.take(2)), ["a", "b"])
            try expect(texts(await dead.take(1)), ["c"])
            try await run.enqueue("e")
            run.forget(dead)
            let alive = try await run.channel()
            try await alive.whileRunning {
                try await eventually { try await run.storage().queueSize() == 5 ? true : nil }
            }
            try expect(await run.waiting(), ["a", "b", "c", "d", "e"])
            let again = try await alive.take()
            try expect(texts(again), ["a", "b", "c", "d", "e"])
            try expect(again.map(\.redeliveries), [1, 1, 1, 0, 0])
            try expect(again.map(\.deaths), [0, 0, 0, 0, 0])
        },
        StorageCheck(.acknowledging, "only a started task is charged with its consumer's death") { run in
            try await run.enqueue("a", "b")
            for round in 0..<3 {
                let dead = try await run.channel()
                let taken = try await dead.take()
                try expect(texts(taken), ["a", "b"])
                try expect(taken.map(\.redeliveries), [round, round])
                try expect(taken.map(\.deaths), [0, max(0, round - 1)])
                // Only of what came back.
                if round > 0 { try await dead.noteStart(of: taken[1]) }
                try await run.takeOver(from: dead)
            }
            let last = try await run.channel().take()
            try expect(last.map(\.redeliveries), [3, 3])
            try expect(last.map(\.deaths), [0, 2])
        },
        StorageCheck(.acknowledging, "a consumer that sends heartbeats keeps what it holds") { run in
            let alive = try await run.channel()
            let other = try await run.channel()
            try await run.enqueue("a")
            let taken = try await alive.take()
            let dead = try await run.channel()
            try await run.enqueue("b")
            try expect(texts(await dead.take()), ["b"])
            run.forget(dead)
            try await alive.whileRunning {
                try await other.whileRunning {
                    // The other one is watched for as long.
                    try await eventually { try await run.waiting() == ["b"] ? true : nil }
                }
            }
            let next = StorageEffect.enqueue(data("next"), priority: nil)
            try await alive.commit([Settlement(of: taken.first, [next], isFinal: true)], number: 1)
            try expect(await run.waiting(), ["b", "next"])
        },
        StorageCheck(.acknowledging, "a consumer that was given up writes nothing of what it lost, and goes on") {
            run in
            let storage = try await run.storage()
            let stalled = try await run.channel()
            try await run.enqueue("a", "b")
            let taken = try await stalled.take(1)
            try expect(texts(taken), ["a"])
            try await run.takeOver(from: stalled)
            let late = [Settlement(of: taken[0], [.put(data("v"), key: "k", isResult: true)], isFinal: true)]
            // Whether it throws is the storage's choice.
            try? await stalled.commit(late, number: 1)
            try? await stalled.commit(late, number: 2)
            try? await stalled.giveBack(taken)
            try expect(await storage.peekData("k") == nil, "no value of a late commit")
            try expect(await run.waiting(), ["a", "b"])
            try expect(await stalled.count(.ofMember(0), of: taken[0]), .lost)
            try expect(await storage.increment("chord:c", by: 0), 0)
            var again: [Delivery] = []
            while again.count < 2 { again += try await stalled.take() }
            try expect(texts(again), ["a", "b"])
            let outcomes = again.map {
                Settlement(of: $0, [.put(data("v"), key: text($0.data), isResult: true)], isFinal: true)
            }
            try await stalled.commit(outcomes, number: 3)
            await stalled.close()
            try expect(await run.waiting(), [])
            try expect(await storage.resultItems().mapValues(text), ["a": "v", "b": "v"])
        },
        StorageCheck(.acknowledging, needsPriority: true, "what a dead consumer held keeps its priority") { run in
            let storage = try await run.storage()
            let dead = try await run.channel()
            for (text, priority) in [("low", -2.5), ("mid", 1), ("high", 9)] {
                try await storage.enqueue(data(text), priority: priority)
            }
            try expect(texts(await dead.take()), ["high", "mid", "low"])
            try await storage.enqueue(data("between"), priority: 5)
            try await run.takeOver(from: dead)
            try expect(await run.waiting(), ["high", "between", "mid", "low"])
        },
        StorageCheck(.acknowledging, and: [.locking], "locks of a dead consumer open, and are nobody else's") { run in
            let dead = try await run.consumer()
            let alive = try await run.consumer()
            let (deadLocks, locks) = try (
                require(dead.storage as? any LockingStorage, "the same kind of storage"),
                require(alive.storage as? any LockingStorage, "the same kind of storage")
            )
            try expect(await deadLocks.acquireLock(data("1"), forKey: "lock", ttl: nil), true)
            try expect(await deadLocks.acquireLock(data("1"), forKey: "released", ttl: nil), true)
            try expect(await deadLocks.releaseLock("released"), true)
            try expect(await locks.acquireLock(data("2"), forKey: "released", ttl: nil), true)
            try expect(await locks.acquireLock(data("2"), forKey: "lock", ttl: nil), false)
            run.forget(dead.channel)
            try await alive.channel.whileRunning {
                _ = try await eventually {
                    try await locks.acquireLock(data("2"), forKey: "lock", ttl: nil) ? true : nil
                }
            }
            try expect(await run.storage().hasData(forKey: "released"), true, "the lock of the one that lives")
            try expect(await deadLocks.releaseLock("lock"), false, "it belongs to the other one now")
            try expect(await run.storage().hasData(forKey: "lock"), true)
        },
    ]
}

extension CheckRun {
    /// A consumer dies; returns when another one has put back all that it held.
    fileprivate func takeOver(from dead: any DeliveryChannel) async throws {
        let other = try await channel()
        let size = try await storage().queueSize()
        try await other.whileRunning {
            try await eventually { try await storage().queueSize() > size ? true : nil }
        }
        await other.close()
    }
}

extension DeliveryChannel {
    /// Sends heartbeats and takes over from the dead while `body` runs.
    fileprivate func whileRunning(_ body: () async throws -> some Any) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await run() }
            _ = try await body()
            group.cancelAll()
        }
    }
}
