/// Resolves the escapes of a Python string literal.
enum PythonStringDecoder {
    /// What stands between the quotes; nil where Python computes it, refuses it, or needs a table of names.
    static func decode(_ raw: [UInt8], prefix: String) -> PythonString.Content? {
        if prefix.contains("f") || prefix.contains("t") { return nil }
        let isRaw = prefix.contains("r")
        if prefix.contains("b") {
            guard raw.allSatisfy({ $0 < 0x80 }) else { return nil }
            return isRaw ? .bytes(raw) : bytes(raw).map { .bytes($0) }
        }
        guard let text = String(validating: raw, as: UTF8.self) else { return nil }
        return isRaw ? .text(text) : unescaped(text).map { .text($0) }
    }

    private static func bytes(_ raw: [UInt8]) -> [UInt8]? {
        // Escapes of text mean less in bytes: `\u` stands for itself there.
        var result: [UInt8] = []
        var scanner = Scanner(scalars: raw.map { UnicodeScalar($0) })
        while let scalar = scanner.next() {
            guard scalar == "\\", let escape = scanner.next() else {
                result.append(UInt8(truncatingIfNeeded: scalar.value))
                continue
            }
            switch scanner.simple(escape) {
            case .value(let value)?: result.append(UInt8(truncatingIfNeeded: value))
            case .nothing?: break
            case .malformed?: return nil
            case nil: result += [UInt8(ascii: "\\"), UInt8(truncatingIfNeeded: escape.value)]
            }
        }
        return result
    }

    private static func unescaped(_ text: String) -> String? {
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
        var result = String.UnicodeScalarView()
        var scanner = Scanner(scalars: Array(text.unicodeScalars))
        while let scalar = scanner.next() {
            guard scalar == "\\", let escape = scanner.next() else {
                result.append(scalar)
                continue
            }
            let digits = ["u": 4, "U": 8][escape]
            let found = digits.map { scanner.number($0, radix: 16) } ?? scanner.simple(escape)
            switch found {
            case .value(let value)?:
                guard let scalar = UnicodeScalar(value) else { return nil }
                result.append(scalar)
            case .nothing?: break
            case .malformed?: return nil
            case nil:
                // `\N{…}` needs the names of all characters; anything else stands for itself.
                if escape == "N" { return nil }
                result.append(contentsOf: ["\\", escape])
            }
        }
        return String(result)
    }

    private enum Escape {
        case value(UInt32)
        case nothing
        case malformed
    }

    private struct Scanner {
        let scalars: [UnicodeScalar]
        var position = 0

        mutating func next() -> UnicodeScalar? {
            guard position < scalars.count else { return nil }
            defer { position += 1 }
            return scalars[position]
        }

        /// The escapes that text and bytes share; nil for what is none.
        mutating func simple(_ escape: UnicodeScalar) -> Escape? {
            switch escape {
            case "\n": return .nothing
            case "\\", "'", "\"": return .value(escape.value)
            case "a": return .value(7)
            case "b": return .value(8)
            case "f": return .value(12)
            case "n": return .value(10)
            case "r": return .value(13)
            case "t": return .value(9)
            case "v": return .value(11)
            case "x": return number(2, radix: 16)
            case "0"..."7":
                position -= 1
                let digits = scalars[position...].prefix(3).prefix { ("0"..."7").contains($0) }
                position += digits.count
                return .value(digits.reduce(0) { $0 * 8 + ($1.value - 0x30) })
            default: return nil
            }
        }

        mutating func number(_ count: Int, radix: Int) -> Escape {
            let digits = scalars[position...].prefix(count)
            var text = String.UnicodeScalarView()
            text.append(contentsOf: digits)
            // A sign would read as part of the number.
            guard digits.count == count, digits.allSatisfy(\.properties.isASCIIHexDigit),
                let value = UInt32(String(text), radix: radix)
            else { return .malformed }
            position += count
            return .value(value)
        }
    }
}
