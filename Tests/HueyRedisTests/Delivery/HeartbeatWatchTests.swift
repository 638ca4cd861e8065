import Testing

@testable import HueyRedis

@Suite("Other consumers' heartbeats")
struct HeartbeatWatchTests {
    /// A watch with a lease of 30 s that looks each second.
    private struct Rig {
        var watch = HeartbeatWatch<ContinuousClock.Instant>(lease: .seconds(30), interval: .seconds(1))
        var ended: Set<String> = []
        private let start = ContinuousClock.now

        mutating func look(_ heartbeats: [String: String], at seconds: Double) -> [String] {
            let ended = ended
            return watch.look(at: heartbeats, now: start + .seconds(seconds)) { ended.contains($0) }.map(\.session)
                .sorted()
        }
    }

    @Test("a heartbeat that stands still for the lease is over, one that moves is not")
    func lease() {
        var rig = Rig()
        for second in 0..<30 {
            #expect(rig.look(["a": "1", "b": "\(second)"], at: Double(second)).isEmpty, "at \(second)")
        }
        #expect(rig.look(["a": "1", "b": "30"], at: 30) == ["a"])
    }

    @Test("a heartbeat that moved at the last moment begins its lease anew")
    func late() {
        var rig = Rig()
        for second in 0..<30 { _ = rig.look(["a": "1"], at: Double(second)) }
        #expect(rig.look(["a": "2"], at: 30).isEmpty)
        for second in 31..<60 { #expect(rig.look(["a": "2"], at: Double(second)).isEmpty) }
        #expect(rig.look(["a": "2"], at: 60) == ["a"])
    }

    @Test("who could not look gives everybody a whole lease")
    func outage() {
        var rig = Rig()
        for second in 0..<29 { _ = rig.look(["a": "1"], at: Double(second)) }
        rig.watch.lookFailed()
        #expect(rig.look(["a": "1"], at: 30).isEmpty)
        for second in 31..<60 { #expect(rig.look(["a": "1"], at: Double(second)).isEmpty) }
        #expect(rig.look(["a": "1"], at: 60) == ["a"])
    }

    @Test("who stood still itself gives everybody a whole lease")
    func stopped() {
        var rig = Rig()
        for second in 0..<5 { _ = rig.look(["a": "1"], at: Double(second)) }
        #expect(rig.look(["a": "1"], at: 100).isEmpty)
        for second in 101..<130 { #expect(rig.look(["a": "1"], at: Double(second)).isEmpty) }
        #expect(rig.look(["a": "1"], at: 130) == ["a"])
    }

    @Test("a process that is known to have ended is over at once")
    func ended() {
        var rig = Rig()
        rig.ended = ["7"]
        #expect(rig.look(["a": "7", "b": "8"], at: 0) == ["a"])
    }

    @Test("a life that returns after it was gone is new")
    func returned() {
        var rig = Rig()
        for second in 0..<20 { _ = rig.look(["a": "1"], at: Double(second)) }
        _ = rig.look([:], at: 20)
        for second in 21..<51 { #expect(rig.look(["a": "1"], at: Double(second)).isEmpty) }
        #expect(rig.look(["a": "1"], at: 51) == ["a"])
    }
}
