import Pickle

/// Immediate mode: what would go on the queue runs at once, in whoever enqueues it. Mirrors `Huey.immediate`.
extension Huey {
    /// Where an instance keeps its things. Mirrors `create_storage`.
    static func storage(for options: HueyOptions, _ given: any Storage) -> any Storage {
        guard options.immediate, options.immediateUsesMemory, !(given is MemoryStorage) else { return given }
        return MemoryStorage()
    }

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
