import Pickle

/// Python's number literals.
enum PythonNumber {
    /// The value; nil for what is no number, is imaginary, or does not fit.
    static func value(_ text: String) -> PickleValue? {
        guard let plain = withoutUnderscores(text) else { return nil }
        let radixes = ["0x": 16, "0o": 8, "0b": 2]
        if let radix = radixes[plain.prefix(2).lowercased()] {
            let digits = plain.dropFirst(2)
            guard digits.first?.isHexDigit == true else { return nil }
            return Int(digits, radix: radix).map { .int($0) }
        }
        if plain.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            // A leading zero is a mistake in Python 3, except in zero itself.
            guard plain.utf8.first != UInt8(ascii: "0") || plain.utf8.allSatisfy({ $0 == UInt8(ascii: "0") }) else {
                return nil
            }
            return Int(plain).map { .int($0) }
        }
        guard plain.utf8.allSatisfy({ "0123456789.eE+-".utf8.contains($0) }) else { return nil }
        // Swift wants digits around the point.
        var decimal = plain.hasPrefix(".") ? "0" + plain : plain
        if let point = decimal.firstIndex(of: "."), !decimal[decimal.index(after: point)...].hasPrefix("0") {
            let next = decimal.index(after: point)
            if next == decimal.endIndex || !decimal[next].isNumber { decimal.insert("0", at: next) }
        }
        return Double(decimal).map { .float($0) }
    }

    /// Python allows one underscore between digits, and behind the letter of a radix.
    private static func withoutUnderscores(_ text: String) -> String? {
        guard text.utf8.contains(UInt8(ascii: "_")) else { return text }
        let bytes = Array(text.utf8)
        guard bytes.first != UInt8(ascii: "_"), bytes.last != UInt8(ascii: "_") else { return nil }
        for (left, right) in zip(bytes, bytes.dropFirst()) where left == right && left == UInt8(ascii: "_") {
            return nil
        }
        return text.filter { $0 != "_" }
    }
}
