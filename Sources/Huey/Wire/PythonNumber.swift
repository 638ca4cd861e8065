public import Pickle

/// A number as a Python producer wrote it: `int` and `float` stay apart, because the type goes back on the wire.
///
/// Used for `retry_delay`, `retry_backoff`, `priority`, `timeout` and `expires` (all in seconds but the backoff, a factor, and the priority).
public enum PythonNumber: Sendable, Hashable {
    case int(Int)
    case float(Double)

    /// The value as a double.
    public var double: Double {
        switch self {
        case .int(let value): Double(value)
        case .float(let value): value
        }
    }

    /// Python's truth value: false for zero only.
    public var isTrue: Bool { double != 0 }

    /// Python's `*`: the product of two ints is an int; an int too large for Swift becomes a float.
    static func * (lhs: PythonNumber, rhs: PythonNumber) -> PythonNumber {
        if case .int(let a) = lhs, case .int(let b) = rhs {
            let (product, overflow) = a.multipliedReportingOverflow(by: b)
            if !overflow { return .int(product) }
        }
        return .float(lhs.double * rhs.double)
    }
}

extension PythonNumber: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, CustomStringConvertible {
    public init(integerLiteral value: Int) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .float(value) }

    /// Python's `str()` of the number.
    public var description: String {
        switch self {
        case .int(let value): String(value)
        case .float(let value): PickleValue.float(value).description
        }
    }
}

extension PythonNumber: PickleCodable {
    /// - Throws: ``PickleError`` when the node is neither an `int` that fits 64 bits, nor a `bool`, nor a `float`.
    public init(pickle view: PickleView) throws {
        if let value = view.int {
            self = .int(value)
        } else if let value = view.double {
            self = .float(value)
        } else if let value = view.bool {
            self = .int(value ? 1 : 0)
        } else {
            self = .float(try Double(pickle: view))
        }
    }

    public func encode(to writer: inout PickleWriter) throws {
        switch self {
        case .int(let value): writer.write(value)
        case .float(let value): writer.write(value)
        }
    }
}
