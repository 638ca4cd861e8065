public import Pickle

/// One parameter of a task, with Python's kinds. A string literal is an ordinary parameter without default.
///
/// ```swift
/// // def concat(a, b='!', *, sep='-')
/// huey.task("tasks.concat", parameters: "a", .optional("b", "!"), .keywordOnly("sep", "-")) { … }
/// ```
public struct Parameter: Sendable, ExpressibleByStringLiteral {
    enum Kind: Sendable {
        case positionalOrKeyword
        case keywordOnly
        case variadic
        case keywords
    }

    let name: String
    let kind: Kind
    let defaultValue: PickleValue?

    init(name: String, kind: Kind, defaultValue: PickleValue? = nil) {
        self.name = name
        self.kind = kind
        self.defaultValue = defaultValue
    }

    public init(stringLiteral name: String) { self.init(name: name, kind: .positionalOrKeyword) }

    /// A parameter without default, given by position or by name.
    public static func required(_ name: String) -> Parameter { Parameter(name: name, kind: .positionalOrKeyword) }

    /// A parameter with a default, given by position or by name.
    public static func optional(_ name: String, _ defaultValue: PickleValue) -> Parameter {
        Parameter(name: name, kind: .positionalOrKeyword, defaultValue: defaultValue)
    }

    /// A parameter behind Python's `*`; required when it has no default.
    public static func keywordOnly(_ name: String, _ defaultValue: PickleValue? = nil) -> Parameter {
        Parameter(name: name, kind: .keywordOnly, defaultValue: defaultValue)
    }

    /// Python's `*args`: all further positional arguments, as one tuple.
    public static func variadic(_ name: String) -> Parameter { Parameter(name: name, kind: .variadic) }

    /// Python's `**kwargs`: all further keyword arguments, as one dict.
    public static func keywords(_ name: String) -> Parameter { Parameter(name: name, kind: .keywords) }
}
