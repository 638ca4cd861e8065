/// Cuts Python source into logical lines of tokens. Mirrors CPython's `tokenize`, without its keywords and encodings: the source is UTF-8.
struct PythonTokenizer {
    private let source: [UInt8]
    private var position = 0
    private var line = 1
    private var depth = 0
    /// The symbols of more than one character, longest first.
    private static let longSymbols = [
        "**=", "//=", ">>=", "<<=", "...", "->", ":=", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "&=", "|=",
        "^=", "@=", "**", "//", "<<", ">>",
    ].map { Array($0.utf8) }

    init(_ source: [UInt8]) {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        self.source = source.starts(with: mark) ? Array(source.dropFirst(mark.count)) : source
    }

    /// The lines of a source up to the first that cannot be read, and where that is.
    static func lines(of source: [UInt8]) -> (lines: [PythonLine], error: PythonSyntaxError?) {
        var tokenizer = PythonTokenizer(source)
        var lines: [PythonLine] = []
        do throws(PythonSyntaxError) {
            while let line = try tokenizer.nextLine() { lines.append(line) }
            return (lines, nil)
        } catch {
            return (lines, error)
        }
    }

    private mutating func nextLine() throws(PythonSyntaxError) -> PythonLine? {
        while true {
            let indentation = skipIndentation()
            guard let first = peek() else { return nil }
            if Self.isNewline(first) {
                skipNewline()
            } else if first == UInt8(ascii: "#") {
                skipComment()
            } else {
                return try logicalLine(indentation)
            }
        }
    }

    private mutating func logicalLine(_ indentation: Int) throws(PythonSyntaxError) -> PythonLine {
        var result = PythonLine(number: line, indentation: indentation, tokens: [])
        while let byte = peek() {
            if Self.isNewline(byte) {
                skipNewline()
                if depth == 0 { return result }
            } else if Self.isBlank(byte) {
                position += 1
            } else if byte == UInt8(ascii: "#") {
                skipComment()
            } else if byte == UInt8(ascii: "\\") {
                position += 1
                guard let next = peek(), Self.isNewline(next) else { throw failure }
                skipNewline()
            } else {
                result.tokens.append(try token(byte))
            }
        }
        guard depth == 0 else { throw PythonSyntaxError(line: result.number) }
        return result
    }

    private mutating func token(_ byte: UInt8) throws(PythonSyntaxError) -> PythonToken {
        if Self.isDigit(byte) || (byte == UInt8(ascii: ".") && peek(1).map(Self.isDigit) == true) {
            return .number(number())
        }
        if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") { return .string(try string(prefix: "")) }
        if Self.isNameByte(byte) {
            let name = take(while: Self.isNameByte)
            let prefix = name.lowercased()
            if let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\""),
                ["r", "u", "b", "br", "rb", "f", "fr", "rf", "t", "tr", "rt"].contains(prefix)
            {
                return .string(try string(prefix: prefix))
            }
            return .name(name)
        }
        return .symbol(try symbol(byte))
    }

    private mutating func symbol(_ byte: UInt8) throws(PythonSyntaxError) -> String {
        for symbol in Self.longSymbols where source[position...].starts(with: symbol) {
            position += symbol.count
            return String(decoding: symbol, as: UTF8.self)
        }
        switch byte {
        case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
        case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
        default:
            guard "+-*/%@&|^~<>=.,:;!".utf8.contains(byte) else { throw failure }
        }
        position += 1
        return String(UnicodeScalar(byte))
    }

    /// Digits, letters, underscores and dots, and a sign behind an exponent; whether it is a number is for its reader to say.
    private mutating func number() -> String {
        let start = position
        let isHexadecimal = peek() == UInt8(ascii: "0") && (peek(1).map { $0 | 0x20 } == UInt8(ascii: "x"))
        while let byte = peek() {
            let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            let follows = position > start && source[position - 1] | 0x20 == UInt8(ascii: "e") && !isHexadecimal
            guard byte == UInt8(ascii: ".") || Self.isNameByte(byte) || (isSign && follows) else { break }
            position += 1
        }
        return String(decoding: source[start..<position], as: UTF8.self)
    }

    // MARK: strings

    private mutating func string(prefix: String) throws(PythonSyntaxError) -> PythonString {
        let start = PythonSyntaxError(line: line)
        let quote = source[position]
        let isTriple = peek(1) == quote && peek(2) == quote
        position += isTriple ? 3 : 1
        var raw: [UInt8] = []
        while let byte = peek() {
            if byte == quote, !isTriple || (peek(1) == quote && peek(2) == quote) {
                position += isTriple ? 3 : 1
                return PythonStringDecoder.decode(raw, prefix: prefix).map(PythonString.init)
                    ?? PythonString(content: .computed)
            }
            if byte == UInt8(ascii: "\\") {
                raw.append(byte)
                position += 1
                guard let next = peek() else { throw start }
                if Self.isNewline(next) {
                    skipNewline()
                    raw.append(UInt8(ascii: "\n"))
                } else {
                    raw.append(next)
                    position += 1
                }
            } else if Self.isNewline(byte) {
                guard isTriple else { throw start }
                skipNewline()
                raw.append(UInt8(ascii: "\n"))
            } else {
                raw.append(byte)
                position += 1
            }
        }
        throw start
    }

    // MARK: characters

    private var failure: PythonSyntaxError { PythonSyntaxError(line: line) }

    private func peek(_ offset: Int = 0) -> UInt8? {
        position + offset < source.count ? source[position + offset] : nil
    }

    private mutating func take(while condition: (UInt8) -> Bool) -> String {
        let start = position
        while let byte = peek(), condition(byte) { position += 1 }
        return String(decoding: source[start..<position], as: UTF8.self)
    }

    private mutating func skipIndentation() -> Int {
        var column = 0
        while let byte = peek(), Self.isBlank(byte) {
            switch byte {
            case UInt8(ascii: "\t"): column = (column / 8 + 1) * 8
            case 0x0C: column = 0
            default: column += 1
            }
            position += 1
        }
        return column
    }

    private mutating func skipComment() {
        while let byte = peek(), !Self.isNewline(byte) { position += 1 }
    }

    private mutating func skipNewline() {
        position += peek() == 0x0D && peek(1) == 0x0A ? 2 : 1
        line += 1
    }

    private static func isNewline(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0C }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        Self.isDigit(byte) || byte == UInt8(ascii: "_") || byte >= 0x80 || (0x61...0x7A).contains(byte | 0x20)
    }
}
