import Huey
import Logging
import Synchronization

/// Writes what tasks have brought about in batches, each of all that lies in the workers' outboxes by then: while one write is under way
/// the next gathers.
///
/// A write that fails because the storage cannot be reached is tried again until it succeeds or the consumer must stop.
final class Committer: Sendable {
    private struct State {
        var outboxes: [Outbox] = []
        /// How many effects the committer knows of; a settlement without any counts as one.
        var weight = 0
        /// Since when the first of them waits.
        var oldest = ContinuousClock.now
        /// Whether what there is shall be written without waiting for more.
        var isDue = false
        /// How many writes have begun, and how many are over.
        var begun = 0
        var ended = 0
        /// Who waits for the end of which write.
        var waiters: [(write: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var writer: CheckedContinuation<Bool, Never>?
        var isClosed = false
        /// Whether nothing is written any more.
        var isOver = false

        var isEmpty: Bool { outboxes.allSatisfy(\.isEmpty) }

        /// The writer, if it waits: it finds the work due otherwise.
        mutating func callWriter() -> CheckedContinuation<Bool, Never>? {
            isDue = true
            defer { writer = nil }
            return writer
        }

        mutating func takeWaiters(upTo write: Int) -> [CheckedContinuation<Void, Never>] {
            defer { waiters.removeAll { $0.write <= write } }
            return waiters.filter { $0.write <= write }.map(\.continuation)
        }
    }

    private enum Bound {
        /// Who submits more than this waits for the storage: memory stays bounded when it is slow.
        static let pending = 4096
        /// So many effects are worth a write.
        static let batch = 512
        /// So long what is known waits for more.
        static let age = Duration.milliseconds(1)
        /// After so many refused effects, and none written, the others are not tried.
        static let tries = 16
    }

    private let state = Mutex(State())
    private let number = Mutex(0)
    private let order = Atomic(0)
    let channel: any DeliveryChannel
    /// Microseconds since the epoch.
    private let now: @Sendable () -> Int
    private let logger: Logger

    /// - Parameter now: microseconds since the epoch.
    init(channel: any DeliveryChannel, now: @escaping @Sendable () -> Int, logger: Logger) {
        self.channel = channel
        self.now = now
        self.logger = logger
    }

    var acknowledges: Bool { channel.acknowledges }

    /// An outbox for one worker.
    func outbox() -> Outbox {
        let outbox = Outbox(self)
        state.withLock { $0.outboxes.append(outbox) }
        return outbox
    }

    /// Where the next settlement stands among all.
    func nextOrder() -> Int { order.add(1, ordering: .relaxed).oldValue }

    /// So many more effects lie in an outbox; whether there are so many by now that whoever brings them had better ``flush()``.
    func note(_ weight: Int, at now: ContinuousClock.Instant) -> Bool {
        let (writer, isFull) = state.withLock { state in
            if state.weight == 0 { state.oldest = now }
            state.weight += weight
            let isDue = state.weight >= Bound.batch || state.oldest.duration(to: now) >= Bound.age
            return (isDue ? state.callWriter() : nil, state.weight > Bound.pending)
        }
        writer?.resume(returning: true)
        return isFull
    }

    /// Lets what there is be written now: no worker is about to bring more, or somebody waits for it.
    func writeSoon() {
        let writer = state.withLock { state in state.isEmpty ? nil : state.callWriter() }
        writer?.resume(returning: true)
    }

    /// Returns once everything that is in an outbox now is in the storage.
    func flush() async throws {
        await withCheckedContinuation { continuation in
            let (isDone, writer) = state.withLock { state -> (Bool, CheckedContinuation<Bool, Never>?) in
                let isEmpty = state.isEmpty
                if state.isOver || isEmpty && state.begun == state.ended { return (true, nil) }
                state.waiters.append((isEmpty ? state.begun : state.begun + 1, continuation))
                return (false, isEmpty ? nil : state.callWriter())
            }
            if isDone { continuation.resume() }
            writer?.resume(returning: true)
        }
    }

    /// Writes until ``close()``, then what is left.
    func run(retryDelay: Duration) async {
        while await hasWork() {
            let (outboxes, write) = state.withLock { state in
                state.begun += 1
                (state.weight, state.isDue) = (0, false)
                return (state.outboxes, state.begun)
            }
            let batch = outboxes.flatMap { $0.take() }.sorted { $0.order < $1.order }.map(\.settlement)
            if !batch.isEmpty { await self.write(batch, retryDelay: retryDelay) }
            let waiters = state.withLock { state in
                state.ended = write
                return state.takeWaiters(upTo: write)
            }
            for waiter in waiters { waiter.resume() }
        }
        let waiters = state.withLock { state in
            (state.isOver, state.outboxes) = (true, [])
            return state.takeWaiters(upTo: .max)
        }
        for waiter in waiters { waiter.resume() }
    }

    private func hasWork() async -> Bool {
        await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> Bool? in
                if state.isDue { return true }
                if state.isClosed { return !state.isEmpty }
                state.writer = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    private func nextNumber() -> Int {
        number.withLock { number in
            number += 1
            return number
        }
    }

    private func write(_ batch: [Settlement], retryDelay: Duration) async {
        var number = nextNumber()
        var mayHaveHappened = false
        var isFirst = true
        while true {
            do {
                try await channel.commit(batch, number: number)
                if !isFirst { logger.info("Results are stored again.") }
                return
            } catch let error as HueyError {
                // One effect cannot be written, and nothing was: the others must not go with it.
                for part in Self.parts(of: batch, error, at: now()) { await write([part], retryDelay: retryDelay) }
                return
            } catch {
                let failure = error as? any StorageFailure
                guard failure?.isWorthWaiting == true else {
                    logger.error("Error storing results", metadata: ["reason": "\(error)"])
                    let batch =
                        mayHaveHappened && !channel.acknowledges ? batch.map { $0.afterLostAnswer(at: now()) } : batch
                    for part in refused(batch, error) { await write([part], retryDelay: retryDelay) }
                    return
                }
                if failure?.isTransient == false, !mayHaveHappened, !channel.acknowledges,
                    await writeSingly(batch, error, retryDelay)
                {
                    return
                }
                mayHaveHappened = mayHaveHappened || failure?.mayHaveHappened == true
                // A channel that acknowledges knows a number again; elsewhere it says that enqueued messages may be there.
                if !mayHaveHappened, !channel.acknowledges { number = nextNumber() }
                if isFirst { logger.error("Error storing results; trying again", metadata: ["reason": "\(error)"]) }
                isFirst = false
                guard (try? await Task.sleep(for: retryDelay)) != nil else {
                    let count = batch.reduce(0) { $0 + $1.effects.count }
                    logger.error("Gave up storing the effects of finished tasks", metadata: ["count": "\(count)"])
                    return
                }
            }
        }
    }

    /// Writes the effects one by one where the storage does not let us write one of them. Those that it refuses by themselves become dead
    /// letters. False, and nothing is written, where it refuses all: then it may be us that it refuses.
    private func writeSingly(_ batch: [Settlement], _ error: any Error, _ retryDelay: Duration) async -> Bool {
        let single = batch.flatMap(\.single).flatMap(\.divided)
        guard single.count > 1 else { return false }
        var kept: [Settlement] = []
        var isAnyWritten = false
        for part in single {
            guard isAnyWritten || kept.count < Bound.tries else { return false }
            do {
                try await channel.commit([part], number: nextNumber())
                isAnyWritten = true
            } catch let failure as any StorageFailure where failure.isRefusal {
                kept.append(part)
            } catch {
                isAnyWritten = true
                await write([part], retryDelay: retryDelay)
            }
        }
        guard isAnyWritten else { return false }
        logger.error("Some results are refused; the others are stored", metadata: ["reason": "\(error)"])
        for part in kept {
            for letter in Self.remains(of: part, error, at: now()) { await write([letter], retryDelay: retryDelay) }
        }
        return true
    }

    /// What to write instead of settlements that the storage refuses for good: each by itself, and a dead letter for the one that is left,
    /// whose message would be held for ever. Where nothing is acknowledged some of it may have been written, and is not written again.
    private func refused(_ batch: [Settlement], _ error: any Error) -> [Settlement] {
        guard let failure = error as? any StorageFailure else { return [] }
        let single = batch.flatMap(\.single)
        guard channel.acknowledges else {
            guard !failure.mayHaveHappened else { return [] }
            let divided = single.flatMap(\.divided)
            guard divided.count == 1, let settlement = divided.first else { return divided }
            return Self.remains(of: settlement, error, at: now())
        }
        guard single.count == 1, let settlement = single.first else { return single }
        guard settlement.isFinal, let delivery = settlement.delivery else { return [] }
        if settlement.effects.count == 1, case .bury = settlement.effects[0] { return [] }
        let letter = DeadLetter(data: delivery.data, reason: .unwritable, detail: "\(error)", time: now())
        return [Settlement(of: delivery, [.bury(letter)], isFinal: true)]
    }

    /// What is kept of one effect that the storage refuses: the message that would have been enqueued, or the one whose value it is.
    private static func remains(of settlement: Settlement, _ error: any Error, at time: Int) -> [Settlement] {
        let data: [UInt8]?
        switch settlement.effects.first {
        case .enqueue(let message, _): data = message
        case .schedule(let message, _): data = message
        // It is kept, or it waits.
        case .bury: return (error as? any StorageFailure)?.isRefusal == true ? [settlement] : []
        case .put: data = settlement.delivery?.data
        default: data = nil
        }
        guard let data else { return [] }
        let letter = DeadLetter(data: data, reason: .unwritable, detail: "\(error)", time: time)
        return [Settlement(of: settlement.delivery, [.bury(letter)], isFinal: settlement.isFinal)]
    }

    /// What to write instead of settlements of which some effect cannot be written: each by itself, then each effect by itself, and
    /// for the one that is left a dead letter.
    private static func parts(of batch: [Settlement], _ error: HueyError, at time: Int) -> [Settlement] {
        let single = batch.flatMap(\.single)
        guard single.count == 1, let settlement = single.first else { return single }
        guard settlement.effects.count > 1 else {
            guard let delivery = settlement.delivery, let effect = settlement.effects.first else { return [] }
            if case .bury = effect { return [] }
            let letter = DeadLetter(data: delivery.data, reason: .unwritable, detail: "\(error)", time: time)
            return [Settlement(of: delivery, [.bury(letter)], isFinal: settlement.isFinal)]
        }
        return settlement.divided
    }

    /// Lets ``run(retryDelay:)`` end once everything is written.
    func close() {
        let writer = state.withLock { state in
            state.isClosed = true
            defer { state.writer = nil }
            return state.writer
        }
        writer?.resume(returning: true)
    }
}

extension Settlement {
    /// Each effect by itself; the last one accounts for the message.
    fileprivate var divided: [Settlement] {
        guard effects.count > 1 else { return [self] }
        return effects.enumerated().map { index, effect in
            Settlement(of: delivery, [effect], isFinal: isFinal && index == effects.count - 1)
        }
    }

    fileprivate func afterLostAnswer(at time: Int) -> Settlement {
        Settlement(of: delivery, effects.map { $0.afterLostAnswer(at: time) }, isFinal: isFinal)
    }
}
