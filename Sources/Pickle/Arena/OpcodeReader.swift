/// Reads the opcodes of one pickle into tables. Nothing is imported, called or executed.
///
/// Follows CPython's `Modules/_pickle.c` (`load()` and its `load_*` functions) in what it accepts. One struct of raw
/// pointers, because captured locals, arrays and reference counts cost more than the parsing.
struct OpcodeReader {
    var nodes: RawTable<Node>
    var children: RawTable<UInt32>
    var side: RawTable<UInt8>
    var stack: RawTable<NodeIndex>
    var marks: RawTable<UInt32>
    /// A `MemoEntry` for each memo index, `Singleton.absent` where nothing was put.
    var memo: RawTable<NodeIndex>
    var sparseMemo: [UInt64: UInt32] = [:]
    var memoEntries = 0
    /// Whether all of the memo is in `memo`, without a gap.
    var isMemoDense = true
    var input: UnsafePointer<UInt8>
    var end: Int
    var position = 0
    /// The stack may not be popped below this: the height at the newest mark.
    var fence = 0
    var highestProtocol = 0
    var globals: [GlobalKey: NodeIndex] = [:]
    var recentGlobals: (NodeIndex, NodeIndex, NodeIndex, NodeIndex) = (.max, .max, .max, .max)
    /// A node that was already held got more children, so heights have to be computed again.
    var needsSurvey = false
    /// Dicts and sets whose keys are to be checked, each with the place of its opcode in the upper half.
    var pending: RawTable<UInt64>
    /// The children of the last dict among them.
    var listedFirst = 0
    var listedCount = -1
    /// No str, bytes … is longer than this.
    var longestText = 255
    /// The newest result of a `getattr`, and how many memo entries there were.
    var lastAttribute: (node: NodeIndex, memoEntries: Int) = (Singleton.absent, 0)
    /// Whether a call was dropped that sets an object's state.
    var hasSetters = false
    /// Out-of-band buffers met so far.
    var buffers = 0
    var nodeLimit: Int
    /// How many bytes the tables may still take.
    let meter: UnsafeMutablePointer<Int>
    /// How many bytes of names of globals may still be compared: long names that are used again and again would take quadratic time.
    var nameBudget: Int
    let limits: PickleLimits
    /// Heights are kept in 16 bits.
    let nestingLimit: Int
    var opcodeStart = 0

    /// What an entry of a dictionary takes, about.
    static let sparseEntry = 48

    /// A global's identity: its two names.
    struct GlobalKey: Hashable {
        var module: [UInt8]
        var name: [UInt8]
    }

    mutating func prepare() {
        nodes.append(Node(.none))
        nodes.append(Node(.bool, a: 1))
        nodes.append(Node(.bool))
        nodes.append(Node(.tuple))
    }

    /// Frees everything but nodes, children and side.
    mutating func freeScratch() {
        stack.free()
        pending.free()
        marks.free()
        memo.free()
    }

    @inline(never)
    func tooMuchMemory() -> PickleError {
        error(.memoryLimit, "decoding takes more than \(limits.memory) bytes of memory")
    }

    func error(_ code: PickleError.Code, _ message: String) -> PickleError {
        PickleError(code, at: opcodeStart, message)
    }

    // MARK: Stack

    @inline(__always)
    mutating func push(_ node: Node) throws(PickleError) {
        if nodes.count >= nodeLimit { throw error(.nodeLimit, "more than \(limits.nodes) nodes") }
        if node.tag.hasText { longestText = max(longestText, Int(node.b)) }
        stack.append(UInt32(truncatingIfNeeded: nodes.count))
        nodes.append(node)
    }

    @inline(__always)
    mutating func push(existing index: NodeIndex) { stack.append(index) }

    @inline(__always)
    mutating func pop() throws(PickleError) -> NodeIndex {
        if stack.count <= fence { throw underflow() }
        stack.count &-= 1
        return stack.base[stack.count]
    }

    @inline(__always)
    func top() throws(PickleError) -> NodeIndex {
        if stack.count <= fence { throw underflow() }
        return stack.base[stack.count &- 1]
    }

    @inline(never)
    func underflow() -> PickleError {
        marks.count > 0
            ? error(.stackUnderflow, "unexpected MARK found") : error(.stackUnderflow, "unpickling stack underflow")
    }

    @inline(__always)
    mutating func mark() {
        marks.append(UInt32(truncatingIfNeeded: stack.count))
        fence = stack.count
    }

    /// Takes the newest mark away and returns the height it marked.
    @inline(__always)
    mutating func popMark() throws(PickleError) -> Int {
        if marks.count == 0 { throw error(.missingMark, "could not find MARK") }
        marks.count &-= 1
        let start = Int(marks.base[marks.count])
        fence = marks.count == 0 ? 0 : Int(marks.base[marks.count &- 1])
        return start
    }

    // MARK: Input

    /// Takes `count` bytes and returns where they start.
    @inline(__always)
    mutating func take(_ count: Int) throws(PickleError) -> Int {
        if end &- position < count { throw truncated() }
        let start = position
        position &+= count
        return start
    }

    @inline(never)
    func truncated() -> PickleError {
        position == 0 && end == 0
            ? error(.truncated, "Ran out of input") : error(.truncated, "pickle data was truncated")
    }

    /// Takes as many bytes as a length prefix of 8 bytes says.
    mutating func take(long count: UInt64) throws(PickleError) -> Int {
        if count > UInt64(end &- position) { throw truncated() }
        return try take(Int(count))
    }

    @inline(__always)
    func little16(_ start: Int) -> UInt16 {
        UnsafeRawPointer(input + start).loadUnaligned(as: UInt16.self).littleEndian
    }

    @inline(__always)
    func little32(_ start: Int) -> UInt32 {
        UnsafeRawPointer(input + start).loadUnaligned(as: UInt32.self).littleEndian
    }

    @inline(__always)
    func little64(_ start: Int) -> UInt64 {
        UnsafeRawPointer(input + start).loadUnaligned(as: UInt64.self).littleEndian
    }

    /// Takes a line; its newline is consumed and not part of it.
    mutating func takeLine(atLeast minimum: Int = 1) throws(PickleError) -> Range<Int> {
        let start = position
        var index = start
        while index < end, input[index] != 0x0A { index &+= 1 }
        if index == end { throw error(.truncated, "pickle data was truncated") }
        position = index &+ 1
        if index &- start < minimum { throw error(.truncated, "pickle data was truncated") }
        return start..<index
    }

    func text(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: input + range.lowerBound, count: range.count)
    }

    // MARK: Memo

    @inline(__always)
    mutating func memoize() throws(PickleError) {
        try put(UInt64(memoEntries))
    }

    mutating func put(_ index: UInt64) throws(PickleError) {
        let value = memoEntry(try top())
        if index > UInt64(Int64.max) { throw error(.badMemo, "memo index too large") }
        if index == UInt64(memo.count) {
            memo.append(value)
            memoEntries &+= 1
        } else if index < UInt64(memo.count) {
            if memo.base[Int(index)] == Singleton.absent { memoEntries &+= 1 }
            memo.base[Int(index)] = value
        } else if index <= UInt64(end) {
            // Every PUT takes a byte of input or more, so this stays in proportion to it.
            isMemoDense = false
            memo.reserve(Int(index) &+ 1 &- memo.count)
            // Before the gap is filled: memory that nobody writes to costs nothing.
            if meter.pointee < 0 { throw tooMuchMemory() }
            while memo.count < Int(index) { memo.append(Singleton.absent) }
            memo.append(value)
            memoEntries &+= 1
        } else {
            isMemoDense = false
            if sparseMemo.updateValue(value, forKey: index) == nil {
                memoEntries &+= 1
                meter.pointee -= Self.sparseEntry
            }
        }
    }

    mutating func get(_ index: UInt64) throws(PickleError) {
        let found = index < UInt64(memo.count) ? memo.base[Int(index)] : sparseMemo[index] ?? Singleton.absent
        if found == Singleton.absent { throw error(.badMemo, "Memo value not found at index \(index)") }
        fetch(found & MemoEntry.node)
        push(existing: found & MemoEntry.node)
    }

    /// What stands in the memo for a node.
    @inline(__always)
    func memoEntry(_ index: NodeIndex) -> UInt32 {
        nodes.base[Int(index)].tag.isPlain ? index : index | MemoEntry.special
    }

    /// Notes that a node is pushed a second time.
    @inline(__always)
    mutating func fetch(_ index: NodeIndex) { nodes.base[Int(index)].flags |= Node.fetched }

    // MARK: Holding

    /// Notes that `child` is held by something that is `height` high so far; returns the height that takes.
    @inline(__always)
    mutating func adopt(_ child: NodeIndex, _ height: UInt16) throws(PickleError) -> UInt16 {
        let node = nodes.base + Int(child)
        if !node.pointee.tag.hasChildren || child == Singleton.emptyTuple { return height == 0 ? 1 : height }
        if node.pointee.has(Node.adopted) { needsSurvey = true }
        node.pointee.flags |= Node.adopted
        let needed = node.pointee.height &+ 1
        if Int(needed) > nestingLimit { throw error(.nestingLimit, "nested more than \(nestingLimit) deep") }
        return max(height, needed)
    }

    /// Copies the stack from `start` on to the table of children and returns where they went and their height.
    @inline(__always)
    mutating func adoptStack(from start: Int) throws(PickleError) -> (first: UInt32, height: UInt16) {
        let count = stack.count &- start
        children.reserve(count)
        let first = children.count
        var height: UInt16 = 0
        var index = 0
        while index < count {
            let child = stack.base[start &+ index]
            height = try adopt(child, height)
            children.base[first &+ index] = child
            index &+= 1
        }
        children.count = first &+ count
        stack.count = start
        return (UInt32(truncatingIfNeeded: first), height)
    }

    /// Appends the stack from `start` on to a range of children that may have to move; `range` is offset, count, room.
    @inline(__always)
    mutating func extend(
        _ range: (offset: UInt32, count: UInt32, room: UInt32),
        from start: Int,
        height: UInt16
    ) throws(PickleError) -> (offset: UInt32, count: UInt32, room: UInt32, height: UInt16) {
        let extra = stack.count &- start
        var offset = Int(range.offset)
        var room = Int(range.room)
        let total = Int(range.count) &+ extra
        if total > room {
            if range.count == 0 {
                offset = children.count
                room = total
            } else if offset &+ room == children.count {
                room = total
            } else {
                room = total &* 2
                children.reserve(room)
                (children.base + children.count).update(from: children.base + offset, count: Int(range.count))
                offset = children.count
            }
            children.reserve(max(0, offset &+ room &- children.count))
            children.count = offset &+ room
        }
        var height = height
        var target = offset &+ Int(range.count)
        var index = start
        while index < stack.count {
            let child = stack.base[index]
            height = try adopt(child, height)
            children.base[target] = child
            target &+= 1
            index &+= 1
        }
        stack.count = start
        return (UInt32(truncatingIfNeeded: offset), UInt32(total), UInt32(room), height)
    }

    /// Notes that a dict's or set's keys are to be checked. Those of a dict that is not noted are those of one that is.
    @inline(__always)
    mutating func list(_ index: NodeIndex) {
        let node = nodes.base + Int(index)
        if node.pointee.tag == .dict {
            listedFirst = Int(node.pointee.a)
            listedCount = Int(node.pointee.b)
        }
        if node.pointee.has(Node.listed) { return }
        node.pointee.flags |= Node.listed
        pending.append(UInt64(truncatingIfNeeded: opcodeStart) &<< 32 | UInt64(index))
    }

    /// Appends the stack from `start` on to a list, dict or set.
    @inline(__always)
    mutating func extendContainer(_ index: NodeIndex, from start: Int) throws(PickleError) {
        let node = nodes.base[Int(index)]
        let grown = try extend((node.a, node.b, node.c), from: start, height: node.height)
        let target = nodes.base + Int(index)
        target.pointee.a = grown.offset
        target.pointee.b = grown.count
        target.pointee.c = grown.room
        target.pointee.height = grown.height
        if target.pointee.has(Node.adopted) { needsSurvey = true }
        if target.pointee.tag != .list { list(index) }
    }
}
