internal import BigInt

/// The shortest two's complement bytes of an integer, lowest first, as LONG1 has them; zero has none.
func littleEndianBytes(_ value: BigInt) -> [UInt8] {
    if value.isZero { return [] }
    var bytes: [UInt8] = []
    let words = value.words
    bytes.reserveCapacity(words.count * 8 + 1)
    for word in words {
        for shift in stride(from: 0, to: UInt.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> shift))
        }
    }
    let isNegative = value.signum() < 0
    let filler: UInt8 = isNegative ? 0xFF : 0
    while bytes.count > 1, bytes[bytes.count - 1] == filler, (bytes[bytes.count - 2] & 0x80 != 0) == isNegative {
        bytes.removeLast()
    }
    if (bytes[bytes.count - 1] & 0x80 != 0) != isNegative { bytes.append(filler) }
    return bytes
}

/// The integer of two's complement bytes, lowest first.
func bigInteger(_ bytes: UnsafeBufferPointer<UInt8>) -> BigInt {
    guard let last = bytes.last else { return 0 }
    let isNegative = last & 0x80 != 0
    var reversed: [UInt8] = []
    reversed.reserveCapacity(bytes.count)
    if isNegative {
        // -x = ~x + 1
        for byte in bytes.reversed() { reversed.append(~byte) }
    } else {
        reversed.append(contentsOf: bytes.reversed())
    }
    let magnitude = reversed.withUnsafeBytes { BigUInt($0) }
    return isNegative ? BigInt(sign: .minus, magnitude: magnitude + 1) : BigInt(sign: .plus, magnitude: magnitude)
}

/// An integer in decimal, of two's complement bytes, lowest first; nil for more than so many digits. Whatever turns a large integer
/// into text does it here.
func decimalText(_ bytes: UnsafeBufferPointer<UInt8>, digits: Int) -> String? {
    let most = min(digits, 100_000)
    // A byte is at most 2.41 digits: what is certainly longer is not converted.
    if (bytes.count - 1) * 240 / 100 > most { return nil }
    let value = bigInteger(bytes)
    let text = String(value)
    return text.utf8.count - (value.signum() < 0 ? 1 : 0) > most ? nil : text
}

/// `float(text)` as `PyOS_string_to_double` reads it.
func parsePythonFloat(_ text: String) -> Double? {
    var body = Substring(text)
    var sign = 1.0
    if body.first == "-" || body.first == "+" {
        if body.first == "-" { sign = -1 }
        body = body.dropFirst()
    }
    switch body.lowercased() {
    case "inf", "infinity": return sign * .infinity
    case "nan": return sign < 0 ? -Double.nan : .nan
    default: break
    }
    for byte in body.utf8 {
        switch byte {
        case 0x30...0x39, 0x2E, 0x65, 0x45, 0x2B, 0x2D: break
        default: return nil
        }
    }
    if body.last == "." { return Double(body.dropLast()).map { sign * $0 } }
    if let value = Double(body) { return sign * value }
    return nil
}

/// `repr(float)`: the shortest digits that read back, with an exponent below 1e-4 and from 1e16 on.
func pythonFloat(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    let text = value.magnitude.description
    var digits = ""
    var exponent = 0
    var pointSeen = false
    var scanned = text[...]
    if let mark = text.firstIndex(of: "e") {
        exponent = Int(text[text.index(after: mark)...]) ?? 0
        scanned = text[..<mark]
    }
    for character in scanned {
        if character == "." {
            pointSeen = true
        } else {
            digits.append(character)
            if !pointSeen { exponent += 1 }
        }
    }
    // Now the value is 0.digits * 10^exponent.
    while digits.hasPrefix("0"), digits.count > 1 {
        digits.removeFirst()
        exponent -= 1
    }
    while digits.hasSuffix("0"), digits.count > 1 { digits.removeLast() }
    let sign = value.sign == .minus ? "-" : ""
    if digits == "0" { return sign + "0.0" }
    let point = exponent - 1
    if point < -4 || point >= 16 {
        let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
        let power = String(point.magnitude)
        return sign + String(digits.prefix(1)) + fraction + "e" + (point < 0 ? "-" : "+")
            + (power.count < 2 ? "0" : "") + power
    }
    if exponent <= 0 { return sign + "0." + String(repeating: "0", count: -exponent) + digits }
    if digits.count <= exponent {
        return sign + digits + String(repeating: "0", count: exponent - digits.count) + ".0"
    }
    return sign + String(digits.prefix(exponent)) + "." + String(digits.dropFirst(exponent))
}
