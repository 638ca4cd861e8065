/// `collections.OrderedDict`, `defaultdict` or `Counter`.
public struct PickleMapping: Sendable, Hashable, PickleCodable {
    /// Which of them.
    public enum Kind: Sendable, Hashable {
        case orderedDict
        /// The class or function that makes missing values; `nil` when there is none.
        case defaultDict(PickleGlobal?)
        case counter
    }

    public var kind: Kind
    /// What it holds, in insertion order.
    public var pairs: PickleDictionary

    public init(_ kind: Kind, _ pairs: PickleDictionary) {
        self.kind = kind
        self.pairs = pairs
    }

    public init(pickle: PickleView) throws {
        guard let object = pickle.object, let kind = Self.kind(object), let pairs = pickle.mapping else {
            throw PickleError.mismatch(expected: "OrderedDict, defaultdict or Counter", found: pickle)
        }
        self.init(kind, PickleDictionary(pairs.map { (PickleValue($0.key), PickleValue($0.value)) }))
    }

    private static func kind(_ object: PickleObject) -> Kind? {
        if object.isInstance(of: "collections", "OrderedDict") { return .orderedDict }
        if object.isInstance(of: "collections", "Counter") { return .counter }
        guard object.isInstance(of: "collections", "defaultdict") else { return nil }
        guard let factory = object.arguments.first, !factory.isNone else { return .defaultDict(nil) }
        return factory.global.map { .defaultDict($0.inPython3) }
    }

    public func encode(to writer: inout PickleWriter) throws {
        switch kind {
        case .counter:
            try writer.writeReduce(module: "collections", name: "Counter", argumentCount: 1) { writer in
                try PickleValue.dict(pairs).encode(to: &writer)
            }
        case .orderedDict:
            writer.writeReduce(module: "collections", name: "OrderedDict", argumentCount: 0) { _ in }
            try writeItems(to: &writer)
        case .defaultDict(let factory):
            let count = factory == nil ? 0 : 1
            writer.writeReduce(module: "collections", name: "defaultdict", argumentCount: count) { writer in
                if let factory { writer.writeGlobal(module: factory.module, name: factory.name) }
            }
            try writeItems(to: &writer)
        }
    }

    private func writeItems(to writer: inout PickleWriter) throws {
        try writer.setItems(count: pairs.count) { writer in
            for (key, value) in pairs {
                try key.encode(to: &writer)
                try value.encode(to: &writer)
            }
        }
    }
}

/// `collections.deque`.
public struct PickleDeque: Sendable, Hashable, PickleCodable {
    public var elements: [PickleValue]
    /// `maxlen`.
    public var maximumLength: Int?

    public init(_ elements: [PickleValue], maximumLength: Int? = nil) {
        self.elements = elements
        self.maximumLength = maximumLength
    }

    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "collections", "deque"), let elements = pickle.sequence,
            let limit = Self.maximumLength(object.arguments.dropFirst().first)
        else { throw PickleError.mismatch(expected: "collections.deque", found: pickle) }
        // Of too many the last ones stay, as in Python.
        self.init(elements.suffix(limit ?? .max).map { PickleValue($0) }, maximumLength: limit)
    }

    /// None, or an int that is not negative; nil for what Python refuses.
    private static func maximumLength(_ view: PickleView?) -> Int?? {
        guard let view, !view.isNone else { return .some(nil) }
        guard let limit = view.pythonInt, limit >= 0 else { return nil }
        return .some(limit)
    }

    public func encode(to writer: inout PickleWriter) throws {
        let count = maximumLength == nil ? 0 : 2
        writer.writeReduce(module: "collections", name: "deque", argumentCount: count) { writer in
            guard let maximumLength else { return }
            writer.writeTuple(count: 0) { _ in }
            writer.write(maximumLength)
        }
        try writer.appendItems(count: elements.count) { writer in
            for element in elements { try element.encode(to: &writer) }
        }
    }
}

/// A namedtuple: its class and its fields, whose names are not in a pickle.
public struct PickleNamedTuple: Sendable, Hashable, PickleCodable {
    public var type: PickleGlobal
    public var fields: [PickleValue]

    public init(_ type: PickleGlobal, _ fields: [PickleValue]) {
        self.type = type
        self.fields = fields
    }

    /// Reads whatever is made from positional arguments by its class alone, which namedtuples are.
    public init(pickle: PickleView) throws {
        guard let object = pickle.object, let type = object.className, object.isPlain, object.isNew else {
            throw PickleError.mismatch(expected: "namedtuple", found: pickle)
        }
        self.init(type, object.arguments.map { PickleValue($0) })
    }

    public func encode(to writer: inout PickleWriter) throws {
        try PickleValue.newObject(type, fields, state: nil).encode(to: &writer)
    }
}

/// A member of an Enum: its class and its value.
public struct PickleEnumMember: Sendable, Hashable, PickleCodable {
    public var type: PickleGlobal
    public var value: PickleValue

    public init(_ type: PickleGlobal, _ value: PickleValue) {
        self.type = type
        self.value = value
    }

    /// Reads whatever is a class called with one argument, which members are.
    public init(pickle: PickleView) throws {
        guard let object = pickle.object, let type = object.className, object.isPlain, !object.isNew,
            object.arguments.count == 1
        else { throw PickleError.mismatch(expected: "enum member", found: pickle) }
        self.init(type, PickleValue(object.arguments[0]))
    }

    public func encode(to writer: inout PickleWriter) throws {
        try PickleValue.reduce(type, [value], state: nil).encode(to: &writer)
    }
}
