public import Pickle

/// Thrown by a task to be run again without it counting as a failure. Mirrors `huey.exceptions.RetryTask`.
public struct RetryTask: Error, Sendable, PythonExceptionConvertible {
    public var message: String?
    /// When to run again; nil means after the task's own retry delay.
    public var start: TaskOptions.Start?

    public init(_ message: String? = nil, start: TaskOptions.Start? = nil) {
        self.message = message
        self.start = start
    }

    public var pythonException: PickleException {
        var (eta, delay) = (PickleValue.none, PickleValue.none)
        switch start {
        case .eta(let moment):
            eta = (try? moment.pickled()).flatMap { try? PickleDocument($0) }.map { .view($0.root) } ?? .none
        case .delay(let seconds): delay = seconds.value
        case nil: break
        }
        let state = PickleDictionary([(.string("eta"), eta), (.string("delay"), delay)])
        return .huey("RetryTask", [message.map(PickleValue.string) ?? .none], state: .dict(state))
    }
}

/// Thrown by a task or a pre-execute hook to give up. Mirrors `huey.exceptions.CancelExecution`.
public struct CancelExecution: Error, Sendable, PythonExceptionConvertible {
    public var message: String?
    /// Whether to run again: true at least once, false never, nil as long as retries are left.
    public var retry: Bool?
    /// What Python was given in the place of a bool, for whoever gets the exception.
    package var retryAsGiven: PickleValue?

    public init(_ message: String? = nil, retry: Bool? = nil) {
        self.message = message
        self.retry = retry
    }

    public var pythonException: PickleException {
        let state = PickleDictionary([(.string("retry"), retryAsGiven ?? retry.map(PickleValue.bool) ?? .none)])
        return .huey("CancelExecution", message.map { [.string($0)] } ?? [], state: .dict(state))
    }
}

/// A task ran longer than it may. Mirrors `huey.exceptions.TaskTimeout`.
public struct TaskTimeout: Error, Sendable, PythonExceptionConvertible {
    public var message: String

    public init(_ message: String) { self.message = message }

    public var pythonException: PickleException { .huey("TaskTimeout", [.string(message)]) }
}

/// A lock is held by somebody else. Mirrors `huey.exceptions.TaskLockedException`.
public struct TaskLocked: Error, Sendable, PythonExceptionConvertible {
    public var lockName: String

    public init(lockName: String) { self.lockName = lockName }

    var message: String { "unable to acquire lock \(lockName)" }

    public var pythonException: PickleException { .huey("TaskLockedException", [.string(message)]) }
}

/// Too many calls in a window of time. Mirrors `huey.exceptions.RateLimitExceeded`.
public struct RateLimitExceeded: Error, Sendable, PythonExceptionConvertible {
    public var key: String
    /// Seconds until the window ends.
    public var delay: Double
    /// Whether the task is put back without it counting as a retry.
    public var retry: Bool

    public init(key: String, delay: Double, retry: Bool = true) {
        self.key = key
        self.delay = delay
        self.retry = retry
    }

    public var pythonException: PickleException {
        let arguments: [PickleValue] = [.string(key), .float(delay), .bool(retry)]
        let state = PickleDictionary([
            (.string("key"), .string(key)), (.string("delay"), .float(delay)), (.string("retry"), .bool(retry)),
        ])
        return .huey("RateLimitExceeded", arguments, state: .dict(state))
    }
}

/// The error that a task failed with, as read from the result store. Mirrors `huey.exceptions.TaskException`.
public struct TaskException: Error, Sendable, CustomStringConvertible, PythonExceptionConvertible {
    /// Python's `repr()` of the exception.
    public var error: String
    /// How many retries were left.
    public var retries: Int
    public var traceback: String
    public var taskID: String

    public var description: String { error }

    public var pythonException: PickleException {
        PickleException(module: "huey.exceptions", name: "TaskException", arguments: [], state: nil)
    }
}
