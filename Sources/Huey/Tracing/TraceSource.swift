import Synchronization
import Tracing

/// Where an instance's spans go, if anywhere.
///
/// The process's instrument is looked up once, when the first task is enqueued or run: without one, tracing costs a load from memory.
final class TraceSource: Sendable {
    /// What makes spans, and what carries their context.
    struct Sinks: Sendable {
        let tracer: any Tracer
        let instrument: any Instrument
    }

    private enum State {
        static let unknown = 0
        static let off = 1
        static let on = 2
    }

    private let state = Atomic(State.unknown)
    private let found: Mutex<Sinks?>

    /// - Parameter tracer: the instance's own; the process's when nil.
    init(_ tracer: (any Tracer)?) {
        found = Mutex(tracer.map { Sinks(tracer: $0, instrument: $0) })
    }

    /// Nil where nobody traces.
    var sinks: Sinks? {
        if state.load(ordering: .relaxed) == State.off { return nil }
        return found.withLock { found in
            if let found { return found }
            let instrument = InstrumentationSystem.instrument
            guard !(instrument is NoOpInstrument) else {
                state.store(State.off, ordering: .relaxed)
                return nil
            }
            found = Sinks(tracer: InstrumentationSystem.tracer, instrument: instrument)
            state.store(State.on, ordering: .relaxed)
            return found
        }
    }
}
