/// Numbers in text as Python's `int()` and `float()` read them, which is how redis-py reads those of a URL.
enum PythonNumberText {
    /// `int(text)`: blanks around, a sign, digits with single underscores between. Nil where it raises ValueError, or
    /// where the number does not fit.
    static func int(_ text: String) -> Int? {
        var digits = strip(text)
        var negative = false
        if let sign = digits.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            negative = sign == UInt8(ascii: "-")
            digits = digits.dropFirst()
        }
        guard let plain = withoutUnderscores(digits), !plain.isEmpty, plain.allSatisfy(isDigit) else { return nil }
        return Int((negative ? "-" : "") + String(decoding: plain, as: UTF8.self))
    }

    /// `float(text)`: a decimal with blanks around and single underscores between digits, or a name of infinity or NaN.
    static func float(_ text: String) -> Double? {
        guard let plain = withoutUnderscores(strip(text)) else { return nil }
        var rest = plain[...]
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest = rest.dropFirst() }
        let name = String(decoding: rest, as: UTF8.self).lowercased()
        if !["inf", "infinity", "nan"].contains(name) {
            let whole = rest.prefix(while: isDigit)
            rest = rest.dropFirst(whole.count)
            var digits = whole.count
            if rest.first == UInt8(ascii: ".") {
                let fraction = rest.dropFirst().prefix(while: isDigit)
                digits += fraction.count
                rest = rest.dropFirst(1 + fraction.count)
            }
            guard digits > 0 else { return nil }
            if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
                rest = rest.dropFirst()
                if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
                    rest = rest.dropFirst()
                }
                guard !rest.isEmpty, rest.allSatisfy(isDigit) else { return nil }
            } else if !rest.isEmpty {
                return nil
            }
        }
        return Double(String(decoding: plain, as: UTF8.self))
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private static func strip(_ text: String) -> ArraySlice<UInt8> {
        func isBlank(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
        }
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isBlank($0) }),
            let last = scalars.lastIndex(where: { !isBlank($0) })
        else { return [] }
        return Array(String(scalars[first...last]).utf8)[...]
    }

    /// Python allows an underscore only between two digits.
    private static func withoutUnderscores(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let bytes = Array(text)
        var plain: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            guard byte == UInt8(ascii: "_") else {
                plain.append(byte)
                continue
            }
            guard index > 0, index + 1 < bytes.count, isDigit(bytes[index - 1]), isDigit(bytes[index + 1]) else {
                return nil
            }
        }
        return plain
    }
}
