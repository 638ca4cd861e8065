public import Pickle

/// A number as a Python producer wrote it: `int`, `float` and `bool` stay apart, because the type goes back on the wire.
///
/// Used for `retry_delay`, `retry_backoff`, `priority`, `timeout` and `expires` (all in seconds but the backoff, a factor, and the priority).
public enum PythonNumber: Sendable, Hashable {
    case int(Int)
    case float(Double)
    case bool(Bool)
    /// Something else, as a producer's mistake may put it into a message. huey minds only when it computes with it.
    case other(PickleView)

    /// The value as a double; NaN for what is no number.
    public var double: Double {
        switch self {
        case .int(let value): Double(value)
        case .float(let value): value
        case .bool(let value): value ? 1 : 0
        case .other(let view): view.bigInt.map { Double($0) } ?? .nan
        }
    }

    /// The value as an int, where its Python type is one; a bool is an int in Python.
    private var integer: Int? {
        switch self {
        case .int(let value): value
        case .float, .other: nil
        case .bool(let value): value ? 1 : 0
        }
    }

    /// Python's truth value: of numbers, false for zero only.
    public var isTrue: Bool {
        if case .other(let view) = self { return view.isTrue }
        return double != 0
    }

    /// Whether huey can compute with it.
    var isNumber: Bool {
        if case .other(let view) = self { return view.bigInt != nil }
        return true
    }

    /// The number as a dynamic value.
    var value: PickleValue {
        switch self {
        case .int(let value): .int(value)
        case .float(let value): .float(value)
        case .bool(let value): .bool(value)
        case .other(let view): .view(view)
        }
    }

    /// Python's `//`: of two ints an int, rounded down.
    ///
    /// - Throws: ``PickleException``, Python's `ZeroDivisionError`.
    func flooredDivision(by divisor: PythonNumber) throws -> PythonNumber {
        guard let a = integer, let b = divisor.integer else {
            guard divisor.isTrue else {
                throw PickleException.builtin("ZeroDivisionError", "float floor division by zero")
            }
            return .float((double / divisor.double).rounded(.down))
        }
        guard b != 0 else {
            throw PickleException.builtin("ZeroDivisionError", "integer division or modulo by zero")
        }
        // The smallest int has no negative: Python's int grows, a float is near enough.
        guard a != .min || b != -1 else { return .float(-Double(a)) }
        let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
        return .int(remainder != 0 && (remainder < 0) != (b < 0) ? quotient - 1 : quotient)
    }

    /// Python's `*`: the product of two ints is an int; an int too large for Swift becomes a float.
    static func * (lhs: PythonNumber, rhs: PythonNumber) -> PythonNumber {
        if let a = lhs.integer, let b = rhs.integer {
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
        case .bool(let value): value ? "True" : "False"
        case .other(let view): view.decimal ?? view.briefType
        }
    }
}

extension PickleView {
    /// Python's `bool()`, for what needs no class to tell.
    package var isTrue: Bool {
        if let bool { return bool }
        // Only an int beyond 64 bits is none of these, and is not zero.
        if let int { return int != 0 }
        if kind == .int { return true }
        if let double { return double != 0 }
        if let string { return !string.isEmpty }
        if let bytes { return !bytes.isEmpty }
        if let elements { return !elements.isEmpty }
        if let pairs { return !pairs.isEmpty }
        if let delta = try? PickleTimeDelta(pickle: self) { return delta.duration != .zero }
        if let decimal = try? PickleDecimal(pickle: self) { return decimal.isTrue }
        return !isNone
    }
}

extension PickleDecimal {
    /// Python's `bool()`: of numbers, false for zero only, whatever its exponent is.
    fileprivate var isTrue: Bool {
        let mantissa = text.utf8.prefix { $0 | 0x20 != 0x65 }
        return mantissa.contains { (0x31...0x39).contains($0) || $0 | 0x20 == 0x6E }
    }
}

extension PythonNumber: PickleCodable {
    /// A message's field: a number, or whatever stands in its place.
    package init(field view: PickleView) { self = (try? PythonNumber(pickle: view)) ?? .other(view) }

    /// - Throws: ``PickleError`` when the node is neither an `int` that fits 64 bits, nor a `bool`, nor a `float`.
    public init(pickle view: PickleView) throws {
        if let value = view.int {
            self = .int(value)
        } else if let value = view.double {
            self = .float(value)
        } else if let value = view.bool {
            self = .bool(value)
        } else {
            self = .float(try Double(pickle: view))
        }
    }

    public func encode(to writer: inout PickleWriter) throws {
        switch self {
        case .int(let value): writer.write(value)
        case .float(let value): writer.write(value)
        case .bool(let value): writer.write(value)
        case .other(let view): try writer.write(view)
        }
    }
}
