import Pickle
import Synchronization

/// Whether an instance is immediate, and where it keeps its things then. Mirrors `create_storage`.
final class ImmediateSwitch: Sendable {
    private let given: any Storage
    private let usesMemory: Bool
    private let isImmediate = Atomic(false)
    private let memory = Mutex<(any Storage)?>(nil)

    init(_ given: any Storage, usesMemory: Bool) {
        self.given = given
        // A memory storage is what an immediate instance would have made.
        self.usesMemory = usesMemory && !(given is MemoryStorage)
    }

    var isOn: Bool { isImmediate.load(ordering: .acquiring) }

    var storage: any Storage {
        guard isOn, usesMemory else { return given }
        return memory.withLock { $0 } ?? given
    }

    func turn(_ isOn: Bool) {
        memory.withLock { memory in
            guard isImmediate.load(ordering: .relaxed) != isOn else { return }
            memory = isOn && usesMemory ? MemoryStorage() : nil
            isImmediate.store(isOn, ordering: .releasing)
        }
    }

    func close() async { await given.close() }
}

/// Immediate mode: what would go on the queue runs at once, in whoever enqueues it. Mirrors `Huey.immediate`.
extension Huey {
    /// Runs a task, and whatever it puts on the queue.
    ///
    /// - Throws: ``HueyError`` `.unknownTask` for a task that is not registered here, `.invalidConfiguration` where what follows cannot be
    ///   brought about; the storage's error. A failing task throws nothing: its result is the error.
    func runImmediately(_ prepared: Message) async throws {
        do {
            try await ImmediateSink(huey: self).run(try serialize(prepared))
        } catch let failure as ImmediateSink.Failure {
            throw failure.error
        }
    }
}

/// Brings effects about at once; a message for the queue runs, before whatever comes behind it, as huey's nested `enqueue` does.
private struct ImmediateSink: EffectSink {
    /// Not a ``HueyError``, which the executor would take for the task's own.
    struct Failure: Error {
        let error: HueyError

        /// In immediate mode nothing has to be put aside: whoever enqueued it is still there to be told.
        init(_ letter: DeadLetter) {
            let code: HueyError.Code =
                switch letter.reason {
                case .unknownTask: .unknownTask
                case .undecodable: .malformedMessage
                default: .invalidConfiguration
                }
            error = HueyError(code, letter.detail)
        }
    }

    let huey: Huey

    func run(_ data: [UInt8]) async throws {
        let executor = Executor(huey: huey, sink: self, inFlight: InFlight(), logger: huey.logger)
        try await executor.run(Delivery(data: data))
    }

    var acknowledges: Bool { false }

    func submit(_ settlement: Settlement) async throws {
        for effect in settlement.effects {
            switch effect {
            case .enqueue(let data, _): try await run(data)
            case .bury(let letter): throw Failure(letter)
            default: try await huey.storage.commit([effect])
            }
        }
    }

    func flush() async throws {}

    func count(_ report: ChordReport, of delivery: Delivery) async throws -> ChordProgress {
        try await DirectSink(storage: huey.storage).count(report, of: delivery)
    }

    func noteStart(of delivery: Delivery) async throws {}
}
