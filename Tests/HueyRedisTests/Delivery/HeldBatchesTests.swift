import Redis
import Testing

@testable import HueyRedis

@Suite("Messages held in batches")
struct HeldBatchesTests {
    private func batches(_ sizes: Int...) -> HeldBatches {
        var (batches, first) = (HeldBatches(), 1)
        for (slot, size) in sizes.enumerated() {
            batches.add(slot: slot, first..<first + size)
            first += size
        }
        return batches
    }

    private typealias Acknowledgement = HeldBatches.Acknowledgement

    @Test("indexes count from the end")
    func positions() {
        let batches = batches(3, 2)
        #expect(batches.position(of: 1)?.index == -3)
        #expect(batches.position(of: 3)?.index == -1)
        #expect(batches.position(of: 4)?.slot == 1)
        #expect(batches.position(of: 4)?.index == -2)
        #expect(batches.position(of: 6) == nil)
        #expect(batches.position(of: 0) == nil)
    }

    @Test("the oldest are removed, those behind one that is not done are noted")
    func outOfOrder() {
        var batches = batches(5)
        #expect(
            batches.acknowledgements(of: [1, 3]).batches == [
                Acknowledgement(slot: 0, rest: 4, done: [-3], isShorter: true)
            ]
        )
        batches.finish([1, 3])
        #expect(
            batches.acknowledgements(of: [5]).batches == [
                Acknowledgement(slot: 0, rest: 4, done: [-1], isShorter: false)
            ]
        )
        batches.finish([5])
        #expect(
            batches.acknowledgements(of: [2]).batches == [
                Acknowledgement(slot: 0, rest: 2, done: [], isShorter: true)
            ]
        )
        batches.finish([2])
        #expect(batches.freeSlot == 1)
        let last = batches.acknowledgements(of: [4])
        #expect(last.batches == [Acknowledgement(slot: 0, rest: 0, done: [], isShorter: true)])
        batches.finish([4])
        #expect(batches.freeSlot == 0)
        #expect(batches.position(of: 4) == nil)
    }

    @Test("messages of several batches, and of none")
    func several() {
        let (acknowledgements, others) = batches(2, 2).acknowledgements(of: [9, 2, 3, 4, 8])
        #expect(others == [9, 8])
        #expect(
            acknowledgements == [
                Acknowledgement(slot: 0, rest: 2, done: [-1], isShorter: false),
                Acknowledgement(slot: 1, rest: 0, done: [], isShorter: true),
            ]
        )
    }

    @Test("a batch that is done with leaves its slot")
    func slots() {
        var batches = HeldBatches()
        for slot in 0..<HeldBatches.slots {
            #expect(batches.freeSlot == slot)
            batches.add(slot: slot, slot * 2..<slot * 2 + 2)
        }
        #expect(batches.freeSlot == nil)
        batches.add(slot: 0, 99..<99)
        batches.finish([10, 11])
        #expect(batches.freeSlot == 5)
    }
}
