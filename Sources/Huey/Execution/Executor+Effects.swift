import Logging
import Pickle

/// One run of a task, as its effects see it.
struct TaskRun: Sendable {
    private let start: ReadyTask
    var context: TaskContext?
    var outcome: TaskOutcome?
    /// The value as it is stored.
    private(set) var encoded: [UInt8] = []

    var delivery: Delivery { start.delivery }
    var message: Message { start.message }
    var task: RegisteredTask { start.task }

    init(_ start: ReadyTask) { self.start = start }

    mutating func encodeValue(with serializer: any Serializer, limit: Int) throws {
        guard case .value(let value) = outcome else { return }
        encoded = try Self.encoded(value, of: start, with: serializer, limit: limit)
    }

    static func encoded(
        _ value: RegisteredTask.Value,
        of start: ReadyTask,
        with serializer: any Serializer,
        limit: Int
    ) throws -> [UInt8] {
        let data = try serializer.serialize(value)
        if start.hasRevocationKeyAsID, (try? Revocation(pickle: serializer.deserialize(data))) != nil {
            throw HueyError(.malformedMessage, "the task's id is the key of a revocation, and its value would be one")
        }
        guard data.count <= limit else {
            throw HueyError.tooLarge("the value of task \(start.message.id.bounded())", data.count, limit)
        }
        return data
    }

    var isNone: Bool {
        guard case .value(let value) = outcome else { return false }
        return Self.isNone(value, of: task)
    }

    static func isNone(_ value: RegisteredTask.Value, of task: RegisteredTask) -> Bool {
        task.mayReturnNone && isNone(value)
    }

    static func isNone<Value>(_ value: Value) -> Bool {
        // Asking for a type is much cheaper than asking for a protocol.
        if Value.self == PickleValue.self, let value = value as? PickleValue { return value.isPythonNone }
        return (value as? any NoneRepresentable)?.isPythonNone ?? false
    }

    /// Whether a value of this type may stand for None.
    static func mayBeNone(_ type: any PickleEncodable.Type) -> Bool { type is any NoneRepresentable.Type }
}

/// A type that may stand for Python's None.
private protocol NoneRepresentable {
    var isPythonNone: Bool { get }
}

extension Optional: NoneRepresentable {
    fileprivate var isPythonNone: Bool {
        guard let value = self else { return true }
        return (value as? any NoneRepresentable)?.isPythonNone ?? false
    }
}

extension PickleValue: NoneRepresentable {
    fileprivate var isPythonNone: Bool {
        switch self {
        case .none: true
        case .view(let view): view.isNone
        default: false
        }
    }
}

extension PickleView: NoneRepresentable {
    fileprivate var isPythonNone: Bool { isNone }
}

/// What a run has brought about and is not submitted yet.
struct PendingEffects: Sendable {
    /// What may be written before the message is accounted for: done again, it would be the same.
    var effects: [StorageEffect] = []
    /// What goes with the write that accounts for the message, because it must not be done again.
    var last: [StorageEffect] = []
    /// What the message leaves behind beside the effects of its task.
    var remains: [StorageEffect] = []
    /// Whether the message is accounted for already.
    var isSettled = false

    var all: [StorageEffect] { last.isEmpty && remains.isEmpty ? effects : effects + last + remains }
}

extension Executor {
    /// Brings effects about, in order. Storage effects are gathered; they are written out before anybody is told anything.
    ///
    /// - Parameters:
    ///   - isFinal: whether the message is done with then.
    ///   - keepingFailure: whether a task that failed for good is kept as a dead letter.
    /// - Throws: ``HueyError`` for a follow-up that cannot be written; what comes before it has happened then, as in huey.
    func perform(
        _ effects: [TaskEffect],
        _ run: TaskRun,
        isFinal: Bool = true,
        keepingFailure: Bool = false
    ) async throws {
        var pending = PendingEffects()
        pending.remains = remains(of: run, effects, isFinal, keepingFailure)
        do {
            for effect in effects { try await perform(effect, run, after: &pending) }
        } catch let error as HueyError {
            try await submit(pending.effects + pending.last, run, isFinal: false)
            throw error
        } catch {
            // The task may run again, and with it what must not be done twice.
            try await submit(pending.effects, run, isFinal: false)
            throw error
        }
        let all = pending.all
        try await submit(all, run, isFinal: isFinal && !pending.isSettled)
        if let priority = all.compactMap(\.enqueuedPriority).max() { await huey.makeWay(for: priority) }
    }

    /// A dead letter where failures are kept, a unique job's key free.
    private func remains(
        of run: TaskRun,
        _ effects: [TaskEffect],
        _ isFinal: Bool,
        _ keepsFailure: Bool
    ) -> [StorageEffect] {
        guard !effects.contains(where: \.putsTaskBack) else { return [] }
        let letter = keepsFailure ? letter(of: run) : nil
        let release = isFinal ? run.message.uniqueRelease : nil
        return (letter.map { [.bury($0)] } ?? []) + (release.map { [$0] } ?? [])
    }

    private func submit(_ effects: [StorageEffect], _ run: TaskRun, isFinal: Bool) async throws {
        guard isFinal || !effects.isEmpty else { return }
        try await sink.submit(Settlement(of: run.delivery, effects, isFinal: isFinal))
    }

    private func letter(of run: TaskRun) -> DeadLetter? {
        guard let error = run.outcome?.failure else { return nil }
        let explanation = error as? any DeadLetterExplaining
        return DeadLetter(
            data: run.delivery.data,
            reason: explanation?.deadLetterReason ?? .failed,
            detail: explanation?.deadLetterDetail ?? "\(type(of: error))",
            time: huey.time.microseconds()
        )
    }

    private func perform(_ effect: TaskEffect, _ run: TaskRun, after pending: inout PendingEffects) async throws {
        switch effect {
        case .forgetRevocation:
            pending.effects.append(.delete(key: run.message.revocationKey))
        case .storeValue:
            pending.effects.append(.put(run.encoded, key: run.message.id, isResult: true))
        case .storeError(let result, let ids):
            // One piece of memory for the whole pipeline.
            let data = try huey.serializer.serialize(result)
            for id in ids { pending.effects.append(.put(data, key: id, isResult: true)) }
        case .runPostExecute:
            try await runPostExecute(run, after: &pending)
        case .emit(let signal):
            try await emit(signal, run.message, run.error(for: signal), run, after: &pending)
        case .enqueueNext(var next):
            try next.arguments.extend(with: try huey.serializer.deserialize(run.encoded))
            try await enqueue(next, run, after: &pending)
        case .enqueueErrorHandler(var handler, let exception):
            try handler.arguments.append(exception)
            try await enqueue(handler, run, after: &pending)
        case .requeue(let message):
            logger.info("Requeueing \(message.id.bounded()), \(message.retries ?? 0) retries")
            try await enqueue(message, run, after: &pending)
        case .reschedule(let message):
            follow(try huey.scheduleEffect(message), &pending)
            logger.info("Added task \(message.id.bounded()) to schedule, eta \(message.eta?.description ?? "None")")
            try await emit(.scheduled, message, nil, run, after: &pending)
        case .fail(let error):
            throw error
        case .reportValue(let chord):
            try await report(run.encoded, to: chord, run, after: &pending)
        case .reportError(let chord, let result):
            try await report(try huey.serializer.serialize(result), to: chord, run, after: &pending)
        case .reportSkipped(let chord):
            try await report(try huey.serializer.serialize(Skipped()), to: chord, run, after: &pending)
        }
    }

    /// Keeps what must not be done twice for the write that accounts for the message, where its task would run again otherwise.
    private func follow(_ effect: StorageEffect, _ pending: inout PendingEffects) {
        if sink.acknowledges { pending.last.append(effect) } else { pending.effects.append(effect) }
    }

    /// Writes out what has been gathered, and may be written by now.
    private func flush(_ pending: inout PendingEffects, _ run: TaskRun) async throws {
        try await submit(pending.effects, run, isFinal: false)
        pending.effects.removeAll(keepingCapacity: true)
        try await sink.flush()
    }

    private func emit(
        _ signal: Signal,
        _ message: Message,
        _ error: (any Error)?,
        _ run: TaskRun,
        after pending: inout PendingEffects
    ) async throws {
        guard huey.listens(to: signal) else { return }
        try await flush(&pending, run)
        await huey.emit(signal, message, error: error)
    }

    private func enqueue(_ message: Message, _ run: TaskRun, after pending: inout PendingEffects) async throws {
        // A task that goes back keeps the context of whoever enqueued it.
        let prepared = try huey.prepare(message.id == run.message.id ? message : huey.followUp(message))
        try await emit(.enqueued, prepared, nil, run, after: &pending)
        follow(try huey.enqueueEffect(prepared), &pending)
    }

    private func runPostExecute(_ run: TaskRun, after pending: inout PendingEffects) async throws {
        let hooks = huey.hooks.withState { $0.postExecute }
        guard !hooks.isEmpty, let context = run.context, let outcome = run.outcome else { return }
        try await flush(&pending, run)
        for (name, hook) in hooks {
            do {
                try await hook(context, outcome)
            } catch {
                logger.error("Unhandled exception calling post-execute hook \(name): \(error)")
            }
        }
    }

    /// Reports a member's part; the last member enqueues the callback with all parts. Mirrors `_check_chord`.
    private func report(
        _ value: [UInt8],
        to chord: ChordMembership,
        _ run: TaskRun,
        after pending: inout PendingEffects
    ) async throws {
        try await flush(&pending, run)
        let report = ChordReport(
            key: chord.key(of: chord.index),
            counterKey: "chord:\(chord.id)",
            size: chord.size,
            value: value,
            others: sink.acknowledges ? pending.last + pending.remains : []
        )
        guard case .last = try await count(report, run) else {
            pending.isSettled = true
            if sink.acknowledges { (pending.last, pending.remains) = ([], []) }
            return
        }
        // Only now the size is more than a claim: so many members were counted.
        guard (1...ChordMembership.mostMembers).contains(chord.size) else {
            throw HueyError.malformedMessage("a chord that has not 1 to \(ChordMembership.mostMembers) members")
        }
        let parts = try await parts(of: chord, value, report, run)
        // Where the count and the callback are one write, the last part is still to be stored, if only for who waits for it.
        if sink.acknowledges { follow(.put(value, key: report.key, isResult: true), &pending) }
        follow(.deleteCounter(key: report.counterKey), &pending)
        for index in 0..<chord.size { follow(.delete(key: chord.key(of: index)), &pending) }
        var callback = chord.callback.message
        try callback.arguments.append(parts)
        try await enqueue(callback, run, after: &pending)
    }

    /// What the members of a chord reported, in their order. Taken in pieces: together they have to fit into the callback's message.
    private func parts(
        of chord: ChordMembership,
        _ value: [UInt8],
        _ report: ChordReport,
        _ run: TaskRun
    ) async throws -> [PickleView?] {
        var parts: [PickleView?] = []
        var size = 0
        while parts.count < chord.size {
            let keys = (parts.count..<min(parts.count + 256, chord.size)).map { chord.key(of: $0) }
            let stored = try await patiently(run.message.id) { try await huey.storage.peekMany(keys) }
            for (key, stored) in zip(keys, stored) {
                let data = key == report.key ? value : stored
                size += data?.count ?? 0
                guard size <= huey.options.maximumMessageSize else {
                    throw HueyError.tooLarge("a chord's results", size, huey.options.maximumMessageSize)
                }
                parts.append(try data.map(huey.serializer.deserialize))
            }
            guard stored.count == keys.count else { throw HueyError.malformedMessage("a chord whose results are gone") }
        }
        return parts
    }

    /// A count that may have happened is repeated only where that counts nothing twice.
    private func count(_ report: ChordReport, _ run: TaskRun) async throws -> ChordProgress {
        guard sink.acknowledges else { return try await sink.count(report, of: run.delivery) }
        return try await patiently(run.message.id) { try await sink.count(report, of: run.delivery) }
    }
}

extension ChordMembership {
    /// So many results are read for one callback.
    fileprivate static let mostMembers = 1 << 18

    /// The key of what a member reports.
    fileprivate func key(of index: Int) -> String { "chord:\(id):\(index)" }
}

extension TaskRun {
    fileprivate func error(for signal: Signal) -> (any Error)? {
        signal == .error ? outcome?.failure : nil
    }
}

extension StorageEffect {
    /// The priority of a message that is enqueued.
    fileprivate var enqueuedPriority: Double? {
        guard case .enqueue(_, let priority) = self else { return nil }
        return priority ?? 0
    }
}

extension TaskEffect {
    /// Whether the task itself waits again.
    fileprivate var putsTaskBack: Bool {
        switch self {
        case .requeue, .reschedule: true
        default: false
        }
    }
}
