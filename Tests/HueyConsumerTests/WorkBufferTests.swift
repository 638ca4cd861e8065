import Huey
import TestSupport
import Testing

@testable import HueyConsumer

@Suite("Between the queue and the workers")
struct WorkBufferTests {
    private static let huey = Huey("h", storage: MemoryStorage())

    private static func block(_ range: Range<UInt8>) -> MessageBlock {
        MessageBlock(huey, range.map { Delivery(data: [$0]) })
    }

    /// The message that is claimed for a worker.
    private static func message(_ work: WorkBuffer.Work?) -> UInt8? {
        work.map { $0.block.deliveries[$0.place].data[0] }
    }

    @Test("workers claim what is there, in order")
    func order() async {
        let buffer = WorkBuffer()
        #expect(buffer.supply(Self.block(0..<3)))
        #expect(buffer.supply(Self.block(3..<4)))
        #expect(buffer.backlog == 4)
        for index in 0..<4 { #expect(Self.message(await buffer.next()) == UInt8(index)) }
        #expect(buffer.backlog == 0)
    }

    @Test("the fetcher hears how many workers are idle, and they get what comes")
    func demand() async {
        let buffer = WorkBuffer()
        async let wanted = buffer.demand()
        let worker = Task { Self.message(await buffer.next()) }
        #expect(await wanted == .workers(1))
        let other = Task { Self.message(await buffer.next()) }
        while await buffer.demand() != .workers(2) { await Task.yield() }
        #expect(buffer.supply(Self.block(0..<2)))
        let taken = [await worker.value, await other.value]
        #expect(Set(taken) == [0, 1])
    }

    @Test("what no worker has claimed can be taken back, in order, and is handed to nobody")
    func reclaim() async {
        let buffer = WorkBuffer()
        _ = buffer.supply(Self.block(0..<4))
        _ = buffer.supply(Self.block(4..<6))
        #expect(Self.message(await buffer.next()) == 0)
        #expect(buffer.reclaim().map(\.data) == [[1], [2], [3], [4], [5]])
        #expect(buffer.reclaim().isEmpty)
        #expect(buffer.backlog == 0)
        #expect(buffer.take() == nil)
    }

    @Test("what is not wanted by the time it comes is handed to nobody")
    func unwanted() async {
        let buffer = WorkBuffer()
        #expect(!buffer.supply(Self.block(0..<2)) { _ in false })
        #expect(buffer.backlog == 0)
        #expect(buffer.supply(Self.block(2..<3)) { $0.count == 1 })
        #expect(Self.message(await buffer.next()) == 2)
    }

    @Test("stopping gives back what was not started, and tells everybody")
    func stop() async {
        let buffer = WorkBuffer()
        let idle = Task { await buffer.next() == nil }
        while await buffer.demand() != .workers(1) { await Task.yield() }
        buffer.stop()
        #expect(buffer.reclaim().isEmpty)
        #expect(await idle.value)
        #expect(await buffer.next() == nil)
        #expect(await buffer.demand() == .stopped)
        #expect(!buffer.supply(Self.block(0..<2)))
        await buffer.sleep(for: .seconds(3600))
        let other = WorkBuffer()
        _ = other.supply(Self.block(0..<2))
        other.stop()
        #expect(other.take() == nil)
        #expect(await other.next() == nil)
        #expect(other.reclaim().map(\.data) == [[0], [1]])
        // Who works on a block finds nothing more in it, either.
        let busy = WorkBuffer()
        _ = busy.supply(Self.block(0..<3))
        let work = busy.take()
        busy.stop()
        #expect(work?.block.claim() == nil)
        #expect(busy.reclaim().map(\.data) == [[1], [2]])
    }

    @Test("a stop ends the fetcher's wait")
    func stopDemand() async {
        let buffer = WorkBuffer()
        async let wanted = buffer.demand()
        await Task.yield()
        buffer.stop()
        #expect(await wanted == .stopped)
    }

    @Test("the fetcher hears when few messages are left behind a worker's block, though no worker is idle")
    func lowWater() async {
        let buffer = WorkBuffer()
        _ = buffer.supply(Self.block(0..<3))
        _ = buffer.supply(Self.block(3..<5))
        async let wanted = buffer.demand(lowWater: 2)
        await Task.yield()
        let work = buffer.take()
        #expect(work?.isLast == false)
        #expect(await wanted == .low)
        while work?.block.claim() != nil {}
        #expect(await buffer.demand(lowWater: 2) == .low)
        #expect(buffer.take()?.isLast == true)
        _ = buffer.reclaim()
        #expect(buffer.take() == nil)
    }

    @Test("the fetcher hears of idle workers when the last messages are claimed by one that is busy")
    func starving() async {
        let buffer = WorkBuffer()
        let idle = Task { Self.message(await buffer.next()) }
        while await buffer.demand() != .workers(1) { await Task.yield() }
        // Woken for nothing but what stays behind.
        #expect(buffer.supply(Self.block(0..<1)))
        #expect(await idle.value == 0)
        let other = Task { Self.message(await buffer.next()) }
        while await buffer.demand() != .workers(1) { await Task.yield() }
        #expect(buffer.supply(Self.block(1..<4), leavingIdle: 1))
        #expect(await other.value == 1)
        let third = Task { Self.message(await buffer.next()) }
        #expect(await third.value == 2)
        buffer.stop()
    }

    @Test("few workers are woken for many messages where that is asked for, but one at least")
    func fewWorkers() async {
        let buffer = WorkBuffer()
        let taken = Recorder<UInt8>()
        let workers = (0..<3).map { _ in
            Task { if let message = Self.message(await buffer.next()) { taken.append(message) } }
        }
        while await buffer.demand() != .workers(3) { await Task.yield() }
        #expect(buffer.supply(Self.block(0..<4), leavingIdle: 3))
        await taken.wait(for: 1)
        #expect(buffer.backlog == 3)
        // Idle workers want nothing while messages wait for them.
        #expect(await buffer.demand(lowWater: 3) == .low)
        #expect(buffer.supply(Self.block(4..<5), leavingIdle: 2))
        #expect(buffer.backlog == 4)
        #expect(taken.all == [0])
        #expect(buffer.reclaim().map(\.data) == [[1], [2], [3], [4]])
        buffer.stop()
        for worker in workers { await worker.value }
    }

    @Test("idle workers want messages again when those that waited for them are taken back")
    func reclaimFromIdle() async {
        let buffer = WorkBuffer()
        let claimed = Recorder<UInt8>()
        let workers = (0..<3).map { _ in
            Task { if let message = Self.message(await buffer.next()) { claimed.append(message) } }
        }
        while await buffer.demand() != .workers(3) { await Task.yield() }
        _ = buffer.supply(Self.block(0..<4), leavingIdle: 3)
        await claimed.wait(for: 1)
        async let wanted = buffer.demand()
        await Task.yield()
        #expect(buffer.reclaim().count == 3)
        #expect(await wanted == .workers(2))
        buffer.stop()
        for worker in workers { await worker.value }
    }

    @Test("each message goes to one worker, however many there are")
    func concurrent() async {
        let buffer = WorkBuffer()
        let taken = await withTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var taken: [UInt8] = []
                    while let work = await buffer.next() {
                        var next: Int? = work.place
                        while let place = next {
                            taken += work.block.deliveries[place].data
                            next = work.block.claim()
                        }
                    }
                    return taken
                }
            }
            group.addTask {
                var next = UInt8(0)
                while next < 200 {
                    guard case .workers(let idle) = await buffer.demand() else { continue }
                    let count = min(idle + 3, 200 - Int(next))
                    _ = buffer.supply(Self.block(next..<next + UInt8(count)))
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
