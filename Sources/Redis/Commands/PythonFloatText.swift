extension Double {
    /// Python's `repr(float)`: the shortest decimal that reads back as the same number.
    ///
    /// Swift's description finds the same digits. The two differ in where they change to an exponent: Python from
    /// 1e16 on, Swift from 2^54 on.
    package var pythonText: String {
        let text = description
        guard magnitude >= 1e16, magnitude < 0x1p54 else { return text }
        // All digits of a whole number, and ".0".
        let sign = self < 0 ? "-" : ""
        let digits = text.drop { $0 == "-" }.prefix { $0 != "." }
        var significant = digits
        while significant.count > 1, significant.last == "0" { significant.removeLast() }
        let fraction = significant.dropFirst()
        return "\(sign)\(significant.prefix(1))\(fraction.isEmpty ? "" : ".")\(fraction)e+\(digits.count - 1)"
    }
}
