import Pickle
import Synchronization

/// A task that runs here.
final class RegisteredTask: Sendable {
    typealias Value = any PickleEncodable & Sendable

    typealias AsynchronousHandler = nonisolated(nonsending) @Sendable (TaskContext) async throws -> Value

    /// Calls a synchronous handler with a call as it lies on the wire, and writes its value; whether that is None.
    ///
    /// It throws what the handler throws, and ``UnwritableValue``.
    typealias InPlace = @Sendable (PlainCall, inout PickleWriter) throws -> Bool

    /// What runs when the task is called.
    enum Handler: Sendable {
        /// Runs to its end without a suspension. A consumer calls it on a thread of its own, in place where it is told nothing of its message.
        case synchronous(@Sendable (TaskContext) throws -> Value, inPlace: InPlace?)
        /// A consumer calls it on the cooperative pool.
        case asynchronous(AsynchronousHandler)

        /// A synchronous handler that is told its arguments only.
        static func synchronous<Output: PickleEncodable & Sendable>(
            _ signature: Signature,
            _ body: @escaping @Sendable (inout BoundArguments) throws -> Output
        ) -> Self {
            let mayBeNone = TaskRun.mayBeNone(Output.self)
            return .synchronous { context in
                var arguments = try signature.bind(context)
                return try body(&arguments)
            } inPlace: { call, writer in
                var arguments = try signature.bind(call)
                let value = try body(&arguments)
                do {
                    try value.encode(to: &writer)
                } catch {
                    throw UnwritableValue(error: error)
                }
                return mayBeNone && TaskRun.isNone(value)
            }
        }
    }

    /// A value that cannot be pickled, and why.
    struct UnwritableValue: Error {
        let error: any Error
    }

    let name: String
    let settings: TaskSettings
    /// When a periodic task is due; nil for any other.
    let isDue: (@Sendable (PickleDateTime) -> Bool)?
    let handler: Handler
    let metrics = TaskMetrics()
    /// Whether the handler is told of its message, or has a limit of its own: its messages are decoded to the last field.
    let needsMessage: Bool
    /// Whether a value may be Python's None, as far as its type tells.
    let mayReturnNone: Bool

    init(
        name: String,
        settings: TaskSettings,
        isDue: (@Sendable (PickleDateTime) -> Bool)?,
        needsMessage: Bool = true,
        mayReturnNone: Bool = true,
        handler: Handler
    ) {
        self.name = name
        self.settings = settings
        self.isDue = isDue
        self.mayReturnNone = mayReturnNone
        self.needsMessage = needsMessage || isDue != nil || settings.timeout?.isTrue == true
        self.handler = handler
    }

    var isPeriodic: Bool { isDue != nil }

    var isSynchronous: Bool {
        guard case .synchronous = handler else { return false }
        return true
    }

    /// See ``InPlace``; nil where a run takes more.
    var inPlace: InPlace? {
        guard case .synchronous(_, let inPlace) = handler, !needsMessage else { return nil }
        return inPlace
    }
}

/// The tasks that run here, by their wire names. Mirrors `huey.registry.Registry`.
final class Registry: Sendable {
    private struct State {
        var tasks: [String: RegisteredTask] = [:]
        var order: [String] = []
        var failures: [HueyError] = []
    }

    private let state = Mutex(State())

    /// Adds a task. A mistake is kept for ``check()``, so that registering reads like a declaration.
    func register(_ task: RegisteredTask) {
        state.withLock { state in
            guard state.tasks[task.name] == nil else {
                state.failures.append(
                    HueyError(.duplicateTask, "a task named \"\(task.name)\" is registered already")
                )
                return
            }
            state.tasks[task.name] = task
            state.order.append(task.name)
        }
    }

    func fail(_ error: HueyError) { state.withLock { $0.failures.append(error) } }

    func unregister(_ name: String) -> Bool {
        state.withLock { state in
            state.order.removeAll { $0 == name }
            return state.tasks.removeValue(forKey: name) != nil
        }
    }

    func task(named name: String) -> RegisteredTask? { state.withLock { $0.tasks[name] } }

    /// In the order of registration.
    var names: [String] { state.withLock { $0.order } }

    var periodicTasks: [RegisteredTask] {
        state.withLock { state in state.order.compactMap { state.tasks[$0] }.filter(\.isPeriodic) }
    }

    /// - Throws: the first ``HueyError`` that registering ran into.
    func check() throws {
        if let failure = state.withLock({ $0.failures.first }) { throw failure }
    }
}
