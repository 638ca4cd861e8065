import Pickle
import TestSupport
import Testing

@testable import Huey

@Suite("A batch before it runs")
struct PrepareTests {
    /// Messages of a task that is registered, as they come from the queue.
    private static func deliveries(_ worker: Worker, _ ids: [String]) async throws -> [Delivery] {
        for id in ids {
            try await worker.huey.enqueue(Message(id: id, name: "tasks.add", arguments: TaskArguments([1, 2])))
        }
        var deliveries: [Delivery] = []
        while let data = try await worker.storage.dequeue() { deliveries.append(Delivery(data: data)) }
        return deliveries
    }

    /// A worker whose task says how often it ran, and has run before.
    private static func rig() async throws -> (Worker, Recorder<Int>) {
        let worker = Worker()
        let runs = Recorder<Int>()
        worker.huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in
            runs.append(a + b)
            return a + b
        }
        for delivery in try await deliveries(worker, ["first"]) { try await worker.executor.run(delivery) }
        return (worker, runs)
    }

    @Test("ids lie one behind the other, and are told apart")
    func ids() {
        let texts = ["a", "", "käse/ü", "0123456789abcdef", "0123456789abcdefg", String(repeating: "x", count: 300)]
        let ids = TaskIDs(texts)
        #expect(ids.count == texts.count)
        #expect(ids.strings == texts)
        #expect(ids.suffix(from: 2).strings == Array(texts[2...]))
        for (index, text) in texts.enumerated() {
            for other in texts + ["b", "0123456789abcdeF", "0123456789abcdefG"] {
                var id = other
                #expect(id.withUTF8 { ids.holds($0, at: index) } == (other == text))
            }
        }
    }

    @Test("messages are looked up before they are decoded, and revoked ones do not run")
    func unread() async throws {
        let (worker, runs) = try await Self.rig()
        let deliveries = try await Self.deliveries(worker, (0..<40).map { "task-\($0)" })
        try await worker.huey.revoke(id: "task-7")
        let block = MessageBlock(worker.huey, deliveries)
        #expect(deliveries.indices.allSatisfy { block.isSynchronous($0) == true })
        await block.lookAtRevocations()
        while let place = block.claim() { try await worker.executor.run(block, place) }
        #expect(runs.count == 1 + 39)
    }

    @Test("a wrong guess costs a look of its own, and nothing else", arguments: [false, true])
    func wrongGuess(isRevoked: Bool) async throws {
        let (worker, runs) = try await Self.rig()
        // A memo entry before the id holds what looks like one.
        let id = "the real one"
        var pickle: [UInt8] = [0x80, 4, 0x8C, 13] + Array("huey.registry".utf8) + [0x8C, 7] + Array("Message".utf8)
        pickle += [0x93, 0x8C, 5] + Array("other".utf8) + [0x30, 0x28, 0x8C, UInt8(id.utf8.count)] + Array(id.utf8)
        pickle += [0x8C, 9] + Array("tasks.add".utf8) + [0x4E, 0x4B, 0, 0x4B, 0, 0x4E, 0x4B, 1, 0x4B, 2, 0x86, 0x7D]
        pickle += [0x4E, 0x4E, 0x74, 0x81, 0x2E]
        #expect(try worker.huey.deserialize(pickle).id == id)
        let guess = try #require(Self.likelyPlaces(in: pickle))
        #expect(String(decoding: pickle[guess.id], as: UTF8.self) == "other")
        #expect(String(decoding: pickle[guess.name], as: UTF8.self) == id)
        if isRevoked { try await worker.huey.revoke(id: id) }
        let block = MessageBlock(worker.huey, [Delivery(data: pickle)])
        await block.lookAtRevocations()
        while let place = block.claim() { try await worker.executor.run(block, place) }
        #expect(runs.count == (isRevoked ? 1 : 2))
    }

    @Test("whoever is to run a message waits for the look that is under way")
    func waits() async throws {
        let (worker, runs) = try await Self.rig()
        let deliveries = try await Self.deliveries(worker, ["one", "two"])
        let block = MessageBlock(worker.huey, deliveries)
        let executor = worker.executor
        try await withThrowingTaskGroup(of: Void.self) { group in
            while let place = block.claim() { group.addTask { _ = try await executor.run(block, place) } }
            for _ in 0..<50 { await Task.yield() }
            #expect(runs.count == 1)
            await block.lookAtRevocations()
            try await group.waitForAll()
        }
        #expect(runs.count == 3)
    }

    private static func likelyPlaces(in data: [UInt8]) -> Message.LikelyPlaces? {
        var hint = 0
        return data.withUnsafeBytes { Message.likelyPlaces(in: $0, hint: &hint) }
    }

    @Test("nothing is guessed of what is no message, and no hint misleads")
    func nothing() async throws {
        let (worker, _) = try await Self.rig()
        let whole = try await Self.deliveries(worker, ["x"])[0].data
        for data in [[], Array("garbage".utf8), Array(whole.prefix(40)), Array("cMessage".utf8)] {
            #expect(Self.likelyPlaces(in: data) == nil)
            #expect(MessageBlock(worker.huey, [Delivery(data: data)]).isSynchronous(0) == nil)
        }
        // Any end of a message, and any byte changed, is looked at without harm.
        for end in whole.indices { _ = Self.likelyPlaces(in: Array(whole[..<end])) }
        for place in whole.indices {
            for value in [0, 0x58, 0x8C, 0xFF] as [UInt8] {
                var data = whole
                data[place] = value
                _ = Self.likelyPlaces(in: data)
                var hint = place
                let places = whole.withUnsafeBytes { Message.likelyPlaces(in: $0, hint: &hint) }
                #expect(places.map { String(decoding: whole[$0.id], as: UTF8.self) } == "x")
            }
        }
    }

    @Test("what nobody has claimed is taken back once, and claimed by nobody then")
    func claims() async throws {
        let (worker, _) = try await Self.rig()
        let deliveries = try await Self.deliveries(worker, (0..<5).map(String.init))
        let block = MessageBlock(worker.huey, deliveries)
        #expect([block.claim(), block.claim()] == [0, 1])
        #expect(block.remaining == 3)
        #expect(block.reclaim().map(\.data) == deliveries[2...].map(\.data))
        #expect(block.claim() == nil)
        #expect(block.reclaim().isEmpty)
        #expect(block.remaining == 0)
    }

    @Test("one looks again at a time, and the others wait for what it finds")
    func again() async throws {
        let look = RevocationLook(TaskIDs((0..<100).map(String.init)), ["t"], isBegun: false)
        let asked = Recorder<Int>()
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            for place in 0..<100 {
                group.addTask {
                    try await look.values(place, 0, generation: { 1 }) { ids, names in
                        asked.append(ids.count + names.count)
                        for await _ in gate { break }
                        return [99 - (100 - ids.count): [7]]
                    }.own
                }
            }
            await asked.wait(for: 1)
            for _ in 0..<1000 { await Task.yield() }
            #expect(asked.count == 1)
            open.finish()
            var found = 0
            for try await value in group where value == [7] { found += 1 }
            #expect(found == 1)
        }
        // Those before the first place that was asked for asked again, one after the other.
        #expect(asked.count < 100)
    }
}
