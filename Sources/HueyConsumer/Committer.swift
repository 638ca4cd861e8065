import Huey
import Logging
import Synchronization

/// Gathers the settlements of messages and writes them in batches: while one write is under way the next gathers.
///
/// A write that fails because the storage cannot be reached is tried again until it succeeds or the consumer must stop.
final class Committer: GatheringSink {
    private struct State {
        var pending: [Settlement] = []
        /// Tasks that came to their ends since then: the last settlement to be.
        var completions = Completions()
        /// How many effects are pending; a settlement without any counts as one.
        var weight = 0
        /// Since when the first of them waits.
        var oldest = ContinuousClock.now
        /// Whether what is pending shall be written without waiting for more.
        var isDue = false
        /// How much was submitted, how much of it the writer has taken, and how much is in the storage.
        var submitted = 0
        var taken = 0
        var committed = 0
        var waiters: [(upTo: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var writer: CheckedContinuation<Bool, Never>?
        var isClosed = false

        var isEmpty: Bool { pending.isEmpty && completions.count == 0 }

        mutating func seal() {
            guard completions.count > 0 else { return }
            pending.append(Settlement(of: nil, [.complete(completions)], isFinal: true))
            completions = Completions(likely: completions)
        }

        /// Counts something that was added; whoever is to write it now.
        mutating func added(_ weight: Int, at now: ContinuousClock.Instant) -> CheckedContinuation<Bool, Never>? {
            if submitted == taken { oldest = now }
            submitted += 1
            self.weight += weight
            return self.weight >= Bound.batch || oldest.duration(to: now) >= Bound.age ? callWriter() : nil
        }

        /// The writer, if it waits: it finds the work due otherwise.
        mutating func callWriter() -> CheckedContinuation<Bool, Never>? {
            isDue = true
            defer { writer = nil }
            return writer
        }
    }

    private enum Bound {
        /// Who submits more than this waits for the storage: memory stays bounded when it is slow.
        static let pending = 4096
        /// So many bytes count as one effect more.
        static let bytes = 4096
        /// So many effects are worth a write.
        static let batch = 512
        /// So long a finished task waits for others to be written with, while its worker goes on with the next.
        static let age = Duration.milliseconds(1)
        /// After so many refused effects, and none written, the others are not tried.
        static let tries = 16
    }

    private let state = Mutex(State())
    private let number = Mutex(0)
    private let channel: any DeliveryChannel
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

    func submit(_ settlement: Settlement) async throws {
        // There is nothing to acknowledge where messages are gone once they are handed out.
        guard channel.acknowledges || !settlement.effects.isEmpty else { return }
        let (writer, isFull) = state.withLock { state in
            state.seal()
            state.pending.append(settlement)
            return (state.added(max(1, settlement.effects.count), at: .now), state.weight > Bound.pending)
        }
        writer?.resume(returning: true)
        if isFull { try await flush() }
    }

    func complete(
        _ id: UnsafeBufferPointer<UInt8>,
        _ value: [UInt8]?,
        of delivery: Delivery,
        at now: ContinuousClock.Instant
    ) -> Bool {
        let (writer, isFull) = state.withLock { state in
            state.completions.append(id, value, of: delivery)
            // Its message is held until then.
            let weight = 1 + (delivery.data.count + (value?.count ?? 0)) / Bound.bytes
            return (state.added(weight, at: now), state.weight > Bound.pending)
        }
        writer?.resume(returning: true)
        return isFull
    }

    /// Lets what is pending be written now: no worker is about to bring more, or somebody waits for it.
    func writeSoon() {
        let writer = state.withLock { state in state.isEmpty ? nil : state.callWriter() }
        writer?.resume(returning: true)
    }

    func flush() async throws {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if state.committed >= state.submitted { return true }
                state.waiters.append((state.submitted, continuation))
                return false
            }
            if isDone {
                continuation.resume()
            } else {
                writeSoon()
            }
        }
    }

    func count(_ report: ChordReport, of delivery: Delivery) async throws -> ChordProgress {
        try await channel.count(report, of: delivery)
    }

    func noteStart(of delivery: Delivery) async throws { try await channel.noteStart(of: delivery) }

    /// Writes until ``close()``, then what is left.
    func run(retryDelay: Duration) async {
        while await hasWork() {
            let (batch, upTo) = state.withLock { state in
                state.seal()
                defer {
                    state.pending = []
                    state.weight = 0
                    state.isDue = false
                    state.taken = state.submitted
                }
                return (state.pending, state.submitted)
            }
            guard !batch.isEmpty else { continue }
            await write(batch, retryDelay: retryDelay)
            let waiters = state.withLock { state in
                state.committed = upTo
                let reached = upTo
                let done = state.waiters.filter { $0.upTo <= reached }
                state.waiters.removeAll { $0.upTo <= reached }
                return done
            }
            for waiter in waiters { waiter.continuation.resume() }
        }
    }

    private func hasWork() async -> Bool {
        await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> Bool? in
                if !state.isEmpty, state.isDue || state.isClosed { return true }
                if state.isClosed { return false }
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
