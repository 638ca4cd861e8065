import Pickle
import Synchronization
import TestSupport
import Testing

@testable import Huey

/// What came back because its consumer died is charged before it is decoded.
@Suite("Messages that come back")
struct ReadmissionTests {
    /// Notes what is done, in order.
    private final class Notes: EffectSink, Serializer {
        let lines = Recorder<String>()
        var acknowledges: Bool { true }
        func submit(_ settlement: Settlement) async throws {
            for case .bury(let letter) in settlement.effects { lines.append("buried \(letter.reason.rawValue)") }
        }
        func flush() async throws {}
        func count(_ report: ChordReport, of delivery: Delivery) async throws -> ChordProgress { .lost }
        func noteStart(of delivery: Delivery) async throws { lines.append("charged") }
        func serialize(_ value: some PickleEncodable) throws -> [UInt8] { try PickleSerializer().serialize(value) }
        func deserialize(_ bytes: [UInt8]) throws -> PickleView {
            lines.append("decoded")
            return try PickleSerializer().deserialize(bytes)
        }
    }

    private func run(redeliveries: Int, deaths: Int) async throws -> [String] {
        let notes = Notes()
        let huey = Huey("h", storage: MemoryStorage(), serializer: notes)
        var delivery = Delivery(data: Array("garbage".utf8))
        delivery.redeliveries = redeliveries
        delivery.deaths = deaths
        let block = MessageBlock(huey, [delivery], isLookedAt: false)
        let executor = Executor(huey: huey, sink: notes, inFlight: InFlight(), logger: CollectingLog.make().logger)
        try await executor.run(block, 0)
        return notes.lines.all
    }

    @Test("a message that came back is charged before its first byte is looked at")
    func order() async throws {
        #expect(try await run(redeliveries: 1, deaths: 0) == ["charged", "decoded", "buried undecodable"])
    }

    @Test("with too many deaths it is put aside; unread where somebody died of reading it then, too")
    func limits() async throws {
        #expect(try await run(redeliveries: 4, deaths: 3) == ["charged", "decoded", "buried worker-died"])
        #expect(try await run(redeliveries: 5, deaths: 4) == ["buried worker-died"])
        #expect(try await run(redeliveries: .max, deaths: .max) == ["buried worker-died"])
    }

    @Test("a result under a revocation's key revokes nothing, and what would be a revocation is not stored there")
    func revocations() async throws {
        let worker = Worker()
        worker.huey.task("t") { 5 }
        worker.huey.task("pair") { PickleValue.tuple([.none, .bool(false)]) }
        try await worker.huey.enqueue(Message(id: "rt:t", name: "t"))
        try await worker.drain()
        #expect(try await worker.storage.peekData("rt:t") != nil)
        #expect(try await worker.huey.isRevoked(task: "t") == false)
        try await worker.huey.enqueue(Message(id: "x", name: "t"))
        try await worker.drain()
        #expect(try await worker.huey.result(id: "x", of: Int.self).peek() == 5)
        try await worker.huey.enqueue(Message(id: "rt:pair", name: "pair"))
        try await worker.drain()
        #expect(try await worker.huey.isRevoked(task: "pair") == false)
    }
}
