import Pickle
import Tracing

/// A span around the enqueueing of a task, or around one run of it. It never tells of arguments, values or an exception's text.
struct TaskSpan: Sendable {
    private let span: any Span
    private let instrument: any Instrument

    /// A failure by its type alone.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    fileprivate init(
        _ sinks: TraceSource.Sinks,
        _ operation: (name: String, type: String),
        _ kind: SpanKind,
        in context: ServiceContext,
        of huey: Huey
    ) {
        instrument = sinks.instrument
        span = sinks.tracer.startSpan(operation.name, context: context, ofKind: kind)
        span.attributes["messaging.system"] = "huey"
        span.attributes["messaging.destination.name"] = huey.name
        span.attributes["messaging.operation.type"] = operation.type
    }

    fileprivate func describe(_ message: Message, retries: Int?) {
        span.attributes["messaging.message.id"] = message.id
        span.attributes["huey.task.name"] = message.name
        if let retries { span.attributes["huey.task.retries"] = retries }
    }

    fileprivate func describe(batch count: Int) {
        span.attributes["messaging.batch.message_count"] = count
    }

    func end() { span.end() }

    /// The message with the span's context, to be its run's parent. Without a context to carry it stays as it is on the wire.
    func stamp(_ message: Message) -> Message {
        var fields: [String: String] = [:]
        instrument.inject(span.context, into: &fields, using: TraceFields())
        var message = message
        message.trace = TraceCarrier(entries: fields)
        return message
    }

    /// Runs `body` with the span's context as the current one.
    func activate<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        try await ServiceContext.$current.withValue(span.context, operation: body)
    }

    /// Notes how the task's run ended.
    func record(_ outcome: TaskOutcome) {
        guard let error = outcome.failure else { return }
        switch error {
        case is RetryTask: span.attributes["huey.task.outcome"] = Signal.retrying.rawValue
        case is TaskLocked: span.attributes["huey.task.outcome"] = Signal.locked.rawValue
        case is RateLimitExceeded: span.attributes["huey.task.outcome"] = Signal.rateLimited.rawValue
        case is CancelExecution: span.attributes["huey.task.outcome"] = Signal.canceled.rawValue
        default: record(error)
        }
    }

    /// Notes that the consumer was stopped before the task was done.
    func recordInterruption() { span.attributes["huey.task.outcome"] = Signal.interrupted.rawValue }

    /// Notes a failure by the name of the exception's type.
    func record(_ error: any Error) {
        let name =
            (error as? PickleException).map { $0.module == "builtins" ? $0.name : "\($0.module).\($0.name)" }
            ?? "\(type(of: error))"
        span.attributes["error.type"] = name
        span.recordError(Failure(description: name))
        span.setStatus(SpanStatus(code: .error))
    }
}

extension Huey {
    /// A span for one run of a task: a child of the producer's, where the message brings a context. Nil where nobody traces.
    func startSpan(running start: ReadyTask) -> TaskSpan? {
        guard let sinks = tracing.sinks else { return nil }
        let message = start.message
        var context = ServiceContext.current ?? .topLevel
        if let entries = message.trace?.entries {
            sinks.instrument.extract(entries, into: &context, using: TraceFields())
        }
        let span = TaskSpan(sinks, ("run \(message.name)", "process"), .consumer, in: context, of: self)
        span.describe(message, retries: message.retries ?? start.task.settings.retries)
        return span
    }

    /// Enqueues within a span that the message carries the context of.
    func traced<Value>(_ message: Message, _ body: (Message) async throws -> Value) async throws -> Value {
        guard let span = startSpan(enqueueing: message) else { return try await body(message) }
        defer { span.end() }
        return try await span.run { try await body(span.stamp(message)) }
    }

    /// Enqueues many tasks within one span. The body is given what each of them is stamped with before it is written, and answers how
    /// many there were.
    func tracedBatch(_ body: (_ stamp: @escaping (Message) -> Message) async throws -> Int) async throws -> Int {
        guard let sinks = tracing.sinks else { return try await body { $0 } }
        let context = ServiceContext.current ?? .topLevel
        let span = TaskSpan(sinks, ("enqueue batch", "send"), .producer, in: context, of: self)
        defer { span.end() }
        return try await span.run {
            let count = try await body(span.stamp)
            span.describe(batch: count)
            return count
        }
    }

    /// A task that follows from one that ran: what is current is that run. It is written later, with other effects.
    func followUp(_ message: Message) -> Message {
        guard let span = startSpan(enqueueing: message) else { return message }
        defer { span.end() }
        return span.stamp(message)
    }

    private func startSpan(enqueueing message: Message) -> TaskSpan? {
        guard let sinks = tracing.sinks else { return nil }
        let context = ServiceContext.current ?? .topLevel
        let span = TaskSpan(sinks, ("enqueue \(message.name)", "send"), .producer, in: context, of: self)
        span.describe(message, retries: message.retries)
        return span
    }
}

extension TaskSpan {
    fileprivate func run<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await activate {
            do {
                return try await body()
            } catch {
                record(error)
                throw error
            }
        }
    }
}
