internal import BigInt

/// The opcodes of protocol 0, whose arguments are lines of text.
extension OpcodeReader {
    mutating func loadIntLine() throws(PickleError) {
        let line = try takeLine(atLeast: 1)
        let bytes = text(line)
        // C's `strtol` reads as far as a NUL.
        let number = UnsafeBufferPointer(rebasing: bytes.prefix { $0 != 0 })
        if number.isEmpty {
            // 0, which is a bool where it has the length of one.
            if bytes.count == 2 { push(existing: Singleton.false) } else { try loadInt(0) }
        } else if bytes.count == 2, let truth = truth(of: number) {
            push(existing: truth ? Singleton.true : Singleton.false)
        } else {
            try loadInteger(number, isInt: true)
        }
    }

    /// Of a line of two characters, whether it is 0 or 1: those are bools, `-0` and ` 1`, too. See `load_int` of `_pickle.c`.
    private func truth(of number: UnsafeBufferPointer<UInt8>) -> Bool? {
        guard let digit = number.last, digit == 0x30 || digit == 0x31, let parsed = IntegerLiteral(number),
            parsed.digits.dropLast().allSatisfy({ $0 == 0x30 }), digit == 0x30 || !parsed.isNegative
        else { return nil }
        return digit == 0x31
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
            // `strtol` must have read all of it: no space behind it.
            if isInt, !parsed.hasUnderscore, bytes.last == parsed.digits.last, parsed.digits.allSatisfy({ $0 < 0x38 }) {
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

    /// Room for so many bytes of text that had escapes.
    private mutating func makeRoomForText(_ count: Int) throws(PickleError) {
        side.reserve(count)
        if meter.pointee < 0 { throw tooMuchMemory() }
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
        try makeRoomForText(inner.count)
        let start = side.count
        if let problem = decodeStringEscape(text(inner), to: &side) { throw error(.badValue, "\(problem)") }
        try push(
            Node(.python2String, a: UInt32(start), b: UInt32(side.count - start), flags: Node.side)
        )
    }

    /// UNICODE: Python's `raw-unicode-escape`.
    mutating func loadUnicodeLine() throws(PickleError) {
        let line = try takeLine(atLeast: 0)
        let bytes = text(line)
        if !bytes.contains(where: { $0 >= 0x80 || $0 == 0x5C }) {
            try push(Node(.string, a: UInt32(line.lowerBound), b: UInt32(line.count)))
            return
        }
        // A byte above ASCII becomes two, an escape never more than it was.
        try makeRoomForText(bytes.reduce(into: bytes.count) { $0 &+= Int($1 &>> 7) })
        let start = side.count
        guard decodeRawUnicodeEscape(bytes, to: &side) else {
            throw error(.badValue, "'rawunicodeescape' codec can't decode bytes")
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
