import Huey
import HueyRedis
import Pickle
import TestSupport
import Testing

@Suite("Every storage queues as huey's do")
struct QueueConformanceTests {
    @Test("messages come out first in, first out", arguments: StorageKind.allCases)
    func fifo(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            #expect(try await storage.queueSize() == 0)
            for name in ["a", "b", "c"] { try await storage.enqueue(data(name), priority: nil) }
            #expect(try await storage.queueSize() == 3)
            #expect(try await storage.enqueuedItems(limit: nil).map(text) == ["a", "b", "c"])
            #expect(try await storage.enqueuedItems(limit: 2).map(text) == ["a", "b"])
            #expect(try await storage.enqueuedItems(limit: 0).map(text) == ["a", "b", "c"])
            #expect(try await storage.dequeue().map(text) == "a")
            #expect(try await storage.dequeue().map(text) == "b")
            #expect(try await storage.queueSize() == 1)
            try await storage.flushQueue()
            #expect(try await storage.queueSize() == 0)
        }
    }

    @Test(
        "higher priorities come first, equal ones in order; a storage without them refuses",
        arguments: StorageKind.allCases
    )
    func priority(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            try await storage.enqueue(data("none"), priority: nil)
            try await storage.enqueue(data("zero"), priority: 0)
            guard storage.supportsPriority else {
                let error = await #expect(throws: HueyError.self) { try await storage.enqueue(data("x"), priority: 1) }
                #expect(error?.code == .priorityNotSupported)
                let batch = await #expect(throws: HueyError.self) {
                    try await storage.commit([.enqueue(data("x"), priority: -1)])
                }
                #expect(batch?.code == .priorityNotSupported)
                #expect(try await storage.queueSize() == 2)
                return
            }
            try await storage.enqueue(data("low"), priority: -1)
            try await storage.commit([
                .enqueue(data("high"), priority: 9), .enqueue(data("half"), priority: 0.5),
                .enqueue(data("high2"), priority: 9), .enqueue(data("high3"), priority: 9),
            ])
            let order = ["high", "high2", "high3", "half", "none", "zero", "low"]
            #expect(try await storage.enqueuedItems(limit: nil).map(text) == order)
            #expect(try await storage.dequeue(upTo: 10, wait: .zero).map { text($0.data) } == order)
        }
    }

    @Test("a batch takes as many as asked for, in order", arguments: StorageKind.allCases)
    func batch(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            let names = (0..<10).map { "m\($0)" }
            try await storage.commit(names.map { .enqueue(data($0), priority: nil) })
            #expect(try await storage.dequeue(upTo: 0, wait: .zero).isEmpty)
            #expect(try await storage.dequeue(upTo: 1, wait: .zero).map { text($0.data) } == ["m0"])
            #expect(try await storage.dequeue(upTo: 2, wait: .zero).map { text($0.data) } == ["m1", "m2"])
            #expect(try await storage.dequeue(upTo: 100, wait: .zero).map { text($0.data) } == Array(names[3...]))
            #expect(try await storage.dequeue(upTo: 100, wait: .milliseconds(1)).isEmpty)
        }
    }

    @Test("what is given back comes out again, first and in order", arguments: StorageKind.allCases)
    func giveBack(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            try await storage.commit(["a", "b", "c", "d"].map { .enqueue(data($0), priority: nil) })
            let taken = try await storage.dequeue(upTo: 3, wait: .zero)
            try await storage.enqueue(data("e"), priority: nil)
            try await storage.giveBack(Array(taken.dropFirst()))
            try await storage.giveBack([])
            #expect(try await storage.enqueuedItems(limit: nil).map(text) == ["b", "c", "d", "e"])
            #expect(try await storage.dequeue(upTo: 9, wait: .zero).map { text($0.data) } == ["b", "c", "d", "e"])
        }
    }

    @Test("what is given back to a queue that was empty meanwhile comes first, too", arguments: StorageKind.allCases)
    func giveBackToEmpty(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            try await storage.commit(["a", "b", "c"].map { .enqueue(data($0), priority: nil) })
            let taken = try await storage.dequeue(upTo: 3, wait: .zero)
            try await storage.enqueue(data("d"), priority: nil)
            try await storage.giveBack(Array(taken.dropFirst()))
            try await storage.enqueue(data("e"), priority: nil)
            #expect(try await storage.enqueuedItems(limit: nil).map(text) == ["b", "c", "d", "e"])
            #expect(try await storage.dequeue(upTo: 9, wait: .zero).map { text($0.data) } == ["b", "c", "d", "e"])
        }
    }

    @Test(
        "what is given back keeps its priority",
        arguments: [StorageKind.memory, .sqlite, .priorityRedis, .priorityRedisExpire]
    )
    func giveBackPriority(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            try await storage.enqueue(data("low"), priority: -2.5)
            try await storage.enqueue(data("mid"), priority: 1)
            let taken = try await storage.dequeue(upTo: 2, wait: .zero)
            try await storage.enqueue(data("high"), priority: 5)
            try await storage.enqueue(data("zero"), priority: nil)
            try await storage.giveBack(taken)
            #expect(try await storage.enqueuedItems(limit: nil).map(text) == ["high", "mid", "zero", "low"])
        }
    }

    @Test("a wait ends when a message arrives", arguments: StorageKind.allCases)
    func wakes(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            guard storage.isBlocking else { return }
            async let first = storage.dequeue(upTo: 5, wait: .seconds(1))
            async let done: Void = storage.enqueue(data("x"), priority: nil)
            try await done
            var found = try await first
            // The wait may have been over before the message came.
            if found.isEmpty { found = try await storage.dequeue(upTo: 5, wait: .seconds(1)) }
            #expect(found.map { text($0.data) } == ["x"])
        }
    }

    @Test("an interrupted wait is over at once and loses nothing", arguments: StorageKind.allCases)
    func interrupt(kind: StorageKind) async throws {
        try await kind.withStorage(change: { $0.readTimeout = .seconds(600) }) { storage in
            // Before the wait, and in the midst of it: whichever it is, the wait ends, or the test never does.
            await storage.interruptDequeue()
            #expect(try await storage.dequeue(upTo: 5, wait: .seconds(600)).isEmpty)
            async let waiting = storage.dequeue(upTo: 5, wait: .seconds(600))
            await Task.yield()
            await storage.interruptDequeue()
            #expect(try await waiting.isEmpty)
            try await storage.enqueue(data("x"), priority: nil)
            #expect(try await storage.dequeue(upTo: 5, wait: .seconds(600)).map { text($0.data) } == ["x"])
        }
    }

    @Test("any bytes go through", arguments: StorageKind.allCases)
    func bytes(kind: StorageKind) async throws {
        let payloads: [[UInt8]] = [
            [0], [0, 13, 10, 255, 128], Array("$5\r\nhello\r\n".utf8), Array(repeating: 7, count: 1 << 20),
            Array(0...255),
        ]
        try await kind.withStorage { storage in
            for payload in payloads { try await storage.enqueue(payload, priority: nil) }
            #expect(try await storage.dequeue(upTo: 10, wait: .zero).map(\.data) == payloads)
            for (index, payload) in payloads.enumerated() {
                try await storage.putData(payload, forKey: "k\(index)", isResult: true)
                #expect(try await storage.peekData("k\(index)") == payload)
            }
        }
    }

    @Test("concurrent consumers share the messages, each once", arguments: StorageKind.allCases)
    func concurrent(kind: StorageKind) async throws {
        let name = StorageKind.freshName()
        let storage = try kind.make(name: name)
        // Redis consumers on connections of their own.
        let others = kind == .memory ? [storage, storage] : [try kind.make(name: name), try kind.make(name: name)]
        let names = (0..<200).map { "m\($0)" }
        try await storage.commit(names.map { .enqueue(data($0), priority: nil) })
        let taken = try await withThrowingTaskGroup(of: [String].self) { group in
            for consumer in others {
                group.addTask {
                    var taken: [String] = []
                    while true {
                        let batch = try await consumer.dequeue(upTo: 7, wait: .milliseconds(1))
                        if batch.isEmpty { return taken }
                        taken += batch.map { text($0.data) }
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(taken.count == names.count)
        #expect(Set(taken) == Set(names))
        for storage in others + [storage] { await storage.close() }
    }

    @Test(
        "instances of different names do not see each other",
        arguments: StorageKind.allCases.filter { $0 != .memory }
    )
    func names(kind: StorageKind) async throws {
        try await kind.withStorage { storage in
            let other = try kind.make()
            try await storage.enqueue(data("x"), priority: nil)
            try await storage.putData(data("v"), forKey: "k", isResult: true)
            _ = try await storage.increment("n", by: 1)
            #expect(try await other.queueSize() == 0)
            #expect(try await other.peekData("k") == nil)
            #expect(try await other.increment("n", by: 0) == 0)
            try await other.flushAll()
            #expect(try await storage.queueSize() == 1)
            #expect(try await storage.resultStoreSize() == 1)
            #expect(try await storage.increment("n", by: 0) == 1)
            await other.close()
        }
    }
}
