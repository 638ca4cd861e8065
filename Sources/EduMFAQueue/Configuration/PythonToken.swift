/// A word of Python source, as far as a configuration file needs it.
enum PythonToken: Sendable, Hashable {
    case name(String)
    case number(String)
    /// A string or bytes literal, its escapes resolved.
    case string(PythonString)
    /// Brackets, operators and delimiters.
    case symbol(String)
}

/// A string literal.
struct PythonString: Sendable, Hashable {
    enum Content: Sendable, Hashable {
        case text(String)
        case bytes([UInt8])
        /// An f-string, or one whose text no Swift string can hold.
        case computed
    }

    var content: Content
}

/// One logical line: physical lines joined by brackets, triple quotes and backslashes.
struct PythonLine: Sendable {
    /// Where it begins, from 1.
    var number: Int
    var indentation: Int
    var tokens: [PythonToken]
}

/// Source that is no Python, or more of it than is understood here.
struct PythonSyntaxError: Error, Sendable, Hashable {
    var line: Int
}
