public import Huey
public import Pickle

/// A function that a queue can run, under a name that is unique in its app.
public struct Job: Sendable {
    /// The job's name, such as `smtpserver.send_email`.
    public let name: String
    /// Python's module of the function, such as `edumfa.lib.smtpserver`.
    public let module: String
    private let registration: @Sendable (Huey, String) -> Void

    /// The task's name on the wire: huey puts the function's module before the name that it is given.
    public var taskName: String { "\(module).\(name)" }

    /// A job that runs here. Its arguments are bound to the parameters as Python would bind them.
    public init<each Argument: PickleCodable & Sendable>(
        _ name: String,
        module: String,
        parameters: [Parameter],
        handler: @escaping @Sendable (repeat each Argument) async throws -> Void
    ) {
        self.init(name, module: module) { huey, taskName in
            huey.task(taskName, parameters: parameters, handler: handler)
        }
    }

    /// A job that runs elsewhere, in Python or in another service.
    public init(_ name: String, module: String) {
        self.init(name, module: module) { _, _ in }
    }

    init(_ name: String, module: String, registration: @escaping @Sendable (Huey, String) -> Void) {
        self.name = name
        self.module = module
        self.registration = registration
    }

    /// Registers the job as a task, where it runs here: for a queue of one's own that is built on an instance.
    public func register(on huey: Huey) { registration(huey, taskName) }
}

/// Marks a function as a job and collects it, before any configuration is known. Mirrors eduMFA's decorator `@job`.
///
/// ```swift
/// let sendGreeting = try job("greetings.send", module: "myservice.greetings", parameters: "name") { (name: String) in
///     print("Hello \(name)")
/// }
/// ```
///
/// - Parameters:
///   - name: the job's name, unique among all.
///   - module: Python's module of the function.
///   - parameters: the function's parameters as Python has them.
///   - collector: who gathers the job.
///   - handler: what the job does.
/// - Returns: the function itself, to be called at once instead of through the queue.
/// - Throws: ``JobCollectorError`` for a name that is taken.
@discardableResult
public func job<each Argument: PickleCodable & Sendable>(
    _ name: String,
    module: String,
    parameters: Parameter...,
    in collector: JobCollector = .shared,
    handler: @escaping @Sendable (repeat each Argument) async throws -> Void
) throws -> @Sendable (repeat each Argument) async throws -> Void {
    try collector.registerJob(Job(name, module: module, parameters: parameters, handler: handler))
    return handler
}
