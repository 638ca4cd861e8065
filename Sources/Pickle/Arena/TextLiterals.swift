/// Appends what the text of a STRING stands for, by `PyBytes_DecodeEscape`'s rules; returns what is wrong with it.
func decodeStringEscape(_ bytes: UnsafeBufferPointer<UInt8>, to side: inout RawTable<UInt8>) -> StaticString? {
    var index = 0
    while index < bytes.count {
        let byte = bytes[index]
        index += 1
        if byte != 0x5C {
            side.append(byte)
            continue
        }
        if index == bytes.count { return "Trailing \\ in string" }
        let escape = bytes[index]
        index += 1
        switch escape {
        case 0x5C, 0x27, 0x22: side.append(escape)
        case 0x62: side.append(0x08)
        case 0x66: side.append(0x0C)
        case 0x74: side.append(0x09)
        case 0x6E: side.append(0x0A)
        case 0x72: side.append(0x0D)
        case 0x76: side.append(0x0B)
        case 0x61: side.append(0x07)
        case 0x30...0x37:
            var value = UInt32(escape - 0x30)
            var digits = 1
            while digits < 3, index < bytes.count, 0x30...0x37 ~= bytes[index] {
                value = value << 3 | UInt32(bytes[index] - 0x30)
                index += 1
                digits += 1
            }
            side.append(UInt8(truncatingIfNeeded: value))
        case 0x78:
            guard index + 1 < bytes.count, let high = hexDigit(bytes[index]), let low = hexDigit(bytes[index + 1])
            else { return "invalid \\x escape in a STRING" }
            side.append(high << 4 | low)
            index += 2
        default:
            side.append(0x5C)
            side.append(escape)
        }
    }
    return nil
}

/// Appends what the line of a UNICODE stands for, by Python's `raw-unicode-escape`; whether that was possible.
func decodeRawUnicodeEscape(_ bytes: UnsafeBufferPointer<UInt8>, to side: inout RawTable<UInt8>) -> Bool {
    var index = 0
    while index < bytes.count {
        let byte = bytes[index]
        index += 1
        if byte != 0x5C || index == bytes.count {
            appendUTF8(UInt32(byte), to: &side)
            continue
        }
        let escape = bytes[index]
        index += 1
        guard escape == 0x75 || escape == 0x55 else {
            side.append(0x5C)
            appendUTF8(UInt32(escape), to: &side)
            continue
        }
        var point: UInt32 = 0
        for _ in 0..<(escape == 0x75 ? 4 : 8) {
            guard index < bytes.count, let digit = hexDigit(bytes[index]), point >> 28 == 0 else {
                return false
            }
            point = point << 4 | UInt32(digit)
            index += 1
        }
        if point > 0x10_FFFF { return false }
        appendUTF8(point, to: &side)
    }
    return true
}

func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
}

/// An integer as Python's `int(text, 0)` reads it: sign, radix prefix, digits with single underscores.
struct IntegerLiteral {
    var isNegative = false
    var radix = 10
    var digits: [UInt8] = []
    var hasUnderscore = false
    var hasLeadingZero: Bool { digits.count > 1 && digits[0] == 0x30 }

    init?(_ text: UnsafeBufferPointer<UInt8>) {
        var start = 0
        var end = text.count
        while start < end, Self.isSpace(text[start]) { start += 1 }
        while end > start, Self.isSpace(text[end - 1]) { end -= 1 }
        if start < end, text[start] == 0x2D || text[start] == 0x2B {
            isNegative = text[start] == 0x2D
            start += 1
        }
        var needsDigit = true
        if end - start > 2, text[start] == 0x30 {
            switch text[start + 1] | 0x20 {
            case 0x78: radix = 16
            case 0x6F: radix = 8
            case 0x62: radix = 2
            default: break
            }
            if radix != 10 {
                start += 2
                if text[start] == 0x5F {
                    start += 1
                    hasUnderscore = true
                }
            }
        }
        digits.reserveCapacity(end - start)
        while start < end {
            let byte = text[start]
            if byte == 0x5F {
                if needsDigit { return nil }
                needsDigit = true
                hasUnderscore = true
            } else {
                guard let value = hexDigit(byte), Int(value) < radix else { return nil }
                digits.append(byte)
                needsDigit = false
            }
            start += 1
        }
        if needsDigit { return nil }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
