import Huey
public import Pickle

/// A job as a function: calling it gives the job to the queue, and always returns the same. Mirrors what eduMFA's `wrap_job` returns.
public struct WrappedJob<Result: Sendable>: Sendable {
    /// The job's name.
    public let name: String
    /// What every call returns.
    public let result: Result
    let app: EduMFAApp?

    /// Enqueues the job with positional and keyword arguments.
    ///
    /// - Throws: ``ServerError`` without a queue, else as ``BaseQueue/enqueue(_:_:)``.
    @discardableResult
    public func callAsFunction(
        _ arguments: any PickleEncodable & Sendable...,
        keywords: KeyValuePairs<String, any PickleEncodable & Sendable> = [:]
    ) async throws -> Result {
        try await getJobQueue(app ?? .current).enqueue(name, TaskArguments(arguments, keywords: keywords))
        return result
    }
}

/// A job that can be called like the function itself, and returns `result` at once. Mirrors `wrap_job`.
///
/// ```swift
/// let send = wrapJob("smtpserver.send_email", true)
/// try await send(config, "ada@example.org", "Your token", "123456")
/// ```
///
/// - Parameters:
///   - name: the job's name.
///   - result: what every call returns.
///   - app: whose queue is used; the current app's when nil, at the time of the call.
public func wrapJob<Result: Sendable>(_ name: String, _ result: Result, app: EduMFAApp? = nil) -> WrappedJob<Result> {
    WrappedJob(name: name, result: result, app: app)
}
