/// What bytes are, as UTF-8 with Python's `surrogatepass`.
enum UTF8Kind {
    case ascii, valid, surrogates, invalid
}

/// Scans text once: eight bytes at a time while it is ASCII, by the table of the Unicode standard (3-7) after that.
@inline(__always)
func scanUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> UTF8Kind {
    guard let base = bytes.baseAddress else { return .ascii }
    let count = bytes.count
    var index = 0
    while index &+ 8 <= count {
        let word = UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)
        if word & 0x8080_8080_8080_8080 != 0 { return scanNonASCII(bytes, from: index) }
        index &+= 8
    }
    while index < count {
        if base[index] & 0x80 != 0 { return scanNonASCII(bytes, from: index) }
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
    var word = base.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
    var index = 0
    while index &+ 8 < count {
        word |= base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        index &+= 8
    }
    return word & 0x8080_8080_8080_8080 == 0
}

@inline(never)
private func scanNonASCII(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> UTF8Kind {
    var index = start
    var hasSurrogates = false
    while index < bytes.count {
        let lead = bytes[index]
        if lead < 0x80 {
            index += 1
            continue
        }
        let length: Int
        var lowest: UInt8 = 0x80
        var highest: UInt8 = 0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0:
            length = 3
            lowest = 0xA0
        case 0xE1...0xEF: length = 3
        case 0xF0:
            length = 4
            lowest = 0x90
        case 0xF1...0xF3: length = 4
        case 0xF4:
            length = 4
            highest = 0x8F
        default: return .invalid
        }
        if bytes.count - index < length { return .invalid }
        let second = bytes[index + 1]
        if second < lowest || second > highest { return .invalid }
        if lead == 0xED, second >= 0xA0 { hasSurrogates = true }
        for offset in 2..<max(2, length) where bytes[index + offset] & 0xC0 != 0x80 { return .invalid }
        index += length
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
