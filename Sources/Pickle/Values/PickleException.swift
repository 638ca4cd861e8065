/// An exception, or any other object that is a class called with arguments: `ValueError('boom')`.
public struct PickleException: Sendable, Hashable, PickleCodable, CustomStringConvertible {
    /// The module by Python 3's name, `builtins` for Python's own.
    public var module: String
    /// The class.
    public var name: String
    /// The exception's `args`.
    public var arguments: [PickleValue]
    /// Its `__dict__`, when it has attributes of its own.
    public var state: PickleValue?

    public init(
        module: String = "builtins",
        name: String,
        arguments: [PickleValue] = [],
        state: PickleValue? = nil
    ) {
        self.module = module
        self.name = name
        self.arguments = arguments
        self.state = state
    }

    /// Reads `Class(*arguments)`; whether the class is an exception only Python knows. `nil` for anything else.
    public init?(_ view: PickleView) {
        guard let object = view.object, let names = object.className else { return nil }
        self.init(
            module: names.module,
            name: names.name,
            arguments: object.arguments.map { PickleValue($0) },
            state: object.state.map { PickleValue($0) }
        )
    }

    public init(pickle: PickleView) throws {
        guard let value = PickleException(pickle) else {
            throw PickleError.mismatch(expected: "exception", found: pickle)
        }
        self = value
    }

    public func encode(to writer: inout PickleWriter) throws {
        let value = PickleValue.reduce(PickleGlobal(module: module, name: name), arguments, state: state)
        try value.encode(to: &writer)
    }

    /// Python's `repr()`: `ValueError('boom')`.
    public var repr: String {
        let list = PickleValue.tuple(arguments).repr
        let shortName = name.split(separator: ".").last.map(String.init) ?? name
        return shortName + (arguments.count == 1 ? String(list.dropLast(2)) + ")" : list)
    }

    public var description: String { repr }
}
