import TestSupport
import Testing

@testable import HueyConsumer

@Suite("Messages on their way")
struct FlightTests {
    @Test("whoever recalls them waits until they are back, and nothing more sets out")
    func recall() async {
        let flight = Flight()
        let seen = flight.recalls
        #expect(flight.begin(since: seen))
        let recalled = Recorder<Void>()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    await flight.recall()
                    recalled.append(())
                }
            }
            while flight.recalls < seen + 2 { await Task.yield() }
            #expect(recalled.all.isEmpty)
            flight.end()
            await group.waitForAll()
        }
        #expect(recalled.count == 2)
        #expect(!flight.begin(since: seen))
        #expect(flight.begin(since: flight.recalls))
        flight.end()
    }

    @Test("where there are none nobody waits")
    func quiet() async {
        let flight = Flight()
        await flight.recall()
        #expect(flight.recalls == 1)
        #expect(flight.begin(since: 1))
        flight.end()
        await flight.recall()
    }
}
