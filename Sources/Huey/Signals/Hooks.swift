import Logging
import Synchronization

/// Who listens to what: signal receivers, and the hooks around tasks and consumers, each kind in the order of registration.
final class Hooks: Sendable {
    typealias Receiver = @Sendable (SignalEvent) async throws -> Void
    typealias PreExecute = @Sendable (TaskContext) async throws -> Void
    typealias PostExecute = @Sendable (TaskContext, TaskOutcome) async throws -> Void
    typealias Lifecycle = @Sendable () async throws -> Void

    struct State {
        var receivers: [(signal: Signal?, id: SignalReceiver, receiver: Receiver)] = []
        var preExecute: [(name: String, hook: PreExecute)] = []
        var postExecute: [(name: String, hook: PostExecute)] = []
        var startup: [(name: String, hook: Lifecycle)] = []
        var shutdown: [(name: String, hook: Lifecycle)] = []
        var buffers: [any StorageBuffer] = []
    }

    private let state = Mutex(State())
    private let quiet = Atomic(true)

    /// Whether nobody is to be told of a task: no receiver of any signal, no hook around tasks. To be asked once a task.
    var isQuiet: Bool { quiet.load(ordering: .acquiring) }

    func withState<Result>(_ body: (inout sending State) -> sending Result) -> sending Result {
        state.withLock { state in
            defer {
                let isQuiet = state.receivers.isEmpty && state.preExecute.isEmpty && state.postExecute.isEmpty
                quiet.store(isQuiet, ordering: .releasing)
            }
            return body(&state)
        }
    }

    /// A hook of a name that is taken replaces the one that has it, where it stands.
    static func register<Hook>(_ hook: Hook, _ name: String, in list: inout [(name: String, hook: Hook)]) {
        if let index = list.firstIndex(where: { $0.name == name }) {
            list[index].hook = hook
        } else {
            list.append((name, hook))
        }
    }

    static func unregister<Hook>(_ name: String, from list: inout [(name: String, hook: Hook)]) -> Bool {
        guard let index = list.firstIndex(where: { $0.name == name }) else { return false }
        list.remove(at: index)
        return true
    }

    /// huey calls the receivers of one signal first, then those of all.
    func receivers(of signal: Signal) -> [Receiver] {
        state.withLock { state in
            guard !state.receivers.isEmpty else { return [] }
            return state.receivers.filter { $0.signal == signal }.map(\.receiver)
                + state.receivers.filter { $0.signal == nil }.map(\.receiver)
        }
    }
}

/// A receiver of signals, as ``Huey/onSignal(_:receiver:)`` returns it.
public final class SignalReceiver: Sendable, Equatable {
    init() {}

    public static func == (left: SignalReceiver, right: SignalReceiver) -> Bool { left === right }
}

extension Huey {
    /// Calls `receiver` for each of the signals, or for all when none is named. An error that it throws is logged.
    /// Mirrors `Huey.signal`.
    ///
    /// - Returns: what ``disconnectSignal(_:_:)`` takes the receiver back with.
    @discardableResult
    public func onSignal(
        _ signals: Signal...,
        receiver: @escaping @Sendable (SignalEvent) async throws -> Void
    ) -> SignalReceiver {
        let id = SignalReceiver()
        hooks.withState { state in
            if signals.isEmpty { state.receivers.append((nil, id, receiver)) }
            for signal in signals { state.receivers.append((signal, id, receiver)) }
        }
        return id
    }

    /// Tells a receiver of these signals no more, or of none at all when none is named. Mirrors `disconnect_signal`.
    public func disconnectSignal(_ receiver: SignalReceiver, _ signals: Signal...) {
        hooks.withState { state in
            state.receivers.removeAll { entry in
                entry.id == receiver && (signals.isEmpty || entry.signal.map(signals.contains) == true)
            }
        }
    }

    /// Calls `hook` before each task, in the place of one of the same name; ``CancelExecution`` thrown by it keeps the task from running. Mirrors `pre_execute`.
    public func preExecute(_ name: String, _ hook: @escaping @Sendable (TaskContext) async throws -> Void) {
        hooks.withState { Hooks.register(hook, name, in: &$0.preExecute) }
    }

    /// Takes a hook back; whether there was one of that name. Mirrors `unregister_pre_execute`.
    @discardableResult
    public func unregisterPreExecute(_ name: String) -> Bool {
        hooks.withState { Hooks.unregister(name, from: &$0.preExecute) }
    }

    /// Calls `hook` after each task, with what came of it. Mirrors `post_execute`.
    public func postExecute(
        _ name: String,
        _ hook: @escaping @Sendable (TaskContext, TaskOutcome) async throws -> Void
    ) {
        hooks.withState { Hooks.register(hook, name, in: &$0.postExecute) }
    }

    /// Takes a hook back; whether there was one of that name. Mirrors `unregister_post_execute`.
    @discardableResult
    public func unregisterPostExecute(_ name: String) -> Bool {
        hooks.withState { Hooks.unregister(name, from: &$0.postExecute) }
    }

    /// Calls `hook` when a worker of a consumer starts. Mirrors `on_startup`.
    public func onStartup(_ name: String, _ hook: @escaping @Sendable () async throws -> Void) {
        hooks.withState { Hooks.register(hook, name, in: &$0.startup) }
    }

    /// Takes a hook back; whether there was one of that name. Mirrors `unregister_on_startup`.
    @discardableResult
    public func unregisterOnStartup(_ name: String) -> Bool {
        hooks.withState { Hooks.unregister(name, from: &$0.startup) }
    }

    /// Calls `hook` when a worker of a consumer stops. Mirrors `on_shutdown`.
    public func onShutdown(_ name: String, _ hook: @escaping @Sendable () async throws -> Void) {
        hooks.withState { Hooks.register(hook, name, in: &$0.shutdown) }
    }

    /// Takes a hook back; whether there was one of that name. Mirrors `unregister_on_shutdown`.
    @discardableResult
    public func unregisterOnShutdown(_ name: String) -> Bool {
        hooks.withState { Hooks.unregister(name, from: &$0.shutdown) }
    }

    /// Tells whoever listens; their errors are logged and go no further. Mirrors `Signal.send`.
    package func emit(_ signal: Signal, _ message: Message, error: (any Error)? = nil) async {
        for receiver in hooks.receivers(of: signal) {
            do {
                try await receiver(SignalEvent(signal: signal, message: message, error: error))
            } catch {
                logger.error("Error occurred in receiver for signal \"\(signal.rawValue)\": \(error)")
            }
        }
    }

    func listens(to signal: Signal) -> Bool { !hooks.receivers(of: signal).isEmpty }

    package enum LifecycleStage: String, Sendable {
        case startup
        case shutdown
    }

    package func runLifecycleHooks(_ stage: LifecycleStage) async {
        let list = hooks.withState { stage == .startup ? $0.startup : $0.shutdown }
        for (name, hook) in list {
            logger.debug("calling \(stage.rawValue) hook \"\(name)\"")
            do {
                try await hook()
            } catch {
                logger.error("\(stage.rawValue) hook \"\(name)\" failed: \(error)")
            }
        }
    }

    /// From now on whoever looks at the storage waits until the buffer is flushed.
    package func attach(_ buffer: any StorageBuffer) {
        hooks.withState { $0.buffers.append(buffer) }
    }

    package func detach(_ buffer: any StorageBuffer) {
        hooks.withState { $0.buffers.removeAll { $0 === buffer } }
    }

    /// Lets a message that was just enqueued run before those of lower priority that a consumer has fetched. If that fails, order is all
    /// that suffers.
    func makeWay(for priority: Double?) async {
        guard storage.supportsPriority else { return }
        for buffer in hooks.withState({ $0.buffers }) { try? await buffer.makeWay(for: priority ?? 0) }
    }

    /// The storage, once it shows everything that has happened here.
    ///
    /// - Parameter includingQueue: whether the queue itself is looked at, which must show what consumers have fetched and not started.
    /// - Throws: the storage's error where a buffer cannot be flushed.
    func flushedStorage(includingQueue: Bool = false) async throws -> any Storage {
        for buffer in hooks.withState({ $0.buffers }) {
            if includingQueue { await buffer.returnMessages() }
            try await buffer.flushEffects()
        }
        return storage
    }
}
