/// A pickle's opcodes, one a line, as `python3 -m pickletools` prints them.
package struct PickleDisassembly {
    package private(set) var text = ""
    /// Why it ends early.
    package private(set) var error: PickleError?

    private let bytes: [UInt8]
    private var position = 0
    private var marks: [Int] = []
    /// Whether each value on the stack is a mark.
    private var stack: [Bool] = []
    private var memoized: Set<UInt64> = []

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var highest = 0
        do throws(PickleError) {
            while true {
                let start = position
                guard let byte = bytes.dropFirst(position).first else {
                    throw PickleError(.truncated, at: start, "pickle exhausted before seeing STOP")
                }
                guard let opcode = PickleOpcode.table[byte] else {
                    throw PickleError(.invalidOpcode, at: start, "unknown opcode \(OpcodeReader.escaped(byte))")
                }
                position += 1
                highest = max(highest, opcode.version)
                try line(opcode, byte, at: start)
                if byte == 0x2E { break }
            }
            text += "highest protocol among opcodes = \(highest)\n"
        } catch {
            self.error = error
        }
    }

    private mutating func line(_ opcode: PickleOpcode, _ byte: UInt8, at start: Int) throws(PickleError) {
        let code = byte == 0x27 || byte == 0x5C ? String(UnicodeScalar(byte)) : OpcodeReader.escaped(byte)
        let number = String(start)
        text += String(repeating: " ", count: max(0, 5 - number.count)) + number + ": "
        text += code + String(repeating: " ", count: max(0, 4 - code.count)) + " "
        text += String(repeating: "    ", count: min(marks.count, 64)) + opcode.name
        let argument = try argument(opcode.argument)
        var note: String?
        if opcode.takesMark || opcode.name == "POP" && stack.last == true {
            guard let mark = marks.popLast() else {
                throw PickleError(.missingMark, at: start, "no MARK exists on stack")
            }
            note = "(MARK at \(mark))"
            while stack.popLast() == false {}
        }
        if byte == 0x94 {
            note = "(as \(memoized.count))"
            memoized.insert(UInt64(memoized.count))
        } else if opcode.name.hasSuffix("PUT"), let argument, let index = UInt64(argument) {
            memoized.insert(index)
        }
        if argument != nil || note != nil {
            text += String(repeating: " ", count: max(0, 10 - opcode.name.count))
            if let argument { text += " " + argument }
            if let note { text += " " + note }
        }
        text += "\n"
        if byte == 0x28 {
            marks.append(start)
            stack.append(true)
        } else {
            if note == nil || byte == 0x94 { for _ in 0..<opcode.pops where stack.last == false { stack.removeLast() } }
            for _ in 0..<opcode.pushes { stack.append(false) }
        }
    }

    // MARK: Arguments

    private mutating func take(_ count: UInt64) throws(PickleError) -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.count - position) else {
            throw PickleError(.truncated, at: position, "not enough data for an argument of \(count) bytes")
        }
        defer { position += Int(count) }
        return bytes[position..<position + Int(count)]
    }

    private mutating func number(_ width: Int) throws(PickleError) -> UInt64 {
        try take(UInt64(width)).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func line() throws(PickleError) -> ArraySlice<UInt8> {
        guard let end = bytes[position...].firstIndex(of: 0x0A) else {
            throw PickleError(.truncated, at: position, "no newline found")
        }
        defer { position = end + 1 }
        return bytes[position..<end]
    }

    private mutating func lineText() throws(PickleError) -> String { String(decoding: try line(), as: UTF8.self) }

    /// The repr of the str that `fill` writes as UTF-8.
    private func repr(
        _ fill: (inout RawTable<UInt8>) throws(PickleError) -> Void
    ) throws(PickleError) -> String {
        var text = RawTable<UInt8>(capacity: 64)
        defer { text.free() }
        try fill(&text)
        return pythonRepr(utf8: UnsafeBufferPointer(start: text.base, count: text.count), limit: .max)
    }

    private func appendLatin1(_ bytes: some Sequence<UInt8>, _ text: inout RawTable<UInt8>) {
        for byte in bytes { appendUTF8(UInt32(byte), to: &text) }
    }

    private mutating func argument(_ kind: PickleOpcode.Argument) throws(PickleError) -> String? {
        switch kind {
        case .none: return nil
        case .unsigned(let width): return String(try number(width))
        case .signed32: return String(Int32(truncatingIfNeeded: try number(4)))
        case .double: return pythonFloat(Double(bitPattern: try number(8).byteSwapped))
        case .decimal:
            let line = try lineText()
            return line == "00" ? "False" : line == "01" ? "True" : line.hasSuffix("L") ? String(line.dropLast()) : line
        case .floatLine:
            let line = try lineText()
            return parsePythonFloat(line).map(pythonFloat) ?? line
        case .long(let width):
            let content = try take(number(width))
            let digits = PickleLimits.default.integerDigits
            let text = content.withUnsafeBufferPointer { decimalText($0, digits: digits) }
            return text ?? "<int of \(content.count) bytes>"
        case .text(let width):
            let content = try take(number(width))
            return content.withUnsafeBufferPointer { pythonRepr(utf8: $0, limit: .max) }
        case .bytes(let width): return pythonRepr(bytes: try take(number(width)))
        case .byteArray: return "bytearray(" + pythonRepr(bytes: try take(number(8))) + ")"
        case .oldText(let width):
            let content = try take(number(width))
            return try repr { text throws(PickleError) in appendLatin1(content, &text) }
        case .line:
            var line = try lineText()
            return line.withUTF8 { pythonRepr(utf8: $0, limit: .max) }
        case .rawUnicode:
            let line = try line()
            return try repr { text throws(PickleError) in
                guard line.withUnsafeBufferPointer({ decodeRawUnicodeEscape($0, to: &text) }) else {
                    throw PickleError(.badValue, at: position, "'rawunicodeescape' codec can't decode bytes")
                }
            }
        case .quoted:
            let line = try line()
            return try repr { text throws(PickleError) in
                guard line.count >= 2, line.first == line.last, line.first == 0x27 || line.first == 0x22 else {
                    throw PickleError(.badValue, at: position, "no string quotes around the argument")
                }
                var bytes = RawTable<UInt8>(capacity: line.count)
                defer { bytes.free() }
                let problem = line.dropFirst().dropLast().withUnsafeBufferPointer { decodeStringEscape($0, to: &bytes) }
                if let problem { throw PickleError(.badValue, at: position, "\(problem)") }
                appendLatin1(UnsafeBufferPointer(start: bytes.base, count: bytes.count), &text)
            }
        case .names:
            var names = try lineText() + " " + lineText()
            return names.withUTF8 { pythonRepr(utf8: $0, limit: .max) }
        }
    }
}

/// One opcode as `Lib/pickletools.py` describes it.
struct PickleOpcode {
    enum Argument {
        case none, unsigned(Int), signed32, double, decimal, floatLine, long(Int), text(Int), bytes(Int), byteArray
        case oldText(Int), line, quoted, names, rawUnicode
    }

    let name: String
    let argument: Argument
    let version: Int
    var takesMark = false
    /// Values taken from the stack, beside what a mark takes.
    let pops: Int
    let pushes: Int

    init(_ name: String, _ argument: Argument, _ version: Int, pops: Int, pushes: Int, mark: Bool = false) {
        self.name = name
        self.argument = argument
        self.version = version
        self.pops = pops
        self.pushes = pushes
        takesMark = mark
    }

    static let table: [UInt8: PickleOpcode] = [
        0x49: .init("INT", .decimal, 0, pops: 0, pushes: 1),
        0x4A: .init("BININT", .signed32, 1, pops: 0, pushes: 1),
        0x4B: .init("BININT1", .unsigned(1), 1, pops: 0, pushes: 1),
        0x4D: .init("BININT2", .unsigned(2), 1, pops: 0, pushes: 1),
        0x4C: .init("LONG", .decimal, 0, pops: 0, pushes: 1),
        0x8A: .init("LONG1", .long(1), 2, pops: 0, pushes: 1),
        0x8B: .init("LONG4", .long(4), 2, pops: 0, pushes: 1),
        0x53: .init("STRING", .quoted, 0, pops: 0, pushes: 1),
        0x54: .init("BINSTRING", .oldText(4), 1, pops: 0, pushes: 1),
        0x55: .init("SHORT_BINSTRING", .oldText(1), 1, pops: 0, pushes: 1),
        0x42: .init("BINBYTES", .bytes(4), 3, pops: 0, pushes: 1),
        0x43: .init("SHORT_BINBYTES", .bytes(1), 3, pops: 0, pushes: 1),
        0x8E: .init("BINBYTES8", .bytes(8), 4, pops: 0, pushes: 1),
        0x96: .init("BYTEARRAY8", .byteArray, 5, pops: 0, pushes: 1),
        0x97: .init("NEXT_BUFFER", .none, 5, pops: 0, pushes: 1),
        0x98: .init("READONLY_BUFFER", .none, 5, pops: 1, pushes: 1),
        0x4E: .init("NONE", .none, 0, pops: 0, pushes: 1),
        0x88: .init("NEWTRUE", .none, 2, pops: 0, pushes: 1),
        0x89: .init("NEWFALSE", .none, 2, pops: 0, pushes: 1),
        0x56: .init("UNICODE", .rawUnicode, 0, pops: 0, pushes: 1),
        0x8C: .init("SHORT_BINUNICODE", .text(1), 4, pops: 0, pushes: 1),
        0x58: .init("BINUNICODE", .text(4), 1, pops: 0, pushes: 1),
        0x8D: .init("BINUNICODE8", .text(8), 4, pops: 0, pushes: 1),
        0x46: .init("FLOAT", .floatLine, 0, pops: 0, pushes: 1),
        0x47: .init("BINFLOAT", .double, 1, pops: 0, pushes: 1),
        0x5D: .init("EMPTY_LIST", .none, 1, pops: 0, pushes: 1),
        0x61: .init("APPEND", .none, 0, pops: 2, pushes: 1),
        0x65: .init("APPENDS", .none, 1, pops: 0, pushes: 0, mark: true),
        0x6C: .init("LIST", .none, 0, pops: 0, pushes: 1, mark: true),
        0x29: .init("EMPTY_TUPLE", .none, 1, pops: 0, pushes: 1),
        0x74: .init("TUPLE", .none, 0, pops: 0, pushes: 1, mark: true),
        0x85: .init("TUPLE1", .none, 2, pops: 1, pushes: 1),
        0x86: .init("TUPLE2", .none, 2, pops: 2, pushes: 1),
        0x87: .init("TUPLE3", .none, 2, pops: 3, pushes: 1),
        0x7D: .init("EMPTY_DICT", .none, 1, pops: 0, pushes: 1),
        0x64: .init("DICT", .none, 0, pops: 0, pushes: 1, mark: true),
        0x73: .init("SETITEM", .none, 0, pops: 3, pushes: 1),
        0x75: .init("SETITEMS", .none, 1, pops: 0, pushes: 0, mark: true),
        0x8F: .init("EMPTY_SET", .none, 4, pops: 0, pushes: 1),
        0x90: .init("ADDITEMS", .none, 4, pops: 0, pushes: 0, mark: true),
        0x91: .init("FROZENSET", .none, 4, pops: 0, pushes: 1, mark: true),
        0x30: .init("POP", .none, 0, pops: 1, pushes: 0),
        0x32: .init("DUP", .none, 0, pops: 1, pushes: 2),
        0x28: .init("MARK", .none, 0, pops: 0, pushes: 0),
        0x31: .init("POP_MARK", .none, 1, pops: 0, pushes: 0, mark: true),
        0x67: .init("GET", .decimal, 0, pops: 0, pushes: 1),
        0x68: .init("BINGET", .unsigned(1), 1, pops: 0, pushes: 1),
        0x6A: .init("LONG_BINGET", .unsigned(4), 1, pops: 0, pushes: 1),
        0x70: .init("PUT", .decimal, 0, pops: 0, pushes: 0),
        0x71: .init("BINPUT", .unsigned(1), 1, pops: 0, pushes: 0),
        0x72: .init("LONG_BINPUT", .unsigned(4), 1, pops: 0, pushes: 0),
        0x94: .init("MEMOIZE", .none, 4, pops: 1, pushes: 1),
        0x82: .init("EXT1", .unsigned(1), 2, pops: 0, pushes: 1),
        0x83: .init("EXT2", .unsigned(2), 2, pops: 0, pushes: 1),
        0x84: .init("EXT4", .signed32, 2, pops: 0, pushes: 1),
        0x63: .init("GLOBAL", .names, 0, pops: 0, pushes: 1),
        0x93: .init("STACK_GLOBAL", .none, 4, pops: 2, pushes: 1),
        0x52: .init("REDUCE", .none, 0, pops: 2, pushes: 1),
        0x62: .init("BUILD", .none, 0, pops: 2, pushes: 1),
        0x69: .init("INST", .names, 0, pops: 0, pushes: 1, mark: true),
        0x6F: .init("OBJ", .none, 1, pops: 0, pushes: 1, mark: true),
        0x81: .init("NEWOBJ", .none, 2, pops: 2, pushes: 1),
        0x92: .init("NEWOBJ_EX", .none, 4, pops: 3, pushes: 1),
        0x80: .init("PROTO", .unsigned(1), 2, pops: 0, pushes: 0),
        0x2E: .init("STOP", .none, 0, pops: 1, pushes: 0),
        0x95: .init("FRAME", .unsigned(8), 4, pops: 0, pushes: 0),
        0x50: .init("PERSID", .line, 0, pops: 0, pushes: 1),
        0x51: .init("BINPERSID", .none, 1, pops: 1, pushes: 1),
    ]
}

extension OpcodeReader {
    /// The protocol at which the pickle was written. CPython writes the arguments of a state setter as TUPLE2 at every protocol,
    /// so that where there is no PROTO those do not tell.
    var ownProtocol: Int {
        if highestProtocol != 2 || !hasSetters || input[0] == 0x80 { return highestProtocol }
        var highest = 0
        var place = 0
        while place < position, let opcode = PickleOpcode.table[input[place]] {
            let isSetter =
                place + 2 < position && input[place] == 0x86 && input[place + 1] == 0x52 && input[place + 2] == 0x30
            if !isSetter { highest = max(highest, opcode.version) }
            place = skip(opcode.argument, from: place + 1)
        }
        return highest
    }

    /// Where an opcode's argument ends, which is known to be there.
    private func skip(_ argument: PickleOpcode.Argument, from start: Int) -> Int {
        func counted(_ width: Int) -> Int {
            start + width + Int(width == 1 ? UInt32(input[start]) : little32(start))
        }
        func lines(_ count: Int) -> Int {
            var (place, left) = (start, count)
            while left > 0, place < end {
                if input[place] == 0x0A { left -= 1 }
                place += 1
            }
            return place
        }
        switch argument {
        case .none: return start
        case .unsigned(let width): return start + width
        case .signed32: return start + 4
        case .double: return start + 8
        case .decimal, .floatLine, .line, .rawUnicode, .quoted: return lines(1)
        case .names: return lines(2)
        // Lengths of eight bytes are of higher protocols than this is asked for.
        case .long(let width), .text(let width), .bytes(let width), .oldText(let width): return counted(width)
        case .byteArray: return end
        }
    }
}
