import Huey

private struct Refusal: Error {}

extension StorageConformance {
    static let scheduleChecks: [StorageCheck] = [
        StorageCheck(.storage, "what is due comes out, soonest first, to the microsecond") { run in
            let storage = try await run.storage()
            try await storage.addToSchedule(data("c"), at: moment(9))
            try await storage.addToSchedule(data("a"), at: moment(1))
            try await storage.addToSchedule(data("b"), at: moment(5, 250_000))
            try expect(await storage.scheduleSize(), 3)
            try expect(await storage.scheduledItems(limit: nil).map(text), ["a", "b", "c"])
            try expect(await storage.scheduledItems(limit: 1).map(text), ["a"])
            try expect(await storage.scheduledItems(limit: 0).map(text), ["a", "b", "c"], "0 is no limit")
            try expect(await storage.readSchedule(dueAt: moment(0)).count, 0)
            try expect(await storage.readSchedule(dueAt: moment(5, 249_999)).map(text), ["a"])
            try expect(await storage.readSchedule(dueAt: moment(5, 250_000)).map(text), ["b"])
            try expect(await storage.readSchedule(dueAt: moment(8, 999_999)).count, 0)
            try expect(await storage.scheduleSize(), 1)
            try await storage.flushSchedule()
            try expect(await storage.scheduleSize(), 0)
        },
        StorageCheck(.storage, "due messages move to the queue as what they became") { run in
            let storage = try await run.storage()
            try await storage.commit((0..<6).map { .schedule(data("m\($0)"), at: moment($0)) })
            let transform: @Sendable ([UInt8]) async throws -> [StorageEffect] = { old in
                switch text(old) {
                case "m1": []
                case "m2": [.bury(DeadLetter(data: old, reason: .undecodable, detail: "why", time: 5))]
                default: [.enqueue(old + data("!"), priority: nil)]
                }
            }
            let moved = try await storage.promoteSchedule(dueAt: moment(4), limit: 3, transform: transform)
            try expect(moved >= 3, "as many as were due, or the limit")
            _ = try await storage.promoteSchedule(dueAt: moment(4), limit: 100, transform: transform)
            try expect(await storage.promoteSchedule(dueAt: moment(4), limit: 100, transform: transform), 0)
            try expect(await run.waiting(), ["m0!", "m3!", "m4!"])
            try expect(await storage.scheduledItems(limit: nil).map(text), ["m5"])
        },
        StorageCheck(.storage, "several schedulers move each message once") { run in
            let storages = [try await run.storage(), try await run.another()]
            let names = (0..<100).map { "m\($0)" }
            try await storages[0].commit(names.map { .schedule(data($0), at: moment(1)) })
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<4 {
                    group.addTask {
                        while try await storages[index % 2].promoteSchedule(
                            dueAt: moment(2),
                            limit: 10,
                            transform: { [.enqueue($0, priority: nil)] }
                        ) > 0 {}
                    }
                }
                try await group.waitForAll()
            }
            try expect(await run.waiting().sorted(), names.sorted())
            try expect(await storages[0].scheduleSize(), 0)
        },
        StorageCheck(.storage, "several schedulers read each message once") { run in
            let storages = [try await run.storage(), try await run.another()]
            let names = (0..<100).map { "m\($0)" }
            try await storages[0].commit(names.map { .schedule(data($0), at: moment(1)) })
            let read = try await withThrowingTaskGroup(of: [String].self) { group in
                for index in 0..<4 {
                    group.addTask { try await storages[index % 2].readSchedule(dueAt: moment(2)).map(text) }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            try expect(read.sorted(), names.sorted())
        },
        StorageCheck(.storage, "a scheduler that cannot read a message loses none") { run in
            let storage = try await run.storage()
            try await storage.commit([
                .schedule(data("a"), at: moment(1)), .schedule(data("b"), at: moment(2)),
                .schedule(data("c"), at: moment(3)),
            ])
            do {
                _ = try await storage.promoteSchedule(dueAt: moment(4), limit: 9) { old in
                    if text(old) == "b" { throw Refusal() }
                    return [.enqueue(old, priority: nil)]
                }
                throw StorageViolation("the error of the transformation", found: "no error")
            } catch is Refusal {}
            let all = try await run.waiting() + storage.scheduledItems(limit: nil).map(text)
            try expect(all.sorted(), ["a", "b", "c"])
            let moved = try await storage.promoteSchedule(dueAt: moment(4), limit: 9) { [.enqueue($0, priority: nil)] }
            try expect(moved >= 2, "the rest is due still")
            try expect(await run.waiting().sorted(), ["a", "b", "c"])
        },
        StorageCheck(.chargingSchedule, "nobody is charged where no scheduler died") { run in
            let storage = try await run.storage(as: (any ChargingSchedule).self)
            try await storage.addToSchedule(data("a"), at: moment(1))
            for _ in 0..<4 {
                do {
                    _ = try await storage.promoteSchedule(dueAt: moment(2), limit: 9, deathLimit: 2) { _ in
                        throw Refusal()
                    }
                    throw StorageViolation("the error of the transformation", found: "no error")
                } catch is Refusal {}
            }
            for limit in [nil, 2] as [Int?] {
                let moved = try await storage.promoteSchedule(dueAt: moment(2), limit: 9, deathLimit: limit) {
                    [.enqueue($0, priority: nil)]
                }
                try expect(moved, limit == nil ? 1 : 0)
            }
            try expect(await run.waiting(), ["a"])
        },
    ]
}
