/// What bytes are, as UTF-8 with Python's `surrogatepass`.
enum UTF8Kind {
    case ascii, valid, surrogates, invalid
}

/// Scans text once: many bytes at a time while it is ASCII, by the table of the Unicode standard (3-7) after that.
func scanUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> UTF8Kind {
    guard let base = bytes.baseAddress else { return .ascii }
    let count = bytes.count
    var index = 0
    let high = SIMD4<UInt64>(repeating: 0x8080_8080_8080_8080)
    while index &+ 32 <= count {
        let words = UnsafeRawPointer(base + index).loadUnaligned(as: SIMD4<UInt64>.self) & high
        if words != SIMD4() { return scanNonASCII(base, count, from: index) }
        index &+= 32
    }
    while index &+ 8 <= count {
        let word = UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)
        if word & 0x8080_8080_8080_8080 != 0 { return scanNonASCII(base, count, from: index) }
        index &+= 8
    }
    while index < count {
        if base[index] & 0x80 != 0 { return scanNonASCII(base, count, from: index) }
        index &+= 1
    }
    return .ascii
}

/// Whether text is ASCII; up to seven bytes after it are loaded too, but not looked at.
@inline(__always)
func isASCII(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    let base = UnsafeRawPointer(text)
    if count <= 8 {
        let word = base.loadUnaligned(as: UInt64.self).littleEndian
        return count == 0 || word &<< UInt64(truncatingIfNeeded: 64 &- count &* 8) & 0x8080_8080_8080_8080 == 0
    }
    if count >= 64 { return scanUTF8(UnsafeBufferPointer(start: text, count: count)) == .ascii }
    var word = base.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
    var index = 0
    while index &+ 8 < count {
        word |= base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        index &+= 8
    }
    return word & 0x8080_8080_8080_8080 == 0
}

/// One character after the other, each by the bits that its four bytes must have.
private func scanNonASCII(_ base: UnsafePointer<UInt8>, _ count: Int, from start: Int) -> UTF8Kind {
    var index = start
    var hasSurrogates = false
    while index < count {
        if base[index] < 0x80 {
            index &+= 1
            continue
        }
        // At the end, zeros stand for what is missing; they continue no character.
        var word: UInt32 = 0
        if count &- index >= 4 {
            word = UnsafeRawPointer(base + index).loadUnaligned(as: UInt32.self).littleEndian
        } else {
            for place in index..<count { word |= UInt32(base[place]) &<< UInt32(8 &* (place &- index)) }
        }
        if word & 0xC0E0 == 0x80C0 {
            // C0 and C1 would be ASCII.
            if word & 0x1E == 0 { return .invalid }
            index &+= 2
        } else if word & 0xC0_C0F0 == 0x80_80E0 {
            // E0 needs A0 or more after it; ED with that is a surrogate.
            if word & 0x200F == 0 { return .invalid }
            if word & 0x200F == 0x200D { hasSurrogates = true }
            index &+= 3
        } else if word & 0xC0C0_C0F8 == 0x8080_80F0 {
            // F0 needs 90 or more after it, F4 less than that, and there is no F5.
            let lead = word & 0x07
            if word & 0x3007 == 0 || lead > 4 || lead == 4 && word & 0x3000 != 0 { return .invalid }
            index &+= 4
        } else {
            return .invalid
        }
    }
    return hasSurrogates ? .surrogates : .valid
}

/// Appends a code point, lone surrogates included, in UTF-8.
func appendUTF8(_ point: UInt32, to bytes: inout RawTable<UInt8>) {
    func continuation(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: 0x80 | (point >> shift & 0x3F)) }
    switch point {
    case 0..<0x80: bytes.append(UInt8(point))
    case 0x80..<0x800:
        bytes.append(UInt8(truncatingIfNeeded: 0xC0 | point >> 6))
        bytes.append(continuation(0))
    case 0x800..<0x1_0000:
        bytes.append(UInt8(truncatingIfNeeded: 0xE0 | point >> 12))
        bytes.append(continuation(6))
        bytes.append(continuation(0))
    default:
        bytes.append(UInt8(truncatingIfNeeded: 0xF0 | point >> 18))
        bytes.append(continuation(12))
        bytes.append(continuation(6))
        bytes.append(continuation(0))
    }
}
