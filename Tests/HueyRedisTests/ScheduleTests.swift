import Huey
import Pickle
import Redis
import TestSupport
import Testing

@testable import HueyRedis

@Suite("What schedules do beyond their promises")
struct ScheduleTests {
    /// A moment of that second, far from any change of clocks.
    private static func at(_ second: Int, _ microsecond: Int = 0) -> PickleDateTime {
        PickleDateTime(
            year: 2026,
            month: 1,
            day: 2,
            hour: 3,
            minute: second / 60,
            second: second % 60,
            microsecond: microsecond
        )
    }

    @Test("several schedulers put each message aside once", arguments: StorageKind.allCases.filter(\.isRedis))
    func buries(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            try await storage.commit((0..<50).map { .schedule(data("m\($0)"), at: Self.at(1)) })
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        _ = try await storage.promoteSchedule(dueAt: Self.at(2), limit: 100) { old in
                            [.bury(DeadLetter(data: old, reason: .undecodable, detail: "why", time: 5))]
                        }
                    }
                }
                try await group.waitForAll()
            }
            let redis = try #require(storage as? RedisStorage)
            #expect(try await redis.deadLetterCount() == 50)
            #expect(try await storage.scheduleSize() == 0)
        }
    }

    @Test("what the queue refuses stays in the schedule", arguments: StorageKind.allCases.filter(\.isRedis))
    func refused(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            let redis = try #require(storage as? RedisStorage)
            try await storage.commit((0..<3).map { .schedule(data("m\($0)"), at: Self.at(1)) })
            try await redis.client.command("SET", .init(redis.keys.queue), "no queue")
            for _ in 0..<3 {
                await #expect(throws: (any Error).self) {
                    try await storage.promoteSchedule(dueAt: Self.at(2), limit: 9) { [.enqueue($0, priority: nil)] }
                }
            }
            #expect(try await storage.scheduleSize() == 3)
        }
    }

    @Test("what was put off meanwhile stays", arguments: StorageKind.allCases.filter(\.isRedis))
    func putOff(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            try await storage.addToSchedule(data("a"), at: Self.at(1))
            _ = try await storage.promoteSchedule(dueAt: Self.at(2), limit: 9) { old in
                try await storage.addToSchedule(old, at: Self.at(8))
                return [.enqueue(old, priority: nil)]
            }
            #expect(try await storage.queueSize() == 0)
            #expect(try await storage.scheduleSize() == 1)
        }
    }

    @Test("a transformation that fails loses nothing", arguments: StorageKind.allCases.filter { $0 != .memory })
    func failure(kind: StorageKind) async throws {
        struct Refusal: Error {}
        try await kind.withStorage { storage in
            try await storage.commit([.schedule(data("a"), at: Self.at(1)), .schedule(data("b"), at: Self.at(2))])
            await #expect(throws: Refusal.self) {
                try await storage.promoteSchedule(dueAt: Self.at(3), limit: 9) { old in
                    if text(old) == "b" { throw Refusal() }
                    return [.enqueue(old, priority: nil)]
                }
            }
            let (scheduled, queued) = (try await storage.scheduleSize(), try await storage.queueSize())
            // Redis moves all or nothing, SQLite one after the other.
            #expect(kind.isRedis ? (scheduled, queued) == (2, 0) : (scheduled, queued) == (1, 1))
        }
    }

    @Test("the same message scheduled again has only its new moment", arguments: StorageKind.allCases.filter(\.isRedis))
    func again(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            try await storage.addToSchedule(data("a"), at: Self.at(1))
            try await storage.addToSchedule(data("a"), at: Self.at(8))
            #expect(try await storage.scheduleSize() == 1)
            #expect(try await storage.readSchedule(dueAt: Self.at(7)).isEmpty)
        }
    }
}
