import BigInt
import Huey
import Pickle

/// Python's `+` on what a task may be given, with Python's errors.
enum PythonArithmetic {
    /// - Throws: ``PickleException``: Python's `TypeError` or `OverflowError`.
    static func add(_ lhs: PickleView, _ rhs: PickleView) throws -> PickleValue {
        if let a = lhs.int, let b = rhs.int {
            let (sum, hasOverflowed) = a.addingReportingOverflow(b)
            if !hasOverflowed { return .int(sum) }
        }
        return try add(PickleValue(lhs), PickleValue(rhs), names: (typeName(lhs), typeName(rhs)))
    }

    static func add(_ lhs: PickleValue, _ rhs: PickleValue, names: (String, String)? = nil) throws -> PickleValue {
        if let sum = try addNumbers(lhs, rhs) { return sum }
        switch (lhs, rhs) {
        case (.string(let a), .string(let b)): return .string(a + b)
        case (.bytes(let a), .bytes(let b)): return .bytes(a + b)
        case (.list(let a), .list(let b)): return .list(a + b)
        case (.tuple(let a), .tuple(let b)): return .tuple(a + b)
        default: break
        }
        let names = names ?? (typeName(lhs), typeName(rhs))
        switch lhs {
        case .string, .list, .tuple:
            let text = "can only concatenate \(names.0) (not \"\(names.1)\") to \(names.0)"
            throw PickleException.builtin("TypeError", text)
        case .bytes, .bytearray:
            throw PickleException.builtin("TypeError", "can't concat \(names.1) to \(names.0)")
        default:
            let text = "unsupported operand type(s) for +: '\(names.0)' and '\(names.1)'"
            throw PickleException.builtin("TypeError", text)
        }
    }

    /// Python's `sum()`.
    ///
    /// - Throws: ``PickleException``: Python's `TypeError` or `OverflowError`.
    static func sum(_ values: PickleView) throws -> PickleValue {
        let parts: [PickleValue]
        if let elements = values.elements {
            parts = elements.map { PickleValue($0) }
        } else if let bytes = values.bytes {
            parts = bytes.map { .int(Int($0)) }
        } else if let pairs = values.pairs {
            parts = pairs.map { PickleValue($0.key) }
        } else if let text = values.string {
            parts = text.unicodeScalars.map { .string(String($0)) }
        } else {
            throw PickleException.builtin("TypeError", "'\(typeName(values))' object is not iterable")
        }
        return try parts.reduce(.int(0)) { try add($0, $1) }
    }

    /// Python's `<=` between an int and anything.
    ///
    /// - Throws: ``PickleException``: Python's `TypeError`.
    static func isAtMost(_ number: Int, _ view: PickleView) throws -> Bool {
        if let other = view.bigInt ?? view.bool.map({ $0 ? 1 : 0 }) { return BigInt(number) <= other }
        if let other = view.double { return Double(number) <= other }
        let text = "'<=' not supported between instances of 'int' and '\(typeName(view))'"
        throw PickleException.builtin("TypeError", text)
    }

    /// The two numbers of a rate limit, in the order in which huey looks at them.
    ///
    /// - Throws: ``PickleException``: Python's `TypeError`.
    static func rate(_ limit: PickleView, _ per: PickleView) throws -> (limit: PythonNumber, per: PythonNumber) {
        guard let per = try? PythonNumber(pickle: per) else {
            let text = "unsupported operand type(s) for //: 'int' and '\(typeName(per))'"
            throw PickleException.builtin("TypeError", text)
        }
        guard let limit = try? PythonNumber(pickle: limit) else {
            let text = "'>' not supported between instances of 'int' and '\(typeName(limit))'"
            throw PickleException.builtin("TypeError", text)
        }
        return (limit, per)
    }

    private static func addNumbers(_ lhs: PickleValue, _ rhs: PickleValue) throws -> PickleValue? {
        if case .float(let a) = lhs, case .float(let b) = rhs { return .float(a + b) }
        if case .float(let a) = lhs, let b = integer(rhs) { return .float(a + (try double(b))) }
        if case .float(let b) = rhs, let a = integer(lhs) { return .float((try double(a)) + b) }
        guard let a = integer(lhs), let b = integer(rhs) else { return nil }
        let sum = a + b
        return Int(exactly: sum).map(PickleValue.int) ?? .bigInt(sum)
    }

    private static func integer(_ value: PickleValue) -> BigInt? {
        switch value {
        case .int(let value): BigInt(value)
        case .bigInt(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }

    private static func double(_ value: BigInt) throws -> Double {
        let result = Double(value)
        guard result.isFinite else {
            throw PickleException.builtin("OverflowError", "int too large to convert to float")
        }
        return result
    }

    /// The name of a value's Python type.
    static func typeName(_ view: PickleView) -> String {
        switch view.kind {
        case .none: "NoneType"
        case .object: view.object?.className?.name ?? "object"
        case .global: "type"
        default: "\(view.kind)".replacingString
        }
    }

    private static func typeName(_ value: PickleValue) -> String {
        switch value {
        case .none: "NoneType"
        case .bool: "bool"
        case .int, .bigInt: "int"
        case .float: "float"
        case .string: "str"
        case .bytes: "bytes"
        case .bytearray: "bytearray"
        case .list: "list"
        case .tuple: "tuple"
        case .dict: "dict"
        case .set: "set"
        case .frozenset: "frozenset"
        case .view(let view): typeName(view)
        default: "object"
        }
    }
}

extension String {
    fileprivate var replacingString: String { self == "string" ? "str" : self }
}
