import Redis

/// Which messages a session holds in batches, and which of those are done with.
///
/// A batch is what one transaction took from the queue: a key of its own on the server, for which there is a fixed number of slots. Its messages are
/// named by their indexes from its end, which stay the same when the oldest are removed.
struct HeldBatches: Sendable {
    /// How many batches a session holds at most; what it fetches beyond them is held one by one.
    static let slots = 16

    /// What acknowledges messages of one batch.
    struct Acknowledgement: Sendable, Equatable {
        let slot: Int
        /// How many of its messages, the newest ones, stay; those before are all done with.
        let rest: Int
        /// Which of those that stay are done with, too.
        let done: [Int]
        /// Whether anything is removed.
        let isShorter: Bool

        /// Adds the commands. Each says what is to be in the end, so that they may be repeated.
        func write(to commands: inout RedisBatch, _ keys: RedisKeys, _ session: String, _ queue: any RedisQueue) {
            let (batch, set) = (keys.batch(session, slot), keys.done(session, slot))
            guard rest > 0 else { return commands.append("DEL", .init(batch), .init(set)) }
            if isShorter { queue.shorten(batch, to: rest, &commands) }
            if !done.isEmpty { commands.append("SADD", [.init(set)] + done.map { .init($0) }) }
        }
    }

    private struct Batch: Sendable {
        let slot: Int
        let numbers: Range<Int>
        /// By place from the oldest on.
        var isDone: [Bool]
        /// How many are done with before the first one that is not.
        var front = 0

        /// Notes those as done with that are of this batch.
        mutating func finish(_ numbers: some Sequence<Int>) {
            for number in numbers where self.numbers.contains(number) {
                isDone[number - self.numbers.lowerBound] = true
            }
            while front < isDone.count, isDone[front] { front += 1 }
        }
    }

    private var batches: [Batch] = []

    /// A slot that no message lies in; nil when there is none.
    var freeSlot: Int? { (0..<Self.slots).first { slot in !batches.contains { $0.slot == slot } } }

    /// Notes a batch of messages that were fetched with these numbers.
    mutating func add(slot: Int, _ numbers: Range<Int>) {
        guard !numbers.isEmpty else { return }
        batches.append(Batch(slot: slot, numbers: numbers, isDone: Array(repeating: false, count: numbers.count)))
    }

    /// Where a message lies; nil when that is not in a batch.
    func position(of number: Int) -> (slot: Int, index: Int)? {
        batches.first { $0.numbers.contains(number) }.map { ($0.slot, number - $0.numbers.upperBound) }
    }

    /// What acknowledges messages, and the numbers of those that are in no batch. Changes nothing yet: see ``finish(_:)``.
    func acknowledgements(of numbers: [Int]) -> (batches: [Acknowledgement], others: [Int]) {
        var others = numbers
        var acknowledgements: [Acknowledgement] = []
        for batch in batches {
            let own = others.filter(batch.numbers.contains)
            guard !own.isEmpty else { continue }
            if own.count == others.count { others = [] } else { others.removeAll(where: batch.numbers.contains) }
            var after = batch
            after.finish(own)
            let kept = batch.numbers.lowerBound + after.front
            acknowledgements.append(
                Acknowledgement(
                    slot: batch.slot,
                    rest: batch.numbers.upperBound - kept,
                    done: own.filter { $0 >= kept }.map { $0 - batch.numbers.upperBound },
                    isShorter: after.front > batch.front
                )
            )
            if others.isEmpty { break }
        }
        return (acknowledgements, others)
    }

    /// Notes messages as done with on the server.
    mutating func finish(_ numbers: [Int]) {
        for index in batches.indices { batches[index].finish(numbers) }
        batches.removeAll { $0.front == $0.isDone.count }
    }
}
