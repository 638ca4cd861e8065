internal import BigInt

/// The opcodes of protocol 0, whose arguments are lines of text.
extension OpcodeReader {
    mutating func loadIntLine() throws(PickleError) {
        let line = try takeLine(atLeast: 1)
        let bytes = text(line)
        if matches(bytes, "01") {
            push(existing: Singleton.true)
        } else if matches(bytes, "00") {
            push(existing: Singleton.false)
        } else {
            try loadInteger(bytes, isInt: true)
        }
    }

    mutating func loadLongLine() throws(PickleError) {
        let line = try takeLine(atLeast: 1)
        var bytes = text(line)
        if bytes[bytes.count - 1] == 0x4C { bytes = UnsafeBufferPointer(rebasing: bytes.dropLast()) }
        try loadInteger(bytes, isInt: false)
    }

    /// `PyLong_FromString(text, NULL, 0)`; for INT also what C's `strtol` with base 0 takes: leading zeros are octal.
    mutating func loadInteger(_ bytes: UnsafeBufferPointer<UInt8>, isInt: Bool) throws(PickleError) {
        guard var parsed = IntegerLiteral(bytes) else { throw error(.badValue, "could not convert string to int") }
        if parsed.hasLeadingZero, parsed.radix == 10 {
            if isInt, !parsed.hasUnderscore, parsed.digits.allSatisfy({ $0 < 0x38 }) {
                parsed.radix = 8
            } else if !parsed.digits.allSatisfy({ $0 == 0x30 }) {
                throw error(.badValue, "could not convert string to int")
            }
        }
        if parsed.digits.count > limits.integerDigits {
            throw error(
                .digitLimit,
                "an integer of \(parsed.digits.count) digits, more than \(limits.integerDigits)"
            )
        }
        let digits = String(decoding: parsed.digits, as: UTF8.self)
        if let small = Int64((parsed.isNegative ? "-" : "") + digits, radix: parsed.radix) {
            try loadInt(small)
            return
        }
        guard let magnitude = BigInt(digits, radix: parsed.radix) else {
            throw error(.badValue, "could not convert string to int")
        }
        let start = side.count
        for byte in littleEndianBytes(parsed.isNegative ? -magnitude : magnitude) { side.append(byte) }
        let end = UnsafeBufferPointer(start: side.base + start, count: side.count - start)
        try push(Self.integer(end, at: start, flags: Node.side))
    }

    mutating func loadFloatLine() throws(PickleError) {
        let line = try takeLine(atLeast: 1)
        let string = String(decoding: text(line), as: UTF8.self)
        guard let value = parsePythonFloat(string) else {
            throw error(.badValue, "could not convert string to float")
        }
        try push(Node(.float, bits: value.bitPattern))
    }

    func memoIndex(_ line: Range<Int>) throws(PickleError) -> UInt64 {
        guard let parsed = IntegerLiteral(text(line)), parsed.radix == 10,
            let value = UInt64(String(decoding: parsed.digits, as: UTF8.self)), !parsed.isNegative || value == 0
        else { throw error(.badMemo, "bad memo index") }
        return value
    }

    /// STRING: a quoted Python 2 str with `PyBytes_DecodeEscape`'s escapes.
    mutating func loadStringLine() throws(PickleError) {
        let line = try takeLine(atLeast: 1)
        let bytes = text(line)
        guard bytes.count >= 2, bytes[0] == bytes[bytes.count - 1], bytes[0] == 0x27 || bytes[0] == 0x22 else {
            throw error(.badValue, "the STRING opcode argument must be quoted")
        }
        let inner = line.lowerBound + 1..<line.upperBound - 1
        if !text(inner).contains(0x5C) {
            try push(Node(.python2String, a: UInt32(inner.lowerBound), b: UInt32(inner.count)))
            return
        }
        let start = side.count
        try unescape(text(inner))
        try push(
            Node(.python2String, a: UInt32(start), b: UInt32(side.count - start), flags: Node.side)
        )
    }

    private mutating func unescape(_ bytes: UnsafeBufferPointer<UInt8>) throws(PickleError) {
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte != 0x5C {
                side.append(byte)
                continue
            }
            if index == bytes.count { throw error(.badValue, "Trailing \\ in string") }
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
                else { throw error(.badValue, "invalid \\x escape in a STRING") }
                side.append(high << 4 | low)
                index += 2
            default:
                side.append(0x5C)
                side.append(escape)
            }
        }
    }

    /// UNICODE: Python's `raw-unicode-escape`.
    mutating func loadUnicodeLine() throws(PickleError) {
        let line = try takeLine(atLeast: 0)
        let bytes = text(line)
        if !bytes.contains(where: { $0 >= 0x80 || $0 == 0x5C }) {
            try push(Node(.string, a: UInt32(line.lowerBound), b: UInt32(line.count)))
            return
        }
        let start = side.count
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
                    throw error(.badValue, "'rawunicodeescape' codec can't decode bytes")
                }
                point = point << 4 | UInt32(digit)
                index += 1
            }
            if point > 0x10_FFFF { throw error(.badValue, "'rawunicodeescape' codec can't decode bytes") }
            appendUTF8(point, to: &side)
        }
        var flags = Node.side
        switch scanUTF8(UnsafeBufferPointer(start: side.base + start, count: side.count - start)) {
        case .ascii: break
        case .surrogates: flags |= Node.nonASCII | Node.surrogates
        default: flags |= Node.nonASCII
        }
        try push(Node(.string, a: UInt32(start), b: UInt32(side.count - start), flags: flags))
    }
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
