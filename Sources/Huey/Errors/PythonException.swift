public import Pickle

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// A Swift error that Python knows by another name.
///
/// A task that throws such an error fails with that exception: its `repr()` is the stored error, and an `on_error` handler in
/// Python receives the exception object itself. An error that does not conform appears as `RuntimeError('…')`, with its `errorDescription`
/// where it is a `LocalizedError`.
public protocol PythonExceptionConvertible: Error {
    /// The exception that Python sees.
    var pythonException: PickleException { get }
}

extension PickleException: PythonExceptionConvertible {
    public var pythonException: PickleException { self }

    /// A built-in exception with a message, such as `PickleException.builtin("ValueError", "boom")`.
    public static func builtin(_ name: String, _ message: String) -> PickleException {
        PickleException(module: "builtins", name: name, arguments: [PickleValue.string(message)])
    }

    static func huey(_ name: String, _ args: [PickleValue], state: PickleValue? = nil) -> PickleException {
        PickleException(module: "huey.exceptions", name: name, arguments: args, state: state)
    }

    /// The exception for any Swift error.
    static func mapping(_ error: any Error) -> PickleException {
        if let error = error as? any PythonExceptionConvertible { return error.pythonException }
        let text = (error as? any LocalizedError)?.errorDescription ?? String(describing: error)
        return builtin("RuntimeError", text)
    }
}

extension PickleError: PythonExceptionConvertible {
    /// An argument of the wrong type is a `TypeError`, as it would be in Python; anything else `pickle.UnpicklingError`.
    public var pythonException: PickleException {
        if code == .typeMismatch { return .builtin("TypeError", message) }
        return PickleException(module: "_pickle", name: "UnpicklingError", arguments: [PickleValue.string(message)])
    }
}

extension HueyError: PythonExceptionConvertible {
    public var pythonException: PickleException {
        switch code {
        case .resultTimeout: .huey("ResultTimeout", [PickleValue.string(message)])
        case .priorityNotSupported, .notSupported: .builtin("NotImplementedError", message)
        case .dateOutOfRange: .builtin("OverflowError", message)
        case .invalidConfiguration: .huey("ConfigurationError", [PickleValue.string(message)])
        default: .huey("HueyException", [PickleValue.string(message)])
        }
    }
}
