import Huey
import TestSupport
import Testing

@testable import HueyConsumer

@Suite("The committer")
struct CommitterTests {
    private struct Rig {
        let storage = FlakyStorage()
        let log = CollectingLog.make()
        let committer: Committer
        let outbox: Outbox

        init() {
            let channel = AtMostOnceChannel(storage: storage, now: { 42 })
            committer = Committer(channel: channel, now: { 42 }, logger: log.logger)
            outbox = committer.outbox()
        }

        func run() -> Task<Void, Never> { Task { [committer] in await committer.run(retryDelay: .milliseconds(1)) } }

        func end(_ task: Task<Void, Never>) async {
            committer.close()
            await task.value
        }
    }

    private static func put(_ key: String) -> StorageEffect { .put([1], key: key, isResult: true) }

    @Test("what is submitted is in the storage once it is flushed")
    func flush() async throws {
        let rig = Rig()
        let task = rig.run()
        try await rig.committer.flush()
        try await rig.outbox.submit(Settlement(of: nil, [Self.put("a"), Self.put("b")], isFinal: true))
        try await rig.committer.flush()
        #expect(try await rig.storage.resultItems().keys.sorted() == ["a", "b"])
        await rig.end(task)
    }

    @Test("what is submitted while a write is under way goes with the next one, together")
    func batches() async throws {
        let rig = Rig()
        rig.storage.holdCommits()
        let task = rig.run()
        try await rig.outbox.submit(Settlement(of: nil, [Self.put("a")], isFinal: true))
        rig.committer.writeSoon()
        await rig.storage.commits.wait(for: 1)
        for key in ["b", "c", "d"] {
            try await rig.outbox.submit(Settlement(of: nil, [Self.put(key)], isFinal: true))
        }
        rig.storage.releaseCommits()
        try await rig.committer.flush()
        #expect(rig.storage.commits.all.map(\.count) == [1, 3])
        await rig.end(task)
    }

    @Test("what is finished waits for more, until somebody says that none will come at once")
    func settling() async throws {
        let rig = Rig()
        let task = rig.run()
        for key in ["a", "b"] { try await rig.outbox.submit(Settlement(of: nil, [Self.put(key)], isFinal: true)) }
        rig.committer.writeSoon()
        await rig.storage.commits.wait(for: 1)
        #expect(rig.storage.commits.all.map(\.count) == [2])
        await rig.end(task)
    }

    @Test("what several workers submit is written in the order in which they did")
    func order() async throws {
        let rig = Rig()
        let outboxes = [rig.outbox, rig.committer.outbox(), rig.committer.outbox()]
        for number in UInt8(0)..<30 {
            try await outboxes[Int(number) * 7 % 3].submit(
                Settlement(of: nil, [.enqueue([number], priority: nil)], isFinal: true)
            )
        }
        await rig.end(rig.run())
        #expect(try await rig.storage.enqueuedItems(limit: nil) == (UInt8(0)..<30).map { [$0] })
    }

    @Test("what is complete lies in the outbox until somebody comes for it, and is told of by the share")
    func completions() async throws {
        let rig = Rig()
        let task = rig.run()
        let block = MessageBlock(Huey("h", storage: MemoryStorage()), [Delivery(data: [7])], isLookedAt: false)
        func complete(_ range: Range<Int>) {
            for number in range {
                var id = "task-\(number)"
                let isFull = id.withUTF8 { id in
                    [UInt8(1)].withUnsafeBufferPointer {
                        rig.outbox.complete(id, $0, of: (block, 0), at: .now)
                    }
                }
                #expect(!isFull)
            }
        }
        complete(0..<3)
        #expect(!rig.outbox.isEmpty)
        try await rig.committer.flush()
        #expect(try await rig.storage.resultStoreSize() == 3)
        // So many are worth a write, though nobody asks for one.
        complete(3..<1003)
        await rig.storage.commits.wait(for: 2)
        try await rig.committer.flush()
        #expect(try await rig.storage.resultStoreSize() == 1003)
        await rig.end(task)
    }

    @Test("closing writes what is left")
    func close() async throws {
        let rig = Rig()
        try await rig.outbox.submit(Settlement(of: nil, [Self.put("a")], isFinal: true))
        await rig.end(rig.run())
        #expect(try await rig.storage.resultStoreSize() == 1)
    }

    @Test("a storage that cannot be reached is tried again until it can")
    func transient() async throws {
        let rig = Rig()
        rig.storage.failCommits(FlakyStorage.Failure(), FlakyStorage.Failure(), FlakyStorage.Failure())
        let task = rig.run()
        try await rig.outbox.submit(
            Settlement(of: nil, [Self.put("a"), .enqueue([1], priority: nil)], isFinal: true)
        )
        try await rig.committer.flush()
        #expect(rig.storage.commits.count == 4)
        #expect(try await rig.storage.resultStoreSize() == 1)
        #expect(try await rig.storage.queueSize() == 1)
        // Said once, not at each try.
        #expect(rig.log.lines.all == ["error Error storing results; trying again", "info Results are stored again."])
        await rig.end(task)
    }

    @Test("a message whose enqueueing nobody knows of is put aside, not enqueued again; the rest is written")
    func lostAnswer() async throws {
        let rig = Rig()
        rig.storage.failCommits(FlakyStorage.Failure(mayHaveHappened: true))
        let task = rig.run()
        try await rig.outbox.submit(
            Settlement(of: nil, [Self.put("a"), .enqueue([7, 8], priority: nil), .delete(key: "b")], isFinal: true)
        )
        try await rig.committer.flush()
        #expect(try await rig.storage.queueSize() == 0)
        #expect(try await rig.storage.resultStoreSize() == 1)
        let letter = try #require(rig.storage.memory.deadLetters.first)
        #expect(letter.data == [7, 8])
        #expect(letter.reason == .unconfirmed)
        #expect(letter.time == 42)
        await rig.end(task)
    }

    @Test("an error that will not pass ends the try, and the next effects are written")
    func permanent() async throws {
        let rig = Rig()
        rig.storage.failCommits(FlakyStorage.Failure(isTransient: false))
        let task = rig.run()
        try await rig.outbox.submit(Settlement(of: nil, [Self.put("a")], isFinal: true))
        try await rig.committer.flush()
        try await rig.outbox.submit(Settlement(of: nil, [Self.put("b")], isFinal: true))
        try await rig.committer.flush()
        #expect(try await rig.storage.resultItems().keys.sorted() == ["b"])
        #expect(rig.log.lines.all.first == "error Error storing results")
        await rig.end(task)
    }

    @Test("who submits without end waits for a storage that does not come after")
    func bounded() async throws {
        let rig = Rig()
        rig.storage.holdCommits()
        let task = rig.run()
        try await rig.outbox.submit(Settlement(of: nil, [Self.put("first")], isFinal: true))
        rig.committer.writeSoon()
        await rig.storage.commits.wait(for: 1)
        let progress = Recorder<Int>()
        let producer = Task {
            for index in 0..<5000 {
                try await rig.outbox.submit(Settlement(of: nil, [Self.put("\(index)")], isFinal: true))
                progress.append(index)
            }
        }
        await progress.wait(for: 4000)
        // Time may pass here; it must not get through.
        for _ in 0..<1000 { await Task.yield() }
        #expect(progress.count < 4200)
        rig.storage.releaseCommits()
        try await producer.value
        try await rig.committer.flush()
        #expect(try await rig.storage.resultStoreSize() == 5001)
        await rig.end(task)
    }

    @Test("a cancelled committer gives up, says so, and lets nobody wait")
    func cancelled() async throws {
        let rig = Rig()
        rig.storage.failCommits(FlakyStorage.Failure())
        let committer = rig.committer
        let task = Task { await committer.run(retryDelay: .seconds(3600)) }
        try await rig.outbox.submit(Settlement(of: nil, [Self.put("a")], isFinal: true))
        committer.writeSoon()
        await rig.log.lines.wait(for: 1)
        task.cancel()
        try await committer.flush()
        #expect(rig.log.lines.all.last == "error Gave up storing the effects of finished tasks")
        await rig.end(task)
    }

    @Test("what is refused for good goes alone, as a dead letter, where its message would be held for ever")
    func refused() async throws {
        let channel = RefusingChannel()
        let committer = Committer(channel: channel, now: { 42 }, logger: CollectingLog.make().logger)
        let outbox = committer.outbox()
        for key in ["a", RefusingChannel.refused, "c"] {
            try await outbox.submit(Settlement(of: Delivery(data: Array(key.utf8)), [Self.put(key)], isFinal: true))
        }
        committer.close()
        await committer.run(retryDelay: .milliseconds(1))
        #expect(channel.written.all == ["a", "letter for bad: unwritable", "c"])
    }
}

/// A channel that acknowledges, and refuses one key.
private final class RefusingChannel: DeliveryChannel {
    static let refused = "bad"

    let written = Recorder<String>()

    var acknowledges: Bool { true }
    var isBlocking: Bool { true }

    func open() async throws {}
    func run() async {}
    func close() async {}
    func dequeue(upTo count: Int, wait: Duration) async throws -> [Delivery] { [] }
    func interruptDequeue() async {}
    func giveBack(_ deliveries: [Delivery]) async throws {}
    func noteStart(of delivery: Delivery) async throws {}
    func count(_ report: ChordReport, of delivery: Delivery) async throws -> ChordProgress { .counted }

    func commit(_ settlements: [Settlement], number: Int) async throws {
        var lines: [String] = []
        for effect in settlements.flatMap(\.effects) {
            switch effect {
            case .put(_, let key, _) where key == Self.refused: throw FlakyStorage.Failure(isTransient: false)
            case .put(_, let key, _): lines.append(key)
            case .bury(let letter):
                let text = String(decoding: letter.data, as: UTF8.self)
                lines.append("letter for \(text): \(letter.reason.rawValue)")
            default: break
            }
        }
        for line in lines { written.append(line) }
    }
}
