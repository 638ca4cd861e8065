extension Double {
    /// Python's `repr(float)`: the shortest decimal that reads back as the same number.
    ///
    /// Swift's description finds the same digits. The two differ only in where they change to an exponent: Python at
    /// 1e16, Swift at 2^53 or, in older releases, 2^54.
    package var pythonText: String {
        guard magnitude >= 0x1p53, magnitude < 0x1p54 else { return description }
        // Neighbours are 2 apart here, so a number below 1e16 has no shorter decimal than all its digits.
        if magnitude < 1e16 { return "\(Int64(self)).0" }
        let text = description
        guard !text.contains("e") else { return text }
        let digits = text.drop { $0 == "-" }.prefix { $0 != "." }
        var significant = digits
        while significant.count > 1, significant.last == "0" { significant.removeLast() }
        let fraction = significant.dropFirst()
        let sign = self < 0 ? "-" : ""
        return "\(sign)\(significant.prefix(1))\(fraction.isEmpty ? "" : ".")\(fraction)e+\(digits.count - 1)"
    }
}
