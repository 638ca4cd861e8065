public import BigInt

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A type that writes itself as one Python value.
public protocol PickleEncodable {
    /// Writes exactly one value.
    func encode(to writer: inout PickleWriter) throws
}

/// A type that is made from one Python value.
public protocol PickleDecodable {
    /// - Throws: ``PickleError`` with the code `typeMismatch` when the value is of another type.
    init(pickle: PickleView) throws
}

public typealias PickleCodable = PickleEncodable & PickleDecodable

extension PickleEncodable {
    /// The pickle of this value alone.
    public func pickled(protocol version: Int = 5) throws -> [UInt8] {
        var writer = PickleWriter(protocol: version)
        try encode(to: &writer)
        return try writer.finish()
    }
}

extension PickleDecodable {
    /// Decodes a pickle into this type.
    public init(unpickling bytes: [UInt8], limits: PickleLimits = .default) throws {
        try self.init(pickle: try PickleDocument(bytes, limits: limits).root)
    }
}

extension Bool: PickleCodable {
    public init(pickle: PickleView) throws {
        guard let value = pickle.bool else { throw PickleError.mismatch(expected: "bool", found: pickle) }
        self = value
    }

    public func encode(to writer: inout PickleWriter) { writer.write(self) }
}

/// Integers are Python's int, never bool, and must fit.
extension PickleDecodable where Self: FixedWidthInteger {
    public init(pickle: PickleView) throws {
        if let small = pickle.int, let value = Self(exactly: small) {
            self = value
        } else if let big = pickle.bigInt {
            guard let value = Self(exactly: big) else {
                throw PickleError.mismatch(expected: "int of \(Self.bitWidth) bits", found: pickle)
            }
            self = value
        } else {
            throw PickleError.mismatch(expected: "int", found: pickle)
        }
    }
}

extension PickleEncodable where Self: FixedWidthInteger {
    public func encode(to writer: inout PickleWriter) {
        if let value = Int(exactly: self) { writer.write(value) } else { writer.write(BigInt(self)) }
    }
}

extension Int: PickleCodable {}
extension Int8: PickleCodable {}
extension Int16: PickleCodable {}
extension Int32: PickleCodable {}
extension Int64: PickleCodable {}
extension UInt: PickleCodable {}
extension UInt8: PickleCodable {}
extension UInt16: PickleCodable {}
extension UInt32: PickleCodable {}
extension UInt64: PickleCodable {}

extension BigInt: PickleCodable {
    public init(pickle: PickleView) throws {
        guard let value = pickle.bigInt else { throw PickleError.mismatch(expected: "int", found: pickle) }
        self = value
    }

    public func encode(to writer: inout PickleWriter) { writer.write(self) }
}

/// Python's float; an int that a Double holds exactly is accepted too, as Python does wherever it wants a float.
extension Double: PickleCodable {
    public init(pickle: PickleView) throws {
        if let value = pickle.double {
            self = value
        } else if let value = pickle.int.flatMap(Double.init(exactly:)) {
            self = value
        } else {
            throw PickleError.mismatch(expected: "float", found: pickle)
        }
    }

    public func encode(to writer: inout PickleWriter) { writer.write(self) }
}

extension Float: PickleCodable {
    public init(pickle: PickleView) throws { self = Float(try Double(pickle: pickle)) }

    public func encode(to writer: inout PickleWriter) { writer.write(Double(self)) }
}

extension String: PickleCodable {
    public init(pickle: PickleView) throws {
        guard let value = pickle.string else { throw PickleError.mismatch(expected: "str", found: pickle) }
        self = value
    }

    public func encode(to writer: inout PickleWriter) { writer.write(self) }
}

/// None is `nil`.
extension Optional: PickleEncodable where Wrapped: PickleEncodable {
    public func encode(to writer: inout PickleWriter) throws {
        if let self { try self.encode(to: &writer) } else { writer.writeNone() }
    }
}

extension Optional: PickleDecodable where Wrapped: PickleDecodable {
    public init(pickle: PickleView) throws {
        self = pickle.isNone ? nil : try Wrapped(pickle: pickle)
    }
}

/// Written as a list; read from a list or a tuple.
extension Array: PickleEncodable where Element: PickleEncodable {
    public func encode(to writer: inout PickleWriter) throws {
        try writer.writeList(count: count) { writer in
            for element in self { try element.encode(to: &writer) }
        }
    }
}

extension Array: PickleDecodable where Element: PickleDecodable {
    public init(pickle: PickleView) throws {
        guard pickle.kind == .list || pickle.kind == .tuple, let elements = pickle.elements else {
            throw PickleError.mismatch(expected: "list", found: pickle)
        }
        self.init()
        reserveCapacity(elements.count)
        for element in elements { append(try Element(pickle: element)) }
    }
}

/// A dict; its order is lost.
extension Dictionary: PickleEncodable where Key: PickleEncodable, Value: PickleEncodable {
    public func encode(to writer: inout PickleWriter) throws {
        try writer.writeDict(count: count) { writer in
            for (key, value) in self {
                try key.encode(to: &writer)
                try value.encode(to: &writer)
            }
        }
    }
}

extension Dictionary: PickleDecodable where Key: PickleDecodable, Value: PickleDecodable {
    public init(pickle: PickleView) throws {
        guard let pairs = pickle.pairs else { throw PickleError.mismatch(expected: "dict", found: pickle) }
        self.init(minimumCapacity: pairs.count)
        for (key, value) in pairs { self[try Key(pickle: key)] = try Value(pickle: value) }
    }
}

/// Written as a set; read from a set or a frozenset.
extension Set: PickleEncodable where Element: PickleEncodable {
    public func encode(to writer: inout PickleWriter) throws {
        try writer.writeSet(count: count) { writer in
            for element in self { try element.encode(to: &writer) }
        }
    }
}

extension Set: PickleDecodable where Element: PickleDecodable {
    public init(pickle: PickleView) throws {
        guard pickle.kind == .set || pickle.kind == .frozenset, let elements = pickle.elements else {
            throw PickleError.mismatch(expected: "set", found: pickle)
        }
        self.init()
        for element in elements { insert(try Element(pickle: element)) }
    }
}

/// Python's bytes.
public struct PickleBytes: Sendable, Hashable, PickleCodable {
    /// The bytes themselves.
    public var bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public init(pickle: PickleView) throws {
        guard let bytes = pickle.bytes else { throw PickleError.mismatch(expected: "bytes", found: pickle) }
        self.bytes = bytes
    }

    public func encode(to writer: inout PickleWriter) { writer.write(bytes: bytes) }
}

/// Python's bytes.
extension Data: PickleCodable {
    public init(pickle: PickleView) throws { self.init(try PickleBytes(pickle: pickle).bytes) }

    public func encode(to writer: inout PickleWriter) { writer.write(bytes: self) }
}

extension PickleView: PickleCodable {
    public init(pickle: PickleView) { self = pickle }

    public func encode(to writer: inout PickleWriter) throws { try writer.write(self) }
}
