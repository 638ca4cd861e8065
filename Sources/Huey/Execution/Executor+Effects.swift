import Logging
import Pickle

/// One run of a task, as its effects see it.
struct TaskRun: Sendable {
    var message: Message
    var task: RegisteredTask
    var context: TaskContext?
    var outcome: TaskOutcome?
    /// The value as it is stored.
    private(set) var encoded: [UInt8] = []

    init(message: Message, task: RegisteredTask, context: TaskContext? = nil, outcome: TaskOutcome? = nil) {
        self.message = message
        self.task = task
        self.context = context
        self.outcome = outcome
    }

    mutating func encodeValue(with serializer: any Serializer) throws {
        guard case .value(let value) = outcome else { return }
        encoded = try serializer.serialize(value)
    }

    var isNone: Bool {
        guard case .value(let value) = outcome else { return false }
        return (value as? any NoneRepresentable)?.isPythonNone ?? false
    }
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

extension Executor {
    /// Brings effects about, in order. Storage effects are gathered; they are written out before anybody is told anything.
    ///
    /// - Throws: ``HueyError`` for a follow-up that cannot be written; what comes before it has happened then, as in huey.
    func perform(_ effects: [TaskEffect], _ run: TaskRun) async throws {
        var pending: [StorageEffect] = []
        do {
            for effect in effects { try await perform(effect, run, after: &pending) }
        } catch {
            if !pending.isEmpty { try await sink.submit(pending) }
            throw error
        }
        if !pending.isEmpty { try await sink.submit(pending) }
    }

    private func perform(_ effect: TaskEffect, _ run: TaskRun, after pending: inout [StorageEffect]) async throws {
        switch effect {
        case .forgetRevocation:
            pending.append(.delete(key: run.message.revocationKey))
        case .storeValue:
            pending.append(.put(run.encoded, key: run.message.id, isResult: true))
        case .storeError(let result, let id):
            pending.append(.put(try huey.serializer.serialize(result), key: id, isResult: true))
        case .runPostExecute:
            try await runPostExecute(run, after: &pending)
        case .emit(let signal):
            try await emit(signal, run.message, run.error(for: signal), after: &pending)
        case .enqueueNext(var next):
            next.arguments.extend(with: try huey.serializer.deserialize(run.encoded))
            try await enqueue(next, after: &pending)
        case .enqueueErrorHandler(var handler, let exception):
            handler.arguments.append(exception)
            try await enqueue(handler, after: &pending)
        case .requeue(let message):
            logger.info("Requeueing \(message.id), \(message.retries ?? 0) retries")
            try await enqueue(message, after: &pending)
        case .reschedule(let message):
            pending.append(try huey.scheduleEffect(message))
            logger.info("Added task \(message.id) to schedule, eta \(message.eta?.description ?? "None")")
            try await emit(.scheduled, message, nil, after: &pending)
        case .reportValue(let chord):
            try await settle(&pending)
            try await report(run.encoded, to: chord)
        case .reportError(let chord, let result):
            try await settle(&pending)
            try await report(try huey.serializer.serialize(result), to: chord)
        case .reportSkipped(let chord):
            try await settle(&pending)
            try await report(try huey.serializer.serialize(Skipped()), to: chord)
        }
    }

    /// Writes out what has been gathered.
    private func settle(_ pending: inout [StorageEffect]) async throws {
        if !pending.isEmpty { try await sink.submit(pending) }
        pending.removeAll(keepingCapacity: true)
        try await sink.flush()
    }

    private func emit(
        _ signal: Signal,
        _ message: Message,
        _ error: (any Error)?,
        after pending: inout [StorageEffect]
    ) async throws {
        guard huey.listens(to: signal) else { return }
        try await settle(&pending)
        await huey.emit(signal, message, error: error)
    }

    private func enqueue(_ message: Message, after pending: inout [StorageEffect]) async throws {
        let prepared = try huey.prepare(message)
        try await emit(.enqueued, prepared, nil, after: &pending)
        pending.append(try huey.enqueueEffect(prepared))
    }

    private func runPostExecute(_ run: TaskRun, after pending: inout [StorageEffect]) async throws {
        let hooks = huey.hooks.withState { $0.postExecute }
        guard !hooks.isEmpty, let context = run.context, let outcome = run.outcome else { return }
        try await settle(&pending)
        for (name, hook) in hooks {
            do {
                try await hook(context, outcome)
            } catch {
                logger.error("Unhandled exception calling post-execute hook \(name): \(error)")
            }
        }
    }

    /// Stores a member's part; the last member enqueues the callback with all parts. Mirrors `_check_chord`.
    private func report(_ value: [UInt8], to chord: ChordMembership) async throws {
        let storage = huey.storage
        try await storage.putData(value, forKey: "chord:\(chord.id):\(chord.index)", isResult: true)
        guard try await storage.increment("chord:\(chord.id)", by: 1) == chord.size else { return }
        try await storage.deleteCounter("chord:\(chord.id)")
        var parts: [PickleView?] = []
        for index in 0..<max(0, chord.size) {
            let key = "chord:\(chord.id):\(index)"
            parts.append(try await storage.peekData(key).map(huey.serializer.deserialize))
            _ = try await storage.deleteData(key)
        }
        var callback = chord.callback.message
        callback.arguments.append(parts)
        var pending: [StorageEffect] = []
        try await enqueue(callback, after: &pending)
        try await sink.submit(pending)
    }
}

extension TaskRun {
    fileprivate func error(for signal: Signal) -> (any Error)? {
        guard signal == .error, case .failure(let error) = outcome else { return nil }
        return error
    }
}
