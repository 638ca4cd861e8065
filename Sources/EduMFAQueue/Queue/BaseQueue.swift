public import Huey
public import Logging
public import Pickle

/// An external queue that runs jobs outside of a request, configured by a dictionary of options. Jobs are fire and forget: nobody learns what
/// they return. Mirrors eduMFA's `BaseQueue`.
public protocol BaseQueue: Sendable {
    /// - Parameters:
    ///   - options: every setting `EDUMFA_JOB_QUEUE_X` under the name `x`.
    ///   - logger: where the queue logs to.
    /// - Throws: an error for options that make no queue.
    init(options: [String: PickleValue], logger: Logger) throws

    /// The options that the queue was made with.
    var options: [String: PickleValue] { get }

    /// Makes a job known under its name. Mirrors `register_job`.
    ///
    /// - Throws: ``QueueError`` for a name that is taken.
    func registerJob(_ job: Job) throws

    /// Asks for a job to be run, some time, by whoever works for the queue. Mirrors `enqueue`.
    ///
    /// - Throws: ``QueueError`` for a job that is not registered, the queue's own error when it cannot be reached.
    func enqueue(_ name: String, _ arguments: TaskArguments) async throws
}
