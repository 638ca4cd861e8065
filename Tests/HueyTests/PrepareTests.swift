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
        let prepared = try #require(worker.huey.prepareUnread(deliveries))
        await worker.huey.look(at: prepared)
        for message in prepared.messages { try await worker.executor.run(message) }
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
        let guess = try #require(Message.likelyID(in: pickle))
        #expect(String(decoding: pickle[guess], as: UTF8.self) == "other")
        if isRevoked { try await worker.huey.revoke(id: id) }
        let prepared = try #require(worker.huey.prepareUnread([Delivery(data: pickle)]))
        await worker.huey.look(at: prepared)
        for message in prepared.messages { try await worker.executor.run(message) }
        #expect(runs.count == (isRevoked ? 1 : 2))
    }

    @Test("whoever is to run a message waits for the look that is under way")
    func waits() async throws {
        let (worker, runs) = try await Self.rig()
        let deliveries = try await Self.deliveries(worker, ["one", "two"])
        let prepared = try #require(worker.huey.prepareUnread(deliveries))
        let executor = worker.executor
        try await withThrowingTaskGroup(of: Void.self) { group in
            for message in prepared.messages { group.addTask { _ = try await executor.run(message) } }
            for _ in 0..<50 { await Task.yield() }
            #expect(runs.count == 1)
            await worker.huey.look(at: prepared)
            try await group.waitForAll()
        }
        #expect(runs.count == 3)
    }

    @Test("nothing is guessed of what is no message, or before anything has run")
    func nothing() async throws {
        #expect(Worker().huey.prepareUnread([]) == nil)
        let (worker, _) = try await Self.rig()
        let whole = try await Self.deliveries(worker, ["x"])[0].data
        for data in [[], Array("garbage".utf8), Array(whole.prefix(40)), Array("cMessage".utf8)] {
            #expect(Message.likelyID(in: data) == nil)
            #expect(worker.huey.prepareUnread([Delivery(data: data)]) == nil)
        }
        // Any end of a message, and any byte changed, is looked at without harm.
        for end in whole.indices { _ = Message.likelyID(in: Array(whole[..<end])) }
        for place in whole.indices {
            for value in [0, 0x58, 0x8C, 0xFF] as [UInt8] {
                var data = whole
                data[place] = value
                _ = Message.likelyID(in: data)
            }
        }
    }
}
