internal import BigInt

/// Checks that dict keys and set elements are hashable and merges equal ones, as Python's dict does: the first key
/// stays, the last value wins.
///
/// `1`, `1.0` and `True` are equal; objects are equal to themselves only, because what their `__eq__` says is unknown.
struct KeyCheck {
    let nodes: UnsafeMutablePointer<Node>
    let children: UnsafeMutablePointer<UInt32>
    let input: UnsafePointer<UInt8>
    let side: UnsafePointer<UInt8>
    /// What comparing may still cost, so that nested tuples that differ at their ends cannot take forever.
    var budget: Int
    private var hashes: [NodeIndex: UInt32] = [:]
    /// A bit for each hash among few keys, modulo their number.
    private let bits: UnsafeMutableBufferPointer<UInt64>
    private var areBitsClear = false
    /// How many words of memory this takes: a power of two.
    static let scratchWords = 32

    init(
        nodes: UnsafeMutablePointer<Node>,
        children: UnsafeMutablePointer<UInt32>,
        input: UnsafePointer<UInt8>,
        side: UnsafePointer<UInt8>,
        budget: Int,
        scratch: UnsafeMutableBufferPointer<UInt64>
    ) {
        bits = scratch
        self.nodes = nodes
        self.children = children
        self.input = input
        self.side = side
        self.budget = budget
    }

    /// Checks dicts, sets and frozensets; `pending` has their nodes and in its upper halves where they were filled.
    mutating func run(_ pending: UnsafeBufferPointer<UInt64>, count: Int) throws(PickleError) {
        var hasMerged = false
        for entry in pending {
            let index = Int(entry & 0xFFFF_FFFF)
            let before = nodes[index].b
            do throws(PickleError) {
                try check(index, stride: nodes[index].tag == .dict ? 2 : 1)
            } catch {
                throw PickleError(error.code, at: Int(entry &>> 32), error.message)
            }
            if nodes[index].b != before { hasMerged = true }
        }
        if !hasMerged { return }
        // A dict that is not listed has the keys of one that is, perhaps of one with equal keys.
        for index in Singleton.count..<count where nodes[index].tag == .dict { try check(index, stride: 2) }
    }

    private mutating func check(_ index: Int, stride step: Int) throws(PickleError) {
        let node = nodes[index]
        let first = children + Int(node.a)
        let count = Int(node.b) / step
        if count == 1 {
            if nodes[Int(first[0])].tag != .string { _ = try hash(first[0]) }
            return
        }
        if count == 0 { return }
        if count <= 16, try !mayRepeat(first, count, step) { return }
        var hasDuplicates = false
        if count <= 8 {
            hasDuplicates = try checkFew(first, count, step)
        } else {
            hasDuplicates = try checkMany(first, count, step, merge: false) != count
        }
        if hasDuplicates {
            let left = try checkMany(first, count, step, merge: true)
            nodes[index].b = UInt32(left * step)
        }
    }

    /// Whether two of a few keys may have the same hash: whether two meet in a set of bits, which is empty again after that.
    @inline(__always)
    private mutating func mayRepeat(
        _ first: UnsafeMutablePointer<UInt32>,
        _ count: Int,
        _ step: Int
    ) throws(PickleError) -> Bool {
        if !areBitsClear {
            bits.initialize(repeating: 0)
            areBitsClear = true
        }
        guard let bits = bits.baseAddress else { return true }
        let mask = UInt32(truncatingIfNeeded: Self.scratchWords &- 1)
        var meet = false
        var place = 0
        while place < count {
            let hash = try hash(first[place &* step])
            let bit: UInt64 = 1 &<< UInt64(truncatingIfNeeded: hash)
            let word = bits + Int(hash &>> 6 & mask)
            if word.pointee & bit != 0 { meet = true }
            word.pointee |= bit
            place &+= 1
        }
        place = 0
        while place < count {
            bits[Int(try hash(first[place &* step]) &>> 6 & mask)] = 0
            place &+= 1
        }
        return meet
    }

    @inline(__always)
    private mutating func checkFew(
        _ first: UnsafeMutablePointer<UInt32>,
        _ count: Int,
        _ step: Int
    ) throws(PickleError) -> Bool {
        var place = 0
        while place < count {
            let key = first[place &* step]
            let hash = try hash(key)
            var other = 0
            while other < place {
                // The hash of a str is kept in its node, so asking again is a load.
                let candidate = first[other &* step]
                if try self.hash(candidate) == hash, try equal(candidate, key, depth: 0) { return true }
                other &+= 1
            }
            place &+= 1
        }
        return false
    }

    /// Open addressing over all keys; returns how many different ones there are, and moves them together if asked.
    private mutating func checkMany(
        _ first: UnsafeMutablePointer<UInt32>,
        _ count: Int,
        _ step: Int,
        merge: Bool
    ) throws(PickleError) -> Int {
        var size = 16
        while size < count * 2 { size *= 2 }
        let slots = UnsafeMutablePointer<UInt32>.allocate(capacity: size)
        defer { slots.deallocate() }
        slots.initialize(repeating: .max, count: size)
        var unique = 0
        for place in 0..<count {
            let key = first[place * step]
            let hash = try hash(key)
            var slot = Int(hash) & (size - 1)
            var found = false
            while slots[slot] != .max {
                // Keys were moved down to `unique` places when merging, else they are where they were.
                let other = first[Int(slots[slot]) * step]
                if try self.hash(other) == hash, try equal(other, key, depth: 0) {
                    if merge, step == 2 { first[Int(slots[slot]) * 2 + 1] = first[place * 2 + 1] }
                    found = true
                    break
                }
                try charge(1)
                slot = (slot + 1) & (size - 1)
            }
            if found { continue }
            slots[slot] = UInt32(merge ? unique : place)
            if merge {
                first[unique * step] = key
                if step == 2 { first[unique * 2 + 1] = first[place * 2 + 1] }
            }
            unique += 1
        }
        return unique
    }

    /// Counts what comparing and hashing cost.
    @inline(__always)
    private mutating func charge(_ cost: Int) throws(PickleError) {
        budget &-= cost
        if budget < 0 { throw tooMuch() }
    }

    private func tooMuch() -> PickleError {
        PickleError(.expansionLimit, "comparing the keys of dicts and sets takes too long")
    }

    // MARK: Hash and equality

    @inline(__always)
    private func bytes(_ node: Node) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: (node.has(Node.side) ? side : input) + Int(node.a), count: Int(node.b))
    }

    @inline(__always)
    mutating func hash(_ index: NodeIndex) throws(PickleError) -> UInt32 {
        let node = nodes[Int(index)]
        if node.has(Node.hashed) { return node.c }
        if node.tag == .int { return Self.mix(node.bits) }
        if node.tag == .string {
            let value = Self.mix((node.has(Node.side) ? side : input) + Int(node.a), Int(node.b))
            nodes[Int(index)].c = value
            nodes[Int(index)].flags |= Node.hashed
            return value
        }
        return try hashRare(index)
    }

    /// A multiplicative hash over words: spreads well enough, and probing is bounded by the budget.
    @inline(__always)
    static func mix(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        var value: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: bytes.count)
        guard let base = bytes.baseAddress, bytes.count > 0 else { return 0x9E37_79B9 }
        var index = 0
        while index &+ 8 <= bytes.count {
            value = (value ^ UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)) &* 0xFF51_AFD7_ED55_8CCD
            value ^= value &>> 32
            index &+= 8
        }
        var tail: UInt64 = 0
        while index < bytes.count {
            tail = tail &<< 8 | UInt64(base[index])
            index &+= 1
        }
        value = (value ^ tail) &* 0xFF51_AFD7_ED55_8CCD
        value = (value ^ value &>> 29) &* 0xC4CE_B9FE_1A85_EC53
        return UInt32(truncatingIfNeeded: value &>> 32)
    }

    /// The same of text after which eight more bytes may be loaded.
    @inline(__always)
    private static func mix(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt32 {
        let base = UnsafeRawPointer(text)
        var value: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: count)
        var index = 0
        while index &+ 8 <= count {
            value = (value ^ base.loadUnaligned(fromByteOffset: index, as: UInt64.self)) &* 0xFF51_AFD7_ED55_8CCD
            value ^= value &>> 32
            index &+= 8
        }
        let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
        let tail = word & ~(UInt64.max &<< UInt64(truncatingIfNeeded: 8 &* (count &- index)))
        value = (value ^ tail) &* 0xFF51_AFD7_ED55_8CCD
        value = (value ^ value &>> 29) &* 0xC4CE_B9FE_1A85_EC53
        return UInt32(truncatingIfNeeded: value &>> 32)
    }

    @inline(__always)
    private static func mix(_ bits: UInt64) -> UInt32 {
        var value = (bits ^ bits &>> 33) &* 0xFF51_AFD7_ED55_8CCD
        value = (value ^ value &>> 33) &* 0xC4CE_B9FE_1A85_EC53
        return UInt32(truncatingIfNeeded: value &>> 32)
    }

    /// The integer that a number equals, if there is one: `True` is 1 and so is 1.0.
    private func integral(_ node: Node) -> Int64? {
        switch node.tag {
        case .int: return Int64(bitPattern: node.bits)
        case .bool: return Int64(node.a)
        case .float: return Int64(exactly: Double(bitPattern: node.bits))
        default: return nil
        }
    }

    private mutating func hashRare(_ index: NodeIndex) throws(PickleError) -> UInt32 {
        let node = nodes[Int(index)]
        switch node.tag {
        case .none: return 0xB5C0_FBCF
        case .float where Double(bitPattern: node.bits).isNaN:
            // Equal to nothing but itself; all in one place would make a set of them quadratic.
            return Self.mix(UInt64(index))
        case .int, .bool, .float: return Self.mix(integral(node).map { UInt64(bitPattern: $0) } ?? node.bits)
        case .bigInt, .bytes, .python2String:
            // Not kept in the node: where many meet in one place, each is hashed again and again.
            try charge(Int(node.b) >> 3)
            return Self.mix(bytes(node))
        case .list, .dict, .set, .bytearray:
            throw PickleError(.unhashable, "unhashable type: '\(OpcodeReader.typeName(node.tag))'")
        case .tuple: return try hashTuple(index)
        case .frozenset:
            if let known = hashes[index] { return known }
            try charge(Int(node.b))
            var value: UInt32 = 0x1B87_3593
            for place in 0..<Int(node.b) { value = value &+ (try hash(children[Int(node.a) + place])) }
            hashes[index] = value
            return value
        default: return Self.mix(UInt64(index) << 8 | UInt64(node.tag.rawValue))
        }
    }

    /// Iterative, and each tuple once.
    private mutating func hashTuple(_ root: NodeIndex) throws(PickleError) -> UInt32 {
        if let known = hashes[root] { return known }
        var path: [(index: NodeIndex, place: Int, value: UInt32)] = [(root, 0, 0x2545_F491)]
        var result: UInt32 = 0
        while var frame = path.popLast() {
            let node = nodes[Int(frame.index)]
            if frame.place == Int(node.b) {
                hashes[frame.index] = frame.value
                result = frame.value
                continue
            }
            let child = children[Int(node.a) + frame.place]
            if nodes[Int(child)].tag == .tuple, hashes[child] == nil {
                path.append(frame)
                path.append((child, 0, 0x2545_F491))
                continue
            }
            let next: UInt32
            if let known = hashes[child] { next = known } else { next = try hash(child) }
            frame.value = (frame.value ^ next) &* 0x0100_0193 &+ 0x85EB_CA6B
            frame.place += 1
            path.append(frame)
        }
        return result
    }

    mutating func equal(_ left: NodeIndex, _ right: NodeIndex, depth: Int) throws(PickleError) -> Bool {
        if left == right { return true }
        let one = nodes[Int(left)]
        let other = nodes[Int(right)]
        if let value = integral(one) { return integral(other) == value }
        switch (one.tag, other.tag) {
        case (.float, .float): return Double(bitPattern: one.bits) == Double(bitPattern: other.bits)
        case (.string, .string), (.bytes, .bytes), (.python2String, .python2String), (.bigInt, .bigInt):
            if one.b != other.b { return false }
            try charge(Int(one.b) >> 2)
            return equalBytes(bytes(one), bytes(other))
        case (.float, .bigInt): return equalsBig(Double(bitPattern: one.bits), other)
        case (.bigInt, .float): return equalsBig(Double(bitPattern: other.bits), one)
        case (.tuple, .tuple):
            if one.b != other.b { return false }
            if depth > 200 { throw tooMuch() }
            for place in 0..<Int(one.b) {
                try charge(1)
                let next = (children[Int(one.a) + place], children[Int(other.a) + place])
                if try !equal(next.0, next.1, depth: depth + 1) { return false }
            }
            return true
        case (.frozenset, .frozenset):
            if one.b != other.b { return false }
            if depth > 200 { throw tooMuch() }
            for place in 0..<Int(one.b) {
                var found = false
                for candidate in 0..<Int(other.b) where !found {
                    try charge(1)
                    found = try equal(
                        children[Int(one.a) + place],
                        children[Int(other.a) + candidate],
                        depth: depth + 1
                    )
                }
                if !found { return false }
            }
            return true
        default: return false
        }
    }

    private func equalsBig(_ value: Double, _ node: Node) -> Bool {
        guard value.isFinite, value.rounded() == value, node.b <= 130 else { return false }
        return Double(bigInteger(bytes(node))) == value && littleEndianBytes(.init(value)).elementsEqual(bytes(node))
    }
}
