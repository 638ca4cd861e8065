public import Logging
public import Pickle
import Synchronization

/// A configured application, and the job queue that it gets: what Flask's `app` is to eduMFA's queue.
public final class EduMFAApp: Sendable {
    /// The settings by name, such as `EDUMFA_JOB_QUEUE_CLASS`.
    public let config: [String: PickleValue]
    /// Where the queue logs to.
    public let logger: Logger
    private let store = Mutex<(any BaseQueue)?>(nil)

    /// The app of the current task; Flask's `current_app`. Outside of any ``run(_:)`` it is the one that was registered last.
    public static var current: EduMFAApp? { context ?? registered.withLock { $0 } }

    @TaskLocal private static var context: EduMFAApp?
    private static let registered = Mutex<EduMFAApp?>(nil)

    /// - Parameters:
    ///   - config: the settings by name.
    ///   - logger: where the queue logs to; nowhere by default.
    public init(
        config: [String: PickleValue],
        logger: Logger = Logger(label: "edumfa.lib.queue", factory: { _ in SwiftLogNoOpLogHandler() })
    ) {
        self.config = config
        self.logger = logger
    }

    /// The app's queue; nil without one.
    public var jobQueue: (any BaseQueue)? { store.withLock { $0 } }

    /// Runs `body` with this app as ``current``; Flask's `app_context()`.
    public func run<Value>(_ body: () async throws -> Value) async rethrows -> Value {
        try await Self.$context.withValue(self) { try await body() }
    }

    /// Gives the app its queue; false when it has one.
    func setJobQueue(_ queue: any BaseQueue) -> Bool {
        store.withLock { store in
            guard store == nil else { return false }
            store = queue
            return true
        }
    }

    /// Makes this the app of everybody who runs in no app's context.
    func becomeCurrent() { Self.registered.withLock { $0 = self } }
}
