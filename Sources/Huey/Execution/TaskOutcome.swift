public import Pickle

/// What came of running a task.
public enum TaskOutcome: Sendable {
    /// The task returned.
    case value(any PickleEncodable & Sendable)
    /// The task threw.
    case failure(any Error)

    /// What the task threw.
    var failure: (any Error)? {
        guard case .failure(let error) = self else { return nil }
        return error
    }
}

/// One thing that follows from an outcome, in huey's order. Storage, signals and hooks are one sequence, because a
/// listener may look at the storage. What carries a message is indirect: the rest stays small.
enum TaskEffect: Sendable {
    /// Forget the task's own revocation, which came too late.
    case forgetRevocation
    /// Store the value as the task's result.
    case storeValue
    /// Store the error as the result of the tasks of these ids.
    indirect case storeError(ErrorResult, ids: [String])
    case runPostExecute
    case emit(Signal)
    /// Enqueue the next task of the pipeline with this one's value.
    indirect case enqueueNext(Message)
    /// Enqueue the error handler with this one's exception.
    indirect case enqueueErrorHandler(Message, PickleException)
    /// Put the task itself back into the queue.
    indirect case requeue(Message)
    /// Put the task itself into the schedule.
    indirect case reschedule(Message)
    /// The task cannot go back; what comes before has happened all the same.
    case fail(HueyError)
    /// Report the value to the task's chord.
    indirect case reportValue(ChordMembership)
    /// Report an error to the chord of whichever task of the pipeline has one.
    indirect case reportError(ChordMembership, ErrorResult)
    /// Report to the chord that the member did not run.
    indirect case reportSkipped(ChordMembership)
}

/// What the decision needs to know beside the outcome.
struct OutcomeContext: Sendable {
    var settings: TaskSettings
    var isPeriodic: Bool
    var options: HueyOptions
    var now: PickleDateTime
    /// Whether the value is worth storing: None is not, unless asked for.
    var isNone: Bool
}

/// What follows from a task's outcome: huey's `Huey._execute` after the call, as a table.
enum OutcomeTable {
    /// - Throws: ``HueyError`` `.dateOutOfRange` when a retry that was asked for lies beyond time.
    static func effects(
        of outcome: TaskOutcome,
        for message: Message,
        in context: OutcomeContext
    ) throws -> [TaskEffect] {
        switch outcome {
        case .value:
            return success(message, context)
        case .failure(let error):
            return try failure(error, message, context)
        }
    }

    private static func success(_ message: Message, _ context: OutcomeContext) -> [TaskEffect] {
        var effects: [TaskEffect] = []
        if !context.isPeriodic {
            effects.append(.forgetRevocation)
            if context.options.results, !context.isNone || context.options.storeNone { effects.append(.storeValue) }
        }
        effects.append(.runPostExecute)
        effects.append(.emit(.complete))
        if let next = message.onComplete { effects.append(.enqueueNext(next.message)) }
        if let chord = message.chord { effects.append(.reportValue(chord)) }
        return effects
    }

    private static func failure(
        _ error: any Error,
        _ message: Message,
        _ context: OutcomeContext
    ) throws -> [TaskEffect] {
        let plan = try RetryPlan(after: error, message, context)
        var effects: [TaskEffect] = plan.signal.map { [.emit($0)] } ?? []
        if !context.isPeriodic { effects.append(.forgetRevocation) }
        let isFinal = plan.retries == 0
        // Waiting for a lock, a window or an appointment is no failure while it goes on.
        let surfaces = isFinal || (context.options.storeIntermediateErrors && !plan.isRetryRequest)
        let exception = PickleException.mapping(error)
        let result = ErrorResult(error, exception, message, retries: plan.retries)
        if surfaces, context.options.results, !context.isPeriodic {
            let failed = isFinal ? message.pipeline.map(\.id) : [message.id]
            effects.append(.storeError(result, ids: failed))
        }
        effects.append(.runPostExecute)
        if surfaces, let handler = message.onError {
            effects.append(.enqueueErrorHandler(handler.message, exception))
        }
        if isFinal {
            if let chord = message.pipelineChord { effects.append(.reportError(chord, result)) }
        } else {
            effects.append(.emit(.retrying))
            do {
                effects.append(try plan.requeue(message, context))
            } catch {
                let text = "a retry that no time can be given to"
                effects.append(.fail(error as? HueyError ?? HueyError(.dateOutOfRange, text)))
            }
        }
        return effects
    }
}

extension Message {
    /// The chord that waits for this task or for one behind it in the pipeline. Mirrors `_abort_chord_member`.
    var pipelineChord: ChordMembership? { pipeline.lazy.compactMap(\.chord).first }
}

extension ErrorResult {
    /// The most bytes of an exception's text that is stored.
    private static let mostText = 1 << 16

    /// Mirrors `build_error_result`.
    init(_ error: any Error, _ exception: PickleException, _ message: Message, retries: Int) {
        // Every task of the pipeline gets a copy.
        let text = ((error as? TaskException)?.error ?? exception.repr).bounded(Self.mostText)
        self.init(
            error: text,
            retries: retries,
            traceback:
                "Traceback (most recent call last):\n  in \(message.name), a task in Swift\n"
                + "\(exception.summary.bounded(Self.mostText))\n",
            taskID: message.id,
            wireTaskID: message.wireID
        )
        if retries == message.retries { wireRetries = message.wireRetries }
    }
}

extension PickleException {
    /// The last line of a traceback.
    var summary: String {
        let qualified = module == "builtins" ? name : "\(module).\(name)"
        let text = text
        return text.isEmpty ? qualified : "\(qualified): \(text)"
    }
}
