internal import BigInt

/// The forms of single values, without regard to the container they are in. Each mirrors a `save_*` of `_pickle.c`.
extension PickleWriter {
    mutating func fail(_ error: PickleError) {
        if failure == nil { failure = error }
    }

    @inline(__always)
    mutating func emitNone() { put(0x4E) }

    @inline(__always)
    mutating func emit(bool value: Bool) {
        if pickleProtocol >= 2 { put(value ? 0x88 : 0x89) } else { put(text: value ? "I01\n" : "I00\n") }
    }

    @inline(__always)
    mutating func emit(int value: Int64) {
        if pickleProtocol >= 1 {
            if value >= 0, value <= 0xFF { return put(0x4B, UInt8(truncatingIfNeeded: value)) }
            if value >= 0, value <= 0xFFFF { return put16(0x4D, UInt16(truncatingIfNeeded: value)) }
            if value == Int64(Int32(truncatingIfNeeded: value)) {
                return put32(0x4A, UInt32(bitPattern: Int32(truncatingIfNeeded: value)))
            }
        }
        emit(wideInt: value)
    }

    @inline(never)
    private mutating func emit(wideInt value: Int64) {
        if pickleProtocol < 2 {
            let isSmall = value == Int64(Int32(truncatingIfNeeded: value))
            put(text: isSmall ? "I\(value)\n" : "L\(value)L\n")
            return
        }
        var bytes = 8
        while bytes > 1, value >> (8 * (bytes - 1) - 1) == 0 || value >> (8 * (bytes - 1) - 1) == -1 { bytes -= 1 }
        put(0x8A, UInt8(bytes))
        reserve(8)
        UnsafeMutableRawPointer(base + count).storeBytes(of: value.littleEndian, as: Int64.self)
        count += bytes
    }

    /// An int beyond 64 bits, as its two's complement bytes.
    mutating func emit(bigInt bytes: UnsafeBufferPointer<UInt8>, digits: Int) {
        if pickleProtocol < 2 {
            guard let text = decimalText(bytes, digits: digits) else {
                return fail(PickleError(.digitLimit, "an int of more than \(digits) digits as text"))
            }
            put(text: "L\(text)L\n")
        } else if bytes.count < 256 {
            put(0x8A, UInt8(bytes.count))
            put(bytes: bytes)
        } else {
            put32(0x8B, UInt32(bytes.count))
            put(bytes: bytes)
        }
    }

    @inline(__always)
    mutating func emit(float bits: UInt64) {
        if pickleProtocol >= 1 {
            put64(0x47, bits.byteSwapped)
        } else {
            put(text: "F\(pythonFloat(Double(bitPattern: bits)))\n")
        }
    }

    /// A str and its memo number.
    @inline(__always)
    mutating func emit(string utf8: UnsafeBufferPointer<UInt8>) -> UInt32 {
        let length = utf8.count
        if length < 256, pickleProtocol >= 4 {
            reserve(length &+ 3)
            base[count] = 0x8C
            base[count &+ 1] = UInt8(truncatingIfNeeded: length)
            if let source = utf8.baseAddress { copyBytes(from: source, to: base + count + 2, count: length) }
            base[count &+ 2 &+ length] = 0x94
            count &+= length &+ 3
            memoCount &+= 1
            return memoCount &- 1
        }
        return emit(longString: utf8)
    }

    @inline(never)
    private mutating func emit(longString utf8: UnsafeBufferPointer<UInt8>) -> UInt32 {
        if utf8.count > Int(UInt32.max) {
            fail(PickleError(.notEncodable, "a str of 4 GiB or more"))
        } else if pickleProtocol == 0 {
            put(0x56)
            putRawUnicodeEscape(utf8)
            put(0x0A)
        } else if utf8.count >= 65_536 {
            putOutsideFrames(0x58, wide: false, utf8)
        } else {
            put32(0x58, UInt32(utf8.count))
            put(bytes: utf8)
        }
        return memoize()
    }

    /// Python's `raw-unicode-escape` as the pickler of protocol 0 uses it.
    private mutating func putRawUnicodeEscape(_ utf8: UnsafeBufferPointer<UInt8>) {
        var index = 0
        while index < utf8.count {
            let lead = utf8[index]
            let length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
            var point = length == 1 ? UInt32(lead) : UInt32(lead) & (0x7F >> UInt32(length))
            for offset in 1..<max(1, length) { point = point << 6 | UInt32(utf8[index + offset] & 0x3F) }
            index += length
            switch point {
            case 0, 0x0A, 0x0D, 0x1A, 0x5C: put(text: "\\u\(hex(point, 4))")
            case 0..<0x100: put(UInt8(point))
            case 0x100..<0x1_0000: put(text: "\\u\(hex(point, 4))")
            default: put(text: "\\U\(hex(point, 8))")
            }
        }
    }

    /// A str that is shared by content.
    mutating func emit(interned utf8: UnsafeBufferPointer<UInt8>) {
        boundary()
        if let known = interned.memo(.string, utf8) { return putGet(known) }
        interned.insert(.string, utf8, memo: emit(string: utf8))
    }

    /// A str; the empty one and single characters up to U+00FF are shared, as Python has one object for each.
    @inline(__always)
    mutating func emit(fresh utf8: UnsafeBufferPointer<UInt8>) {
        if utf8.count <= 2, isSingleton(utf8) { return emit(interned: utf8) }
        _ = emit(string: utf8)
    }

    @inline(__always)
    func isSingleton(_ utf8: UnsafeBufferPointer<UInt8>) -> Bool {
        utf8.count < 2 || utf8.count == 2 && utf8[0] & 0xFE == 0xC2
    }

    /// bytes of protocol 3 and up, with its memo number.
    mutating func emit(bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        if bytes.count > Int(UInt32.max) {
            fail(PickleError(.notEncodable, "bytes of 4 GiB or more"))
        } else if bytes.count < 256 {
            put(0x43, UInt8(bytes.count))
            put(bytes: bytes)
        } else if bytes.count >= 65_536 {
            putOutsideFrames(0x42, wide: false, bytes)
        } else {
            put32(0x42, UInt32(bytes.count))
            put(bytes: bytes)
        }
        return memoize()
    }

    /// bytes below protocol 3: `_codecs.encode(text, 'latin1')`, or `bytes()`.
    mutating func emit(bytesAsCall bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        boundary()
        if bytes.isEmpty {
            emitGlobal("builtins", "bytes")
            emitEmptyTuple()
        } else {
            emitGlobal("_codecs", "encode")
            var text: [UInt8] = []
            for byte in bytes {
                if byte < 0x80 { text.append(byte) } else { text += [0xC0 | byte >> 6, 0x80 | byte & 0x3F] }
            }
            beginTuple(2)
            boundary()
            text.withUnsafeBufferPointer { emit(fresh: $0) }
            emitInterned("latin1")
            endTuple(2)
        }
        put(0x52)
        return memoize()
    }

    mutating func emit(anyBytes bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        pickleProtocol >= 3 ? emit(bytes: bytes) : emit(bytesAsCall: bytes)
    }

    mutating func emit(bytearray bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        if pickleProtocol >= 5 {
            if bytes.count >= 65_536 {
                putOutsideFrames(0x96, wide: true, bytes)
            } else {
                put64(0x96, UInt64(bytes.count))
                put(bytes: bytes)
            }
            return memoize()
        }
        emitGlobal("builtins", "bytearray")
        boundary()
        if bytes.isEmpty {
            emitEmptyTuple()
        } else {
            beginTuple(1)
            boundary()
            _ = emit(anyBytes: bytes)
            endTuple(1)
        }
        put(0x52)
        return memoize()
    }

    /// A Python 2 str and its memo number.
    mutating func emit(python2String bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        if pickleProtocol == 0 {
            var text = pythonRepr(bytes: Array(bytes)[...])
            text.removeFirst()
            put(text: "S\(text)\n")
        } else if bytes.count < 256 {
            put(0x55, UInt8(bytes.count))
            put(bytes: bytes)
        } else {
            put32(0x54, UInt32(bytes.count))
            put(bytes: bytes)
        }
        return memoize()
    }

    mutating func emitInterned(_ string: StaticString) {
        guard string.hasPointerRepresentation else { return }
        emit(interned: UnsafeBufferPointer(start: string.utf8Start, count: string.utf8CodeUnitCount))
    }

    mutating func emitEmptyTuple() {
        if pickleProtocol >= 1 { put(0x29) } else { put(0x28, 0x74) }
    }

    @inline(__always)
    mutating func beginTuple(_ count: Int) {
        if count > 3 || pickleProtocol < 2 { put(0x28) }
    }

    /// Ends a tuple that is not empty, and returns its memo number.
    @inline(__always)
    @discardableResult
    mutating func endTuple(_ count: Int) -> UInt32 {
        putTuple(count)
        return memoize()
    }

    @inline(__always)
    mutating func putTuple(_ count: Int) {
        if count > 3 || pickleProtocol < 2 {
            put(0x74)
        } else {
            put(0x84 &+ UInt8(truncatingIfNeeded: count))
        }
    }

    mutating func emitGlobal(_ module: StaticString, _ name: StaticString) {
        guard module.hasPointerRepresentation, name.hasPointerRepresentation else { return }
        emitGlobal(
            UnsafeBufferPointer(start: module.utf8Start, count: module.utf8CodeUnitCount),
            UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        )
    }

    @discardableResult
    mutating func emitGlobal(module: String, name: String) -> UInt32 {
        var module = module
        var name = name
        return module.withUTF8 { module in name.withUTF8 { emitGlobal(module, $0) } }
    }

    /// A class or function by its names in Python 3; shared by content. Returns its memo number.
    @discardableResult
    mutating func emitGlobal(_ module: UnsafeBufferPointer<UInt8>, _ name: UnsafeBufferPointer<UInt8>) -> UInt32 {
        boundary()
        if let known = interned.memo(.global, module, name) {
            putGet(known)
            return known
        }
        if pickleProtocol >= 4 {
            emit(interned: module)
            // CPython makes a type's name anew for each global, but interns its module's.
            boundary()
            emit(fresh: name)
            put(0x93)
        } else if module.contains(0x0A) || name.contains(0x0A) {
            fail(PickleError(.notEncodable, "a global's name with a line break below protocol 4"))
        } else if let dot = name.lastIndex(of: 0x2E), dot > 0, dot + 1 < name.count {
            emitAttribute(module, name, dot)
        } else if pickleProtocol == 3 {
            putLines(module, name)
        } else {
            var names = CompatibleNames.python2(
                String(decoding: module, as: UTF8.self),
                String(decoding: name, as: UTF8.self)
            )
            names.module.withUTF8 { module in names.name.withUTF8 { putLines(module, $0) } }
        }
        let number = memoize()
        interned.insert(.global, module, name, memo: number)
        return number
    }

    /// `a.b` below protocol 4: `getattr(a, 'b')`.
    private mutating func emitAttribute(
        _ module: UnsafeBufferPointer<UInt8>,
        _ name: UnsafeBufferPointer<UInt8>,
        _ dot: Int
    ) {
        // Each level is a level of recursion; nobody nests classes so deeply.
        if name.count(where: { $0 == 0x2E }) > 50 {
            return fail(PickleError(.notEncodable, "a global's name of more than 50 parts below protocol 4"))
        }
        emitGlobal("builtins", "getattr")
        boundary()
        beginTuple(2)
        emitGlobal(module, UnsafeBufferPointer(rebasing: name[..<dot]))
        boundary()
        emit(fresh: UnsafeBufferPointer(rebasing: name[(dot + 1)...]))
        endTuple(2)
        put(0x52)
    }

    mutating func putLines(_ module: UnsafeBufferPointer<UInt8>, _ name: UnsafeBufferPointer<UInt8>) {
        put(0x63)
        put(bytes: module)
        put(0x0A)
        put(bytes: name)
        put(0x0A)
    }
}
