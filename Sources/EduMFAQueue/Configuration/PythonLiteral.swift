import Pickle

/// Reads Python's literals, as `ast.literal_eval` does: strings of all prefixes and their concatenation, numbers, True, False, None, lists,
/// tuples, dicts and sets, nested. Beyond that the levels of `logging`, which configurations are full of.
struct PythonLiteral {
    private let tokens: ArraySlice<PythonToken>
    private var position: Int
    private var depth = 0

    /// CPython's own bound of nested brackets.
    private static let maximumDepth = 200

    /// The value of these tokens; nil when they are more than a literal.
    static func value(of tokens: ArraySlice<PythonToken>) -> PickleValue? {
        var literal = PythonLiteral(tokens: tokens, position: tokens.startIndex)
        guard let value = literal.expressionList(), literal.position == tokens.endIndex else { return nil }
        return value
    }

    /// The value of a text, such as an environment variable's: None, True, False and plain ints are what they are in Python, everything else
    /// is a string.
    static func value(ofText text: String) -> PickleValue {
        switch text {
        case "None": .none
        case "True": .bool(true)
        case "False": .bool(false)
        default: Int(text).flatMap { String($0) == text ? .int($0) : nil } ?? .string(text)
        }
    }

    private var current: PythonToken? { position < tokens.endIndex ? tokens[position] : nil }

    private mutating func accept(_ symbol: String) -> Bool {
        guard current == .symbol(symbol) else { return false }
        position += 1
        return true
    }

    /// A value, or values with commas: a tuple without brackets.
    private mutating func expressionList(until end: String? = nil) -> PickleValue? {
        guard let first = expression() else { return nil }
        guard current == .symbol(",") else { return first }
        var values = [first]
        while accept(",") {
            if current == nil || current == end.map(PythonToken.symbol) { break }
            guard let value = expression() else { return nil }
            values.append(value)
        }
        return .tuple(values)
    }

    private mutating func expression() -> PickleValue? {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth, let token = current else { return nil }
        position += 1
        switch token {
        case .string(let string): return strings(string)
        case .number(let text): return PythonNumber.value(text)
        case .name(let name): return named(name)
        case .symbol("-"): return signed(-1)
        case .symbol("+"): return signed(1)
        case .symbol("("):
            if accept(")") { return .tuple([]) }
            guard let value = expressionList(until: ")"), accept(")") else { return nil }
            return value
        case .symbol("["): return elements(until: "]").map { .list($0) }
        case .symbol("{"): return braces()
        default: return nil
        }
    }

    private mutating func named(_ name: String) -> PickleValue? {
        switch name {
        case "True": return .bool(true)
        case "False": return .bool(false)
        case "None": return PickleValue.none
        case "logging":
            guard accept("."), case .name(let level)? = current, let value = Self.levels[level] else { return nil }
            position += 1
            return .int(value)
        default: return nil
        }
    }

    /// The constants of Python's `logging`.
    static let levels = [
        "CRITICAL": 50, "FATAL": 50, "ERROR": 40, "WARNING": 30, "WARN": 30, "INFO": 20, "DEBUG": 10, "NOTSET": 0,
    ]

    private mutating func signed(_ sign: Int) -> PickleValue? {
        guard case .number(let text)? = current else { return nil }
        position += 1
        switch PythonNumber.value(text) {
        case .int(let value)?: return .int(sign * value)
        case .float(let value)?: return .float(Double(sign) * value)
        default: return nil
        }
    }

    /// Literals that stand side by side are one.
    private mutating func strings(_ first: PythonString) -> PickleValue? {
        switch first.content {
        case .text(var text):
            while case .string(let next)? = current {
                guard case .text(let more) = next.content else { return nil }
                text += more
                position += 1
            }
            return .string(text)
        case .bytes(var bytes):
            while case .string(let next)? = current {
                guard case .bytes(let more) = next.content else { return nil }
                bytes += more
                position += 1
            }
            return .bytes(bytes)
        case .computed: return nil
        }
    }

    private mutating func elements(until end: String) -> [PickleValue]? {
        var values: [PickleValue] = []
        while !accept(end) {
            if !values.isEmpty {
                guard accept(",") else { return nil }
                if accept(end) { break }
            }
            guard let value = expression() else { return nil }
            values.append(value)
        }
        return values
    }

    private mutating func braces() -> PickleValue? {
        if accept("}") { return .dict(PickleDictionary()) }
        guard let first = expression() else { return nil }
        guard accept(":") else { return set(first) }
        guard let value = expression() else { return nil }
        var pairs = [(key: first, value: value)]
        while !accept("}") {
            guard accept(",") else { return nil }
            if accept("}") { break }
            guard let key = expression(), accept(":"), let value = expression() else { return nil }
            pairs.append((key, value))
        }
        return .dict(PickleDictionary(pairs))
    }

    private mutating func set(_ first: PickleValue) -> PickleValue? {
        guard current == .symbol("}") || accept(","), let rest = elements(until: "}") else { return nil }
        return .set([first] + rest)
    }
}
