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
    public var path: String? {
        guard let object, let name = object.className, name.module == "pathlib" || name.module.hasPrefix("pathlib.")
        else { return nil }
        let separator = name.name.contains("Windows") ? "\\" : "/"
        var text = ""
        for part in object.arguments {
            guard let part = part.string else { return nil }
            if !text.isEmpty, !text.hasSuffix(separator) { text += separator }
            text += part
        }
        return text.isEmpty ? "." : text
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
