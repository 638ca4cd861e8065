extension OpcodeReader {
    /// Runs to STOP and returns the root.
    mutating func run() throws(PickleError) -> NodeIndex {
        try head()
        while true {
            makeRoom()
            if meter.pointee < 0 { throw tooMuchMemory() }
            try runHot()
            opcodeStart = position
            if position >= end { throw truncated() }
            let opcode = input[position]
            position &+= 1
            switch opcode {
            case 0x75: raise(1); try setItems(from: popMark())
            case 0x65: raise(1); try appends(from: popMark())
            case 0x73: try setItems(from: stack.count &- 2)
            case 0x61: try appends(from: stack.count &- 1)
            case 0x85: raise(2); try tuple(1)
            case 0x86: raise(2); try tuple(2)
            case 0x87: raise(2); try tuple(3)
            case 0x74: try tuple(from: popMark())
            case 0x93: raise(4); try stackGlobal()
            case 0x81: raise(2); try newObject()
            case 0x52: try reduce()
            case 0x62: try build()
            case 0x2E: return try pop()
            default: try runSimple(opcode)
            }
            if position < end, input[position] == 0x94 {
                opcodeStart = position
                position &+= 1
                raise(4)
                try memoize()
            }
            if position < end, input[position] == 0x2E {
                opcodeStart = position
                position &+= 1
                return try pop()
            }
        }
    }

    /// PROTO and FRAME, with which most pickles begin.
    private mutating func head() throws(PickleError) {
        if end < 2 || input[0] != 0x80 { return }
        position = 1
        try loadProtocol()
        if end < 3 || input[2] != 0x95 { return }
        opcodeStart = 2
        position = 3
        try frame()
    }

    /// Room for a good number of opcodes in the tables that `runHot` may only fill.
    @inline(__always)
    private mutating func makeRoom() {
        nodes.reserve(16)
        stack.reserve(16)
        memo.reserve(16)
    }

    /// The opcodes of `runHot` one by one, with their errors and with growing tables.
    @inline(never)
    private mutating func runSimple(_ opcode: UInt8) throws(PickleError) {
        switch opcode {
        case 0x8C: try loadText(.string, prefix: 1)
        case 0x94: raise(4); try memoize()
        case 0x4B: raise(1); try push(Node(.int, bits: UInt64(input[take(1)])))
        case 0x4E: push(existing: Singleton.none)
        case 0x28: mark()
        case 0x68: raise(1); try get(UInt64(input[take(1)]))
        case 0x88: raise(2); push(existing: Singleton.true)
        case 0x89: raise(2); push(existing: Singleton.false)
        case 0x47: raise(1); try push(Node(.float, bits: little64(take(8)).byteSwapped))
        case 0x4A: raise(1); try loadInt(Int64(Int32(truncatingIfNeeded: little32(take(4)))))
        case 0x4D: raise(1); try loadInt(Int64(little16(take(2))))
        case 0x7D: raise(1); try push(Node(.dict))
        case 0x5D: raise(1); try push(Node(.list))
        case 0x29: raise(1); push(existing: Singleton.emptyTuple)
        case 0x58: try loadText(.string, prefix: 4)
        case 0x43: try loadText(.bytes, prefix: 1)
        case 0x95: try frame()
        case 0x71: raise(1); try put(UInt64(input[take(1)]))
        case 0x72: raise(1); try put(UInt64(little32(take(4))))
        case 0x6A: raise(1); try get(UInt64(little32(take(4))))
        case 0x80: try loadProtocol()
        default: try runRare(opcode)
        }
    }

    /// The opcodes that task messages seldom have.
    @inline(never)
    mutating func runRare(_ opcode: UInt8) throws(PickleError) {
        switch opcode {
        case 0x8A: raise(2); try loadLong(count: Int(input[take(1)]))
        case 0x8B:
            raise(2)
            let count = Int32(truncatingIfNeeded: little32(try take(4)))
            if count < 0 { throw error(.badValue, "LONG pickle has negative byte count") }
            try loadLong(count: Int(count))
        case 0x8D: try loadText(.string, prefix: 8)
        case 0x42: try loadText(.bytes, prefix: 4)
        case 0x8E: try loadText(.bytes, prefix: 8)
        case 0x96: try loadText(.bytearray, prefix: 8)
        case 0x54: try loadText(.python2String, prefix: 4)
        case 0x55: try loadText(.python2String, prefix: 1)
        case 0x8F: raise(4); try push(Node(.set))
        case 0x90: raise(4); try addItems(from: popMark())
        case 0x91: raise(4); try frozenSet(from: popMark())
        case 0x92: raise(4); try newObjectEx()
        case 0x6C: try list(from: popMark())
        case 0x64: try dict(from: popMark())
        case 0x30: try dropTop()
        case 0x31: raise(1); stack.count = try popMark()
        case 0x32:
            let index = try top()
            fetch(index)
            push(existing: index)
        case 0x6F: raise(1); try oldObject(from: popMark())
        case 0x69: try oldInstance(from: popMark())
        case 0x63: try loadGlobalLines()
        case 0x67: try get(memoIndex(takeLine()))
        case 0x70: try put(memoIndex(takeLine()))
        case 0x50: try persistentIDLine()
        case 0x51: raise(1); try persistentID()
        case 0x82: raise(2); try loadExtension(Int64(input[take(1)]))
        case 0x83: raise(2); try loadExtension(Int64(little16(take(2))))
        case 0x84: raise(2); try loadExtension(Int64(Int32(truncatingIfNeeded: little32(take(4)))))
        case 0x97: raise(5); try nextBuffer()
        case 0x98: raise(5); try readOnlyBuffer()
        case 0x49: try loadIntLine()
        case 0x4C: try loadLongLine()
        case 0x46: try loadFloatLine()
        case 0x53: try loadStringLine()
        case 0x56: try loadUnicodeLine()
        default: throw error(.invalidOpcode, "invalid load key, '\(Self.escaped(opcode))'.")
        }
    }

    static func escaped(_ byte: UInt8) -> String {
        if byte >= 0x20, byte < 0x7F, byte != 0x27 { return String(UnicodeScalar(byte)) }
        let digits = String(byte, radix: 16)
        return "\\x" + (digits.count < 2 ? "0" : "") + digits
    }

    /// Notes that an opcode of this protocol was met.
    @inline(__always)
    mutating func raise(_ version: Int) {
        if version > highestProtocol { highestProtocol = version }
    }

    mutating func loadProtocol() throws(PickleError) {
        let version = Int(input[try take(1)])
        if version > 5 { throw error(.unsupportedProtocol, "unsupported pickle protocol: \(version)") }
        raise(max(2, version))
    }

    /// A frame promises bytes; values may cross its end, as CPython lets them.
    mutating func frame() throws(PickleError) {
        raise(4)
        let length = little64(try take(8))
        if length > UInt64(end &- position) { throw error(.truncated, "pickle exhausted before end of frame") }
    }

    // MARK: Scalars

    @inline(__always)
    mutating func loadInt(_ value: Int64) throws(PickleError) {
        try push(Node(.int, bits: UInt64(bitPattern: value)))
    }

    mutating func loadLong(count: Int) throws(PickleError) {
        let start = try take(count)
        try push(Self.integer(UnsafeBufferPointer(start: input + start, count: count), at: start))
    }

    /// A node for a little-endian two's complement integer; small ones as `int`, others at their shortest.
    static func integer(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int, flags: UInt8 = 0) -> Node {
        var count = bytes.count
        if count == 0 { return Node(.int) }
        let isNegative = bytes[count - 1] & 0x80 != 0
        let filler: UInt8 = isNegative ? 0xFF : 0
        while count > 1, bytes[count - 1] == filler, (bytes[count - 2] & 0x80 != 0) == isNegative { count -= 1 }
        if count > 8 { return Node(.bigInt, a: UInt32(start), b: UInt32(count), flags: flags) }
        var value: UInt64 = isNegative ? .max : 0
        for index in stride(from: count - 1, through: 0, by: -1) { value = value << 8 | UInt64(bytes[index]) }
        return Node(.int, bits: value)
    }

    /// A str, bytes, bytearray or Python 2 str with a length prefix.
    @inline(__always)
    mutating func loadText(_ tag: Tag, prefix: Int) throws(PickleError) {
        let count: Int
        switch prefix {
        case 1: count = Int(input[try take(1)])
        case 4: count = Int(little32(try take(4)))
        default:
            let length = little64(try take(8))
            if length > UInt64(end &- position) { throw truncated() }
            count = Int(length)
        }
        switch tag {
        case .python2String:
            raise(1)
            if prefix == 4, count > Int(Int32.max) {
                throw error(.badValue, "BINSTRING pickle has negative byte count")
            }
        case .bytes: raise(prefix == 8 ? 4 : 3)
        case .string: raise(prefix == 4 ? 1 : 4)
        default: raise(5)
        }
        let start = try take(count)
        var flags: UInt8 = 0
        if tag == .string {
            guard let found = flagsOfText(input + start, count) else {
                throw error(.badValue, "'utf-8' codec can't decode bytes")
            }
            flags = found
        }
        try push(
            Node(tag, a: UInt32(truncatingIfNeeded: start), b: UInt32(truncatingIfNeeded: count), flags: flags)
        )
    }

    mutating func loadExtension(_ code: Int64) throws(PickleError) {
        if code <= 0 { throw error(.badValue, "EXT specifies code <= 0") }
        try push(Node(.extensionCode, a: UInt32(code)))
    }

    mutating func nextBuffer() throws(PickleError) {
        try push(Node(.buffer, a: UInt32(truncatingIfNeeded: buffers)))
        buffers &+= 1
    }

    mutating func readOnlyBuffer() throws(PickleError) {
        let index = try top()
        let node = nodes.base + Int(index)
        switch node.pointee.tag {
        case .buffer: node.pointee.flags |= Node.readOnly
        case .bytes: break
        case .bytearray, .object, .persistentID, .extensionCode, .global:
            stack.base[stack.count &- 1] = try wrap(index, .readOnly)
        default: throw error(.badStructure, "a bytes-like object is required for READONLY_BUFFER")
        }
    }

    mutating func persistentID() throws(PickleError) {
        let id = try pop()
        let height = try adopt(id, 0)
        try push(Node(.persistentID, a: id, height: height))
    }

    mutating func persistentIDLine() throws(PickleError) {
        let line = try takeLine(atLeast: 0)
        for byte in text(line) where byte >= 0x80 {
            throw error(.badValue, "persistent IDs in protocol 0 must be ASCII strings")
        }
        try push(Node(.string, a: UInt32(line.lowerBound), b: UInt32(line.count)))
        let id = try pop()
        try push(Node(.persistentID, a: id, flags: Node.textual, height: 1))
    }
}
