import Huey
import TestSupport
import Testing

@Suite("What consumers keep between the storage and their tasks")
struct StorageBufferTests {
    private final class Buffer: StorageBuffer {
        let calls = Recorder<String>()

        func returnMessages() async { calls.append("messages") }
        func flushEffects() async throws { calls.append("effects") }
        func makeWay(for priority: Double) async throws { calls.append("\(priority)") }
    }

    @Test("every consumer of an instance is asked before anybody looks at the storage, until it ends")
    func several() async throws {
        let huey = Huey("h", storage: MemoryStorage())
        let (one, other) = (Buffer(), Buffer())
        huey.attach(one)
        huey.attach(other)
        _ = try await huey.result(id: "a", of: Int.self).peek()
        _ = try await huey.pendingCount()
        #expect(one.calls.all == ["effects", "messages", "effects"])
        #expect(other.calls.all == one.calls.all)
        huey.detach(one)
        let high = huey.task("tasks.high", settings: TaskSettings(priority: 5)) {}
        try await high()
        #expect(one.calls.count == 3)
        #expect(other.calls.all.dropFirst(3) == ["effects", "5.0"])
        huey.detach(other)
        _ = try await huey.pendingCount()
        #expect(other.calls.count == 5)
    }
}
