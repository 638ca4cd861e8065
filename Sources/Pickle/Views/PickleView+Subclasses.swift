extension PickleView {
    /// The pairs of a dict or of a mapping that pickles as one: OrderedDict, defaultdict, Counter, any subclass of dict.
    public var mapping: Pairs? {
        if let pairs { return pairs }
        guard let object else { return nil }
        if !object.dictItems.isEmpty { return object.dictItems }
        if object.isInstance(of: "collections", "Counter") { return object.arguments.first?.pairs }
        if object.isInstance(of: "collections", "OrderedDict") || object.isInstance(of: "collections", "defaultdict") {
            // Empty; or OrderedDict([[key, value] …]) of Python 2, which has no pairs to show.
            return object.arguments.first?.elements == nil ? object.dictItems : nil
        }
        return nil
    }

    /// The elements of a list, tuple, set, frozenset or deque, or of a subclass of list.
    public var sequence: Elements? {
        if let elements { return elements }
        guard let object else { return nil }
        if !object.listItems.isEmpty { return object.listItems }
        guard object.isInstance(of: "collections", "deque") else { return nil }
        return object.arguments.first?.elements ?? object.listItems
    }

    /// A `pathlib` path as text.
    public var path: String? { (try? PicklePath(pickle: self))?.text }

    /// A str; Python 2's in the encoding that its reader chooses, as `encoding=` of `pickle.loads` does.
    public func string(python2 encoding: PickleTextEncoding) -> String? {
        guard isPython2String, let bytes else { return string }
        switch encoding {
        case .ascii: return bytes.allSatisfy { $0 < 0x80 } ? String(decoding: bytes, as: UTF8.self) : nil
        case .latin1: return String(String.UnicodeScalarView(bytes.map { UnicodeScalar($0) }))
        case .utf8: return String(validating: bytes, as: UTF8.self)
        }
    }

    /// Decodes the elements of a list or tuple, each into its own type, such as a task's positional arguments:
    /// `let (name, size) = try arguments.decode(String.self, Int.self)`.
    ///
    /// - Throws: ``PickleError`` with the code `wrongCount` or `typeMismatch`.
    public func decode<each Value: PickleDecodable>(
        _ types: repeat (each Value).Type
    ) throws -> (repeat each Value) {
        guard kind == .tuple || kind == .list, let elements else {
            throw PickleError.mismatch(expected: "tuple", found: self)
        }
        var count = 0
        for _ in repeat (each types) { count += 1 }
        guard elements.count == count else {
            throw PickleError(.wrongCount, "expected \(count) values, found \(elements.count)")
        }
        var place = 0
        func next<T: PickleDecodable>(_ type: T.Type) throws -> T {
            defer { place += 1 }
            return try T(pickle: elements[place])
        }
        return (repeat try next(each types))
    }
}

extension PickleWriter {
    /// A tuple of values of different types.
    public mutating func writeTuple<each Value: PickleEncodable>(of values: repeat each Value) throws {
        var count = 0
        for _ in repeat (each values) { count += 1 }
        try writeTuple(count: count) { writer in
            for value in repeat (each values) { try value.encode(to: &writer) }
        }
    }
}

/// What the bytes of a Python 2 str stand for.
public enum PickleTextEncoding: Sendable, Hashable {
    /// The default of `pickle.loads`.
    case ascii
    /// What numpy's and datetime's pickles need.
    case latin1
    case utf8
}
