import Huey
import TestSupport
import Testing

@testable import HueyConsumer

@Suite("Between the queue and the workers")
struct WorkBufferTests {
    private static func deliveries(_ range: Range<UInt8>) -> [Delivery] { range.map { Delivery(data: [$0]) } }

    @Test("workers take what is there, in order")
    func order() async {
        let buffer = WorkBuffer<Delivery>()
        #expect(buffer.supply(Self.deliveries(0..<3)).isEmpty)
        #expect(buffer.backlog == 3)
        for index in 0..<3 { #expect(await buffer.next()?.data == [UInt8(index)]) }
        #expect(buffer.backlog == 0)
    }

    @Test("the fetcher hears how many workers are idle, and they get what comes")
    func demand() async {
        let buffer = WorkBuffer<Delivery>()
        async let wanted = buffer.demand()
        let worker = Task { await buffer.next() }
        #expect(await wanted == .workers(1))
        let other = Task { await buffer.next() }
        while await buffer.demand() != .workers(2) { await Task.yield() }
        #expect(buffer.supply(Self.deliveries(0..<2)).isEmpty)
        let taken = [await worker.value?.data, await other.value?.data]
        #expect(Set(taken) == [[0], [1]])
    }

    @Test("what no worker has started can be taken back, in order, and is handed to nobody")
    func reclaim() async {
        let buffer = WorkBuffer<Delivery>()
        _ = buffer.supply(Self.deliveries(0..<4))
        #expect(await buffer.next()?.data == [0])
        #expect(buffer.reclaim().map(\.data) == [[1], [2], [3]])
        #expect(buffer.reclaim().isEmpty)
        #expect(buffer.backlog == 0)
    }

    @Test("what is not wanted by the time it comes is handed to nobody")
    func unwanted() async {
        let buffer = WorkBuffer<Delivery>()
        #expect(buffer.supply(Self.deliveries(0..<2)) { _ in false }.map(\.data) == [[0], [1]])
        #expect(buffer.backlog == 0)
        #expect(buffer.supply(Self.deliveries(2..<3)) { $0.count == 1 }.isEmpty)
        #expect(await buffer.next()?.data == [2])
    }

    @Test("stopping gives back what was not started, and tells everybody")
    func stop() async {
        let buffer = WorkBuffer<Delivery>()
        let idle = Task { await buffer.next() }
        while await buffer.demand() != .workers(1) { await Task.yield() }
        buffer.stop()
        #expect(buffer.reclaim().isEmpty)
        #expect(await idle.value == nil)
        #expect(await buffer.next() == nil)
        #expect(await buffer.demand() == .stopped)
        #expect(buffer.supply(Self.deliveries(0..<2)).map(\.data) == [[0], [1]])
        await buffer.sleep(for: .seconds(3600))
        let other = WorkBuffer<Delivery>()
        _ = other.supply(Self.deliveries(0..<2))
        other.stop()
        #expect(other.take() == nil)
        #expect(await other.next() == nil)
        #expect(other.reclaim().map(\.data) == [[0], [1]])
    }

    @Test("a stop ends the fetcher's wait")
    func stopDemand() async {
        let buffer = WorkBuffer<Delivery>()
        async let wanted = buffer.demand()
        await Task.yield()
        buffer.stop()
        #expect(await wanted == .stopped)
    }

    @Test("the fetcher hears when few messages are left, though no worker is idle")
    func lowWater() async {
        let buffer = WorkBuffer<Delivery>()
        _ = buffer.supply(Self.deliveries(0..<3))
        async let wanted = buffer.demand(lowWater: 1)
        await Task.yield()
        #expect(buffer.take()?.isLast == false)
        #expect(buffer.take()?.isLast == false)
        #expect(await wanted == .low)
        #expect(await buffer.demand(lowWater: 1) == .low)
        #expect(buffer.take()?.isLast == true)
        #expect(buffer.take() == nil)
    }

    @Test("few workers are woken for many messages where that is asked for, but one at least")
    func fewWorkers() async {
        let buffer = WorkBuffer<Delivery>()
        let taken = Recorder<[UInt8]>()
        let workers = (0..<3).map { _ in
            Task { if let delivery = await buffer.next() { taken.append(delivery.data) } }
        }
        while await buffer.demand() != .workers(3) { await Task.yield() }
        #expect(buffer.supply(Self.deliveries(0..<4), leavingIdle: 3).isEmpty)
        await taken.wait(for: 1)
        #expect(buffer.backlog == 3)
        // Idle workers want nothing while messages wait for them.
        #expect(await buffer.demand(lowWater: 3) == .low)
        #expect(buffer.supply(Self.deliveries(4..<5), leavingIdle: 2).isEmpty)
        #expect(buffer.backlog == 4)
        #expect(taken.all == [[0]])
        #expect(buffer.reclaim().map(\.data) == [[1], [2], [3], [4]])
        buffer.stop()
        for worker in workers { await worker.value }
    }

    @Test("idle workers want messages again when those that waited for them are taken back")
    func reclaimFromIdle() async {
        let buffer = WorkBuffer<Delivery>()
        let workers = (0..<3).map { _ in Task { await buffer.next() } }
        while await buffer.demand() != .workers(3) { await Task.yield() }
        _ = buffer.supply(Self.deliveries(0..<4), leavingIdle: 3)
        async let wanted = buffer.demand()
        await Task.yield()
        #expect(buffer.reclaim().count == 3)
        #expect(await wanted == .workers(2))
        buffer.stop()
        for worker in workers { _ = await worker.value }
    }

    @Test("each message goes to one worker, however many there are")
    func concurrent() async {
        let buffer = WorkBuffer<Delivery>()
        let taken = await withTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var taken: [UInt8] = []
                    while let delivery = await buffer.next() { taken += delivery.data }
                    return taken
                }
            }
            group.addTask {
                var next = UInt8(0)
                while next < 200 {
                    guard case .workers(let idle) = await buffer.demand() else { continue }
                    let count = min(idle + 3, 200 - Int(next))
                    _ = buffer.supply(Self.deliveries(next..<next + UInt8(count)))
                    next += UInt8(count)
                }
                while buffer.backlog > 0 { await Task.yield() }
                buffer.stop()
                return buffer.reclaim().flatMap(\.data)
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(taken.sorted() == Array(0..<200))
    }
}

@Suite("A gate")
struct GateTests {
    @Test("lets everybody through once it is open")
    func open() async {
        let gate = Gate()
        let waiters = (0..<5).map { _ in Task { await gate.wait() } }
        gate.open()
        for waiter in waiters { await waiter.value }
        await gate.wait()
        #expect(await gate.wait(atMost: .seconds(3600)))
    }

    @Test("holds nobody whose task is cancelled")
    func cancelled() async {
        let gate = Gate()
        let waiter = Task { await gate.wait() }
        await Task.yield()
        waiter.cancel()
        await waiter.value
        #expect(await gate.wait(atMost: .milliseconds(1)) == false)
    }
}
