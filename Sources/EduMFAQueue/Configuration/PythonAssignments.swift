package import Pickle

/// The module-level assignments of a Python file, as far as they can be read without running it.
package struct PythonAssignments: Sendable {
    /// What a name is bound to when the file has run.
    package enum Binding: Sendable, Hashable {
        case value(PickleValue)
        /// It depends on what stands in this line.
        case expression(line: Int)
    }

    package private(set) var bindings: [String: Binding] = [:]
    /// A line that may bind any name, such as `from … import *`, or one that could not be read at all.
    package private(set) var opaqueLine: Int?
    /// The first line that is no Python, as far as that can be told without Python.
    private(set) var syntaxErrorLine: Int?

    /// Reads a source file in UTF-8.
    package init(source: [UInt8]) {
        guard String(validating: source, as: UTF8.self) != nil else {
            opaqueLine = 1
            return
        }
        let (lines, error) = PythonTokenizer.lines(of: source)
        var block = Block.none
        for line in lines {
            if line.indentation == 0 { block = .none }
            if syntaxErrorLine == nil, line.hasAdjacentOperands {
                syntaxErrorLine = line.number
                opaqueLine = line.number
            }
            switch block {
            case .function: readGlobals(line)
            case .plain: readStores(line.tokens[...], line.number)
            case .none:
                block = Block(openedBy: line)
                switch block {
                case .none: readStatements(line)
                case .plain: readStores(line.tokens[...], line.number)
                case .function: readGlobals(line)
                }
            }
        }
        if let error {
            opaqueLine = error.line
            syntaxErrorLine = syntaxErrorLine ?? error.line
        }
    }

    /// What an indented line belongs to.
    private enum Block {
        case none
        /// Names that a function or class binds are its own.
        case function
        case plain

        init(openedBy line: PythonLine) {
            switch line.tokens.first {
            case .name("def"), .name("class"), .name("async"): self = .function
            case .name("if"), .name("elif"), .name("else"), .name("for"), .name("while"), .name("try"), .name("except"),
                .name("finally"), .name("with"):
                self = .plain
            case .name("match") where line.tokens.last == .symbol(":"): self = .plain
            default: self = .none
            }
        }
    }

    private mutating func readStatements(_ line: PythonLine) {
        for statement in line.tokens.split(separator: .symbol(";")) {
            if !readAssignment(statement) { readStores(statement, line.number) }
        }
    }

    /// `NAME = literal`, `A = B = literal`, `NAME: type = literal`; whether it was one.
    private mutating func readAssignment(_ statement: ArraySlice<PythonToken>) -> Bool {
        let sides = statement.splitAtDepthZero("=")
        guard sides.count >= 2, let right = sides.last, let value = PythonLiteral.value(of: right) else { return false }
        var names: [String] = []
        for target in sides.dropLast() {
            guard case .name(let name)? = target.first else { return false }
            let isAnnotated = sides.count == 2 && target.dropFirst().first == .symbol(":")
            guard target.count == 1 || isAnnotated else { return false }
            names.append(name)
        }
        for name in names { bindings[name] = .value(value) }
        return true
    }

    /// Notes the names that a statement may bind or change in a way that is not read here.
    private mutating func readStores(_ tokens: ArraySlice<PythonToken>, _ line: Int) {
        let stores = StoredNames(tokens)
        for name in stores.names { bindings[name] = .expression(line: line) }
        if stores.mayBindAnything { opaqueLine = line }
    }

    private mutating func readGlobals(_ line: PythonLine) {
        guard line.tokens.first == .name("global") else { return }
        for case .name(let name) in line.tokens.dropFirst() { bindings[name] = .expression(line: line.number) }
    }
}

extension ArraySlice<PythonToken> {
    /// The parts between the symbols that stand outside of all brackets.
    fileprivate func splitAtDepthZero(_ symbol: String) -> [ArraySlice<PythonToken>] {
        var (parts, start, depth) = ([ArraySlice<PythonToken>](), startIndex, 0)
        for index in indices {
            guard case .symbol(let text) = self[index] else { continue }
            switch text {
            case "(", "[", "{": depth += 1
            case ")", "]", "}": depth -= 1
            case symbol where depth == 0:
                parts.append(self[start..<index])
                start = index + 1
            default: break
            }
        }
        return parts + [self[start...]]
    }
}

/// Which names a statement may bind, without understanding it: rather too many than too few.
private struct StoredNames {
    private(set) var names: Set<String> = []
    private(set) var mayBindAnything = false

    private static let assignments: Set<String> = [
        "=", "+=", "-=", "*=", "/=", "//=", "%=", "**=", "&=", "|=", "^=", "@=", ">>=", "<<=",
    ]

    init(_ tokens: ArraySlice<PythonToken>) {
        let tokens = Array(tokens)
        var depth = 0
        var end = 0
        // Whether the names here are bound by a word before them: `for a, b in`, `import a, b`.
        var isBinding = false
        for (index, token) in tokens.enumerated() {
            if token == .name("in") || token == .symbol(":") { isBinding = false }
            if isBinding { addName(at: index, of: tokens) }
            switch token {
            case .symbol("("), .symbol("["), .symbol("{"): depth += 1
            case .symbol(")"), .symbol("]"), .symbol("}"): depth -= 1
            case .symbol(":="): addName(at: index - 1, of: tokens)
            case .symbol(let text) where depth == 0 && Self.assignments.contains(text): end = index
            case .name("for") where depth == 0, .name("as"), .name("import"), .name("del"), .name("global"):
                isBinding = true
            case .name("exec"), .name("globals"), .name("locals"), .name("vars"), .name("setattr"):
                mayBindAnything = true
            default: break
            }
        }
        if tokens.contains(.name("import")), tokens.last == .symbol("*") { mayBindAnything = true }
        for index in 0..<end { addName(at: index, of: tokens) }
        // `NAME.update(…)` and the like change what the name holds.
        if tokens.count > 1, tokens[1] == .symbol(".") { addName(at: 0, of: tokens) }
    }

    private mutating func addName(at index: Int, of tokens: [PythonToken]) {
        guard index >= 0, case .name(let name) = tokens[index] else { return }
        if index > 0, tokens[index - 1] == .symbol(".") { return }
        names.insert(name)
    }
}

extension PythonLine {
    /// Words after which, or before which, Python takes a name, a number or a string without an operator between them.
    private static let keywords: Set<String> = [
        "and", "as", "assert", "async", "await", "break", "case", "class", "continue", "def", "del", "elif", "else",
        "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "match", "nonlocal", "not",
        "or", "pass", "raise", "return", "try", "type", "while", "with", "yield",
    ]

    /// Whether two values stand side by side, as in `NAME 'value'`: a forgotten operator.
    fileprivate var hasAdjacentOperands: Bool {
        zip(tokens, tokens.dropFirst()).contains { pair in
            if case (.string, .string) = pair { return false }
            return Self.isOperand(pair.0) && Self.isOperand(pair.1)
        }
    }

    private static func isOperand(_ token: PythonToken) -> Bool {
        switch token {
        case .name(let name): !keywords.contains(name)
        case .number, .string: true
        case .symbol: false
        }
    }
}
