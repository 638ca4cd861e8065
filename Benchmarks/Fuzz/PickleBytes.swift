/// Writes a pickle opcode by opcode, also one that no pickler would write.
struct PickleBytes {
    private(set) var bytes: [UInt8] = [0x80, 4]
    private var memoCount = 0

    mutating func opcode(_ byte: UInt8) { bytes.append(byte) }

    mutating func raw(_ more: [UInt8]) { bytes += more }

    private mutating func little(_ value: Int, _ width: Int) {
        for shift in 0..<width { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * shift))) }
    }

    mutating func none() { opcode(0x4E) }

    mutating func bool(_ value: Bool) { opcode(value ? 0x88 : 0x89) }

    mutating func int(_ value: Int) {
        if let value = Int32(exactly: value) {
            opcode(0x4A)
            little(Int(value), 4)
        } else {
            opcode(0x8A)
            opcode(8)
            little(value, 8)
        }
    }

    /// An int by its two's complement, least byte first.
    mutating func long(_ complement: [UInt8]) {
        if complement.count < 256 {
            opcode(0x8A)
            little(complement.count, 1)
        } else {
            opcode(0x8B)
            little(complement.count, 4)
        }
        bytes += complement
    }

    mutating func float(_ value: Double) {
        opcode(0x47)
        let pattern = value.bitPattern
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: pattern >> shift)) }
    }

    mutating func text(_ text: String) { utf8(Array(text.utf8)) }

    mutating func utf8(_ text: [UInt8]) {
        if text.count < 256 {
            opcode(0x8C)
            little(text.count, 1)
        } else {
            opcode(0x58)
            little(text.count, 4)
        }
        bytes += text
    }

    mutating func blob(_ data: [UInt8]) {
        if data.count < 256 {
            opcode(0x43)
            little(data.count, 1)
        } else {
            opcode(0x42)
            little(data.count, 4)
        }
        bytes += data
    }

    mutating func mark() { opcode(0x28) }
    mutating func tuple() { opcode(0x74) }
    mutating func emptyTuple() { opcode(0x29) }
    mutating func beginList() {
        opcode(0x5D)
        mark()
    }
    mutating func endList() { opcode(0x65) }
    mutating func beginDict() {
        opcode(0x7D)
        mark()
    }
    mutating func endDict() { opcode(0x75) }
    mutating func reduce() { opcode(0x52) }
    mutating func newObject() { opcode(0x81) }
    mutating func build() { opcode(0x62) }
    mutating func stop() { opcode(0x2E) }

    mutating func global(_ module: String, _ name: String) {
        text(module)
        text(name)
        opcode(0x93)
    }

    /// Memoizes the top of the stack.
    ///
    /// - Returns: its index in the memo.
    mutating func memoize() -> Int {
        opcode(0x94)
        defer { memoCount += 1 }
        return memoCount
    }

    mutating func get(_ index: Int) {
        opcode(0x6A)
        little(index, 4)
    }
}
