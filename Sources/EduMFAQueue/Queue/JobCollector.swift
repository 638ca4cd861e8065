import Logging
import Pickle
import Synchronization

/// Gathers jobs before any configuration is known, and registers them with the queue of an app as soon as there is one. Mirrors eduMFA's
/// `JobCollector`.
public final class JobCollector: Sendable {
    private struct State {
        var jobs: [String: Job] = [:]
        var order: [String] = []
        var classes: [String: any BaseQueue.Type] = [
            Product.eduMFA.queueClass: HueyQueue.self, Product.privacyIDEA.queueClass: HueyQueue.self,
        ]
    }

    /// The collector of the process; eduMFA's `JOB_COLLECTOR`.
    public static let shared = JobCollector()

    private let state = Mutex(State())

    public init() {}

    /// The jobs gathered so far, in their order.
    public var jobs: [Job] { state.withLock { state in state.order.compactMap { state.jobs[$0] } } }

    /// Gathers a job. Mirrors `register_job`.
    ///
    /// - Throws: ``JobCollectorError`` for a name that is taken.
    public func registerJob(_ job: Job) throws {
        try state.withLock { state in
            guard state.jobs[job.name] == nil else { throw JobCollectorError("Duplicate jobs: '\(job.name)'") }
            state.jobs[job.name] = job
            state.order.append(job.name)
        }
    }

    /// Makes a kind of queue known by the name that `EDUMFA_JOB_QUEUE_CLASS` has for it. ``HueyQueue`` is known by Python's names.
    public func registerQueueClass(_ name: String, _ type: any BaseQueue.Type) {
        state.withLock { $0.classes[name] = type }
    }

    /// Makes the queue that an app's settings ask for, and registers all jobs with it; once for each app. Every setting
    /// `EDUMFA_JOB_QUEUE_X` becomes the queue's option `x`. An unknown class is a warning in the log, and no queue. Mirrors `register_app`.
    ///
    /// - Throws: ``JobCollectorError`` for an app that has a queue, the queue's error for options that make none.
    public func registerApp(_ app: EduMFAApp) throws {
        let setting = Product.eduMFA.queueClassSetting
        let prefix = Product.eduMFA.queueOptionPrefix
        guard app.jobQueue == nil else { throw JobCollectorError("App already has a job queue") }
        let name = app.config[setting] ?? .none
        guard case .string(let className) = name, let type = state.withLock({ $0.classes[className] }) else {
            app.logger.warning("Could not import job queue class \(name): no such class is known here")
            return
        }
        var options: [String: PickleValue] = [:]
        for (key, value) in app.config where key.hasPrefix(prefix) && key != setting {
            options[key.dropFirst(prefix.count).lowercased()] = value
        }
        let queue = try type.init(options: options, logger: app.logger)
        for job in jobs { try queue.registerJob(job) }
        guard app.setJobQueue(queue) else { throw JobCollectorError("App already has a job queue") }
        app.logger.info("Created a new job queue: \(className)")
    }
}

/// Registers an app with the process's collector, if its settings name a queue class; does nothing otherwise. The app is then
/// ``EduMFAApp/current`` for everybody. Mirrors `register_app`.
///
/// - Throws: as ``JobCollector/registerApp(_:)``.
public func registerApp(_ app: EduMFAApp) throws {
    app.becomeCurrent()
    switch app.config[Product.eduMFA.queueClassSetting] {
    case nil, .none?, .string("")?, .bool(false)?: return
    default: try JobCollector.shared.registerApp(app)
    }
}

/// Whether an app has a job queue. Mirrors `has_job_queue`.
public func hasJobQueue(_ app: EduMFAApp? = .current) -> Bool { app?.jobQueue != nil }

/// An app's job queue. Mirrors `get_job_queue`.
///
/// - Throws: ``ServerError`` without one.
public func getJobQueue(_ app: EduMFAApp? = .current) throws -> any BaseQueue {
    guard let queue = app?.jobQueue else { throw ServerError("eduMFA has no job queue configured!") }
    return queue
}
