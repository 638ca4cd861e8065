public import BigInt

/// A Python value to look at and to build with.
///
///     let value: PickleValue = ["name": "cat.png", "sizes": [640, 480], "tags": .tuple(["a", nil])]
///
/// Sharing is lost, except inside of ``view(_:)``.
public indirect enum PickleValue: Sendable, Hashable {
    case none
    case bool(Bool)
    case int(Int)
    /// An int of any size. Equal to ``int(_:)`` only after ``init(_:)``, which uses it for what does not fit.
    case bigInt(BigInt)
    case float(Double)
    case string(String)
    case bytes([UInt8])
    case bytearray([UInt8])
    case list([PickleValue])
    case tuple([PickleValue])
    case dict(PickleDictionary)
    case set([PickleValue])
    case frozenset([PickleValue])
    /// A class or function.
    case global(PickleGlobal)
    /// What calling `global` with these arguments gives, and the state that is set on it.
    case reduce(PickleGlobal, [PickleValue], state: PickleValue?)
    /// What `__new__` of the class with these arguments gives, such as a namedtuple.
    case newObject(PickleGlobal, [PickleValue], state: PickleValue?)
    /// Anything else, carried by identity: written as it was, with its sharing.
    case view(PickleView)

    /// `module.name(*arguments)`, such as `.call("builtins", "ValueError", ["boom"])`.
    public static func call(_ module: String, _ name: String, _ arguments: [PickleValue]) -> PickleValue {
        .reduce(PickleGlobal(module: module, name: name), arguments, state: nil)
    }
}

/// A dict: any keys, in insertion order.
public struct PickleDictionary: Sendable, Hashable, ExpressibleByDictionaryLiteral, RandomAccessCollection {
    private var pairs: [Pair] = []

    private struct Pair: Sendable, Hashable {
        var key: PickleValue
        var value: PickleValue
    }

    public init() {}

    /// Of equal keys the first stays and the last value wins.
    public init(_ pairs: some Sequence<(key: PickleValue, value: PickleValue)>) {
        var places: [PickleValue: Int] = [:]
        for (key, value) in pairs {
            if let place = places[key] {
                self.pairs[place].value = value
            } else {
                places[key] = self.pairs.count
                self.pairs.append(Pair(key: key, value: value))
            }
        }
    }

    public init(dictionaryLiteral elements: (PickleValue, PickleValue)...) {
        self.init(elements.map { (key: $0.0, value: $0.1) })
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { pairs.count }
    public subscript(position: Int) -> (key: PickleValue, value: PickleValue) {
        (pairs[position].key, pairs[position].value)
    }

    /// The value of a key; setting `nil` removes the pair.
    ///
    /// - Complexity: O(n).
    public subscript(key: PickleValue) -> PickleValue? {
        get { pairs.first { $0.key == key }?.value }
        set {
            let place = pairs.firstIndex { $0.key == key }
            switch (place, newValue) {
            case (let place?, let value?): pairs[place].value = value
            case (let place?, nil): pairs.remove(at: place)
            case (nil, let value?): pairs.append(Pair(key: key, value: value))
            case (nil, nil): break
            }
        }
    }
}

extension PickleValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .none }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .float(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: PickleValue...) { self = .list(elements) }
    public init(dictionaryLiteral elements: (PickleValue, PickleValue)...) {
        self = .dict(PickleDictionary(elements.map { (key: $0.0, value: $0.1) }))
    }
}

extension PickleValue: PickleCodable {
    /// Converts plain data. What has no Swift meaning, holds itself or nests deeper than 200 stays a ``view(_:)``.
    ///
    /// - Complexity: O(n), n being the nodes of the document: what is referred to again and again is converted once.
    public init(_ view: PickleView) {
        var conversion = Conversion()
        self = conversion.value(of: view, depth: 0)
    }

    public init(pickle: PickleView) { self.init(pickle) }

    private struct Conversion {
        /// Containers that are referred to more than once.
        var shared: [NodeIndex: PickleValue] = [:]

        mutating func value(of view: PickleView, depth: Int) -> PickleValue {
            switch view.kind {
            case .none: return .none
            case .bool: return .bool(view.bool ?? false)
            case .int: return view.int.map { .int($0) } ?? view.bigInt.map { .bigInt($0) } ?? .view(view)
            case .float: return .float(view.double ?? 0)
            case .string: return view.string.map { .string($0) } ?? .view(view)
            case .bytes: return view.isPython2String ? .view(view) : .bytes(view.bytes ?? [])
            case .bytearray: return .bytearray(view.bytes ?? [])
            case .global: return view.global.map { .global($0.inPython3) } ?? .view(view)
            case .object, .persistentID, .extensionCode, .buffer: return .view(view)
            case .list, .tuple, .set, .frozenset, .dict: break
            }
            if depth >= 200 || view.document.hasCycles { return .view(view) }
            guard view.node.has(Node.fetched) else { return container(view, depth: depth) }
            if let known = shared[view.index] { return known }
            let value = container(view, depth: depth)
            shared[view.index] = value
            return value
        }

        private mutating func container(_ view: PickleView, depth: Int) -> PickleValue {
            if let pairs = view.pairs {
                var converted: [(key: PickleValue, value: PickleValue)] = []
                converted.reserveCapacity(pairs.count)
                for (key, value) in pairs {
                    converted.append((self.value(of: key, depth: depth + 1), self.value(of: value, depth: depth + 1)))
                }
                return .dict(PickleDictionary(converted))
            }
            var elements: [PickleValue] = []
            for element in view.elements ?? .init(view.document, first: 0, count: 0) {
                elements.append(value(of: element, depth: depth + 1))
            }
            switch view.kind {
            case .list: return .list(elements)
            case .tuple: return .tuple(elements)
            case .set: return .set(elements)
            default: return .frozenset(elements)
            }
        }
    }

    public func encode(to writer: inout PickleWriter) throws {
        func all(_ values: [PickleValue], _ writer: inout PickleWriter) throws {
            for value in values { try value.encode(to: &writer) }
        }
        switch self {
        case .none: writer.writeNone()
        case .bool(let value): writer.write(value)
        case .int(let value): writer.write(value)
        case .bigInt(let value): writer.write(value)
        case .float(let value): writer.write(value)
        case .string(let value): writer.write(value)
        case .bytes(let value): writer.write(bytes: value)
        case .bytearray(let value): writer.write(bytearray: value)
        case .list(let values): try writer.writeList(count: values.count) { try all(values, &$0) }
        case .tuple(let values): try writer.writeTuple(count: values.count) { try all(values, &$0) }
        case .set(let values): try writer.writeSet(count: values.count) { try all(values, &$0) }
        case .frozenset(let values): try writer.writeFrozenset(count: values.count) { try all(values, &$0) }
        case .dict(let pairs):
            try writer.writeDict(count: pairs.count) { writer in
                for (key, value) in pairs {
                    try key.encode(to: &writer)
                    try value.encode(to: &writer)
                }
            }
        case .global(let names): writer.writeGlobal(module: names.module, name: names.name)
        case .reduce(let names, let arguments, nil):
            try writer.writeReduce(module: names.module, name: names.name, argumentCount: arguments.count) {
                try all(arguments, &$0)
            }
        case .reduce(let names, let arguments, let state?):
            try writer.writeReduce(
                module: names.module,
                name: names.name,
                argumentCount: arguments.count,
                state: { try state.encode(to: &$0) }
            ) { try all(arguments, &$0) }
        case .newObject(let names, let arguments, nil):
            try writer.writeNewObject(module: names.module, name: names.name, argumentCount: arguments.count) {
                try all(arguments, &$0)
            }
        case .newObject(let names, let arguments, let state?):
            try writer.writeNewObject(
                module: names.module,
                name: names.name,
                argumentCount: arguments.count,
                state: { try state.encode(to: &$0) }
            ) { try all(arguments, &$0) }
        case .view(let view): try writer.write(view)
        }
    }
}

extension PickleView: Hashable {
    /// By identity: the same node of the same document.
    public static func == (left: PickleView, right: PickleView) -> Bool { left.isIdentical(to: right) }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(document))
        hasher.combine(index)
    }
}

extension PickleValue {
    /// What was built here may be of any size; its integers are printed as others are.
    private static let ownLimits = PickleLimits(
        bytes: .max,
        nodes: .max,
        nesting: .max,
        expansion: .max,
        memory: .max
    )

    /// Python's `repr()`, cut off after about 100,000 characters.
    public var repr: String {
        guard let bytes = try? pickled(), let document = try? PickleDocument(bytes, limits: Self.ownLimits) else {
            return "<value that cannot be pickled>"
        }
        return document.root.repr
    }
}

extension PickleValue: CustomStringConvertible {
    /// Python's `repr()`.
    public var description: String { repr }
}
