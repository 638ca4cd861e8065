/// The loop in which nearly all opcodes of nearly all pickles are run.
extension OpcodeReader {
    /// Runs plain values, memo entries, references, containers that are filled at once, and calls of a global with a tuple, as
    /// long as all tables have room. Stops before everything else and before everything wrong, for the functions that do one opcode.
    ///
    /// Where the tables end is kept in locals, because a store through a pointer makes the compiler load fields again.
    /// Each opcode takes a byte or more and adds at most one node, one reference and one memo entry; so the one check
    /// whether `place` is below `stop` stands for all of those. The input is padded by 16 zeros, which are no opcodes:
    /// arguments are loaded before anybody knows whether they are there, and whether the last one was is asked at the end.
    mutating func runHot() throws(PickleError) {
        if !isMemoDense { return }
        let input = self.input
        let end = input + self.end
        let nodeBase = nodes.base
        let stackBase = stack.base
        let memoBase = memo.base
        var nodeCount = nodes.count
        var top = stackBase + stack.count
        var fenceTop = stackBase + fence
        // From here on up, the stack holds nothing that has children.
        var leaves = top
        var memoCount = memo.count
        var place = input + position
        var last = place
        var seen = 0
        var room = min(min(nodes.capacity, nodeLimit) &- nodeCount, stack.capacity &- stack.count)
        room = min(room, memo.capacity &- memoCount)
        var stop = min(end, place + max(0, room))
        loop: while place < stop {
            last = place
            switch place[0] {
            case 0x68:  // BINGET
                let index = Int(place[1])
                if index >= memoCount { break loop }
                let found = memoBase[index]
                if found & MemoEntry.special != 0 {
                    nodeBase[Int(found & MemoEntry.node)].flags |= Node.fetched
                    leaves = top + 1
                }
                top[0] = found & MemoEntry.node
                top += 1
                place += 2
                seen |= 1 &<< 1
            case 0x6A:  // LONG_BINGET
                let index = Int(little32(place + 1))
                if index >= memoCount { break loop }
                let found = memoBase[index]
                if found & MemoEntry.special != 0 {
                    nodeBase[Int(found & MemoEntry.node)].flags |= Node.fetched
                    leaves = top + 1
                }
                top[0] = found & MemoEntry.node
                top += 1
                place += 5
                seen |= 1 &<< 1
            case 0x8C:  // SHORT_BINUNICODE
                let count = Int(place[1])
                let text = place + 2
                if text + count >= end { break loop }
                var flags: UInt8 = 0
                if !isASCII(text, count) {
                    guard let found = flagsOfText(text, count) else { break loop }
                    flags = found
                }
                place = text + count
                stop = min(end, stop + count)
                if place[0] == 0x94 {
                    memoBase[memoCount] = UInt32(truncatingIfNeeded: nodeCount)
                    memoCount &+= 1
                    place += 1
                }
                let start = UInt32(truncatingIfNeeded: text - input)
                let string = Node(.string, a: start, b: UInt32(truncatingIfNeeded: count), flags: flags)
                put(string, nodeBase, &nodeCount, &top)
                seen |= 1 &<< 4
            case 0x58:  // BINUNICODE
                let count = Int(little32(place + 1))
                let text = place + 5
                guard text + count < end, let flags = flagsOfText(text, count) else { break loop }
                place = text + count
                stop = min(end, stop + count)
                if count > longestText { longestText = count }
                let start = UInt32(truncatingIfNeeded: text - input)
                let string = Node(.string, a: start, b: UInt32(truncatingIfNeeded: count), flags: flags)
                put(string, nodeBase, &nodeCount, &top)
                seen |= 1 &<< 1
            case 0x43:  // SHORT_BINBYTES
                let count = Int(place[1])
                let start = place + 2
                if start + count >= end { break loop }
                place = start + count
                stop = min(end, stop + count)
                let offset = UInt32(truncatingIfNeeded: start - input)
                put(Node(.bytes, a: offset, b: UInt32(truncatingIfNeeded: count)), nodeBase, &nodeCount, &top)
                seen |= 1 &<< 3
            case 0x71:  // BINPUT
                if Int(place[1]) != memoCount || top <= fenceTop { break loop }
                memoBase[memoCount] = memoEntry(top[-1])
                memoCount &+= 1
                place += 2
                seen |= 1 &<< 1
            case 0x72:  // LONG_BINPUT
                if Int(little32(place + 1)) != memoCount || top <= fenceTop { break loop }
                memoBase[memoCount] = memoEntry(top[-1])
                memoCount &+= 1
                place += 5
                seen |= 1 &<< 1
            case 0x94:  // MEMOIZE
                if top <= fenceTop { break loop }
                memoBase[memoCount] = memoEntry(top[-1])
                memoCount &+= 1
                place += 1
                seen |= 1 &<< 4
            case 0x4B:  // BININT1
                put(Node(.int, bits: UInt64(place[1])), nodeBase, &nodeCount, &top)
                place += 2
                seen |= 1 &<< 1
            case 0x4D:  // BININT2
                put(Node(.int, bits: UInt64(little16(place + 1))), nodeBase, &nodeCount, &top)
                place += 3
                seen |= 1 &<< 1
            case 0x4A:  // BININT
                let value = Int64(Int32(truncatingIfNeeded: little32(place + 1)))
                put(Node(.int, bits: UInt64(bitPattern: value)), nodeBase, &nodeCount, &top)
                place += 5
                seen |= 1 &<< 1
            case 0x8A:  // LONG1
                let count = Int(place[1])
                if count == 0 || count > 8 { break loop }
                let unused = UInt64(truncatingIfNeeded: 64 &- 8 &* count)
                let value = Int64(bitPattern: little64(place + 2) &<< unused) &>> Int64(bitPattern: unused)
                put(Node(.int, bits: UInt64(bitPattern: value)), nodeBase, &nodeCount, &top)
                place += 2 + count
                seen |= 1 &<< 2
            case 0x47:  // BINFLOAT
                put(Node(.float, bits: little64(place + 1).byteSwapped), nodeBase, &nodeCount, &top)
                place += 9
                seen |= 1 &<< 1
            case 0x4E:  // NONE
                top[0] = Singleton.none
                top += 1
                place += 1
            case 0x88, 0x89:  // NEWTRUE, NEWFALSE
                top[0] = UInt32(place[0] &- 0x87)
                top += 1
                place += 1
                seen |= 1 &<< 2
            case 0x8F:  // EMPTY_SET
                put(Node(.set), nodeBase, &nodeCount, &top)
                leaves = top
                place += 1
                seen |= 1 &<< 4
            case 0x7D, 0x5D:  // EMPTY_DICT, EMPTY_LIST
                let tag: Tag = place[0] == 0x7D ? .dict : .list
                place += 1
                seen |= 1 &<< 1
                if place[0] == 0x94 {
                    memoBase[memoCount] = UInt32(truncatingIfNeeded: nodeCount) | MemoEntry.special
                    memoCount &+= 1
                    place += 1
                    seen |= 1 &<< 4
                }
                put(Node(tag), nodeBase, &nodeCount, &top)
                leaves = top
            case 0x29:  // EMPTY_TUPLE
                top[0] = Singleton.emptyTuple
                top += 1
                place += 1
                seen |= 1 &<< 1
            case 0x28:  // MARK
                if marks.count == marks.capacity { break loop }
                marks.base[marks.count] = UInt32(truncatingIfNeeded: distance(stackBase, top))
                marks.count &+= 1
                fenceTop = top
                place += 1
            case 0x75, 0x65:  // SETITEMS, APPENDS
                opcodeStart = place - input
                guard let (start, below) = newestMark(stackBase),
                    fill(start, top, below, place[0] == 0x75 ? .dict : .list, areLeaves: start >= leaves)
                else { break loop }
                marks.count &-= 1
                fenceTop = below
                top = start
                leaves = top
                place += 1
                seen |= 1 &<< 1
            case 0x90:  // ADDITEMS
                opcodeStart = place - input
                guard let (start, below) = newestMark(stackBase), fillOther(start, top, below, .set) else { break loop }
                marks.count &-= 1
                fenceTop = below
                top = start
                leaves = top
                place += 1
                seen |= 1 &<< 4
            case 0x73:  // SETITEM
                opcodeStart = place - input
                if !fillOther(top - 2, top, fenceTop, .dict) { break loop }
                top -= 2
                leaves = top
                place += 1
            case 0x61:  // APPEND
                opcodeStart = place - input
                if !fillOther(top - 1, top, fenceTop, .list) { break loop }
                top -= 1
                leaves = top
                place += 1
            case 0x52:  // REDUCE
                guard top - 2 >= fenceTop, let object = hotObject(top[-2], top[-1], .reduce) else { break loop }
                top -= 2
                put(object, nodeBase, &nodeCount, &top)
                leaves = top
                place += 1
            case 0x81:  // NEWOBJ
                guard top - 2 >= fenceTop, let object = hotObject(top[-2], top[-1], .newObject) else { break loop }
                top -= 2
                put(object, nodeBase, &nodeCount, &top)
                leaves = top
                place += 1
                seen |= 1 &<< 2
            case 0x62:  // BUILD
                if top - 2 < fenceTop || !hotBuild(top[-2], top[-1]) { break loop }
                top -= 1
                leaves = top
                place += 1
            case 0x74, 0x85, 0x86, 0x87:  // TUPLE, TUPLE1, TUPLE2, TUPLE3
                var start = top
                if place[0] == 0x74 {
                    guard let mark = newestMark(stackBase), mark.start < top else { break loop }
                    start = mark.start
                } else {
                    start -= Int(place[0] &- 0x84)
                    if start < fenceTop { break loop }
                    seen |= 1 &<< 2
                }
                guard let tuple = hold(start, distance(start, top), .tuple, areLeaves: start >= leaves) else {
                    break loop
                }
                if place[0] == 0x74, let mark = newestMark(stackBase) {
                    marks.count &-= 1
                    fenceTop = mark.below
                }
                top = start
                put(tuple, nodeBase, &nodeCount, &top)
                leaves = top
                place += 1
            default: break loop
            }
        }
        nodes.count = nodeCount
        stack.count = distance(stackBase, top)
        fence = distance(stackBase, fenceTop)
        memo.count = memoCount
        memoEntries = memoCount
        position = place - input
        if seen != 0 { raise(Int.bitWidth &- 1 &- seen.leadingZeroBitCount) }
        if place > end {
            opcodeStart = last - input
            throw truncated()
        }
    }

    /// Adds a node and a reference to it.
    @inline(__always)
    private func put(
        _ node: Node,
        _ nodeBase: UnsafeMutablePointer<Node>,
        _ nodeCount: inout Int,
        _ top: inout StackPointer
    ) {
        nodeBase[nodeCount] = node
        top[0] = UInt32(truncatingIfNeeded: nodeCount)
        nodeCount &+= 1
        top += 1
    }

    /// How far one pointer into the stack lies above another.
    @inline(__always)
    private func distance(_ lower: StackPointer, _ upper: StackPointer) -> Int {
        Int(bitPattern: (UInt(bitPattern: upper) &- UInt(bitPattern: lower)) &>> 2)
    }

    typealias StackPointer = UnsafeMutablePointer<NodeIndex>

    /// What the newest mark marked, and what the one below it did.
    @inline(__always)
    private func newestMark(_ stackBase: StackPointer) -> (start: StackPointer, below: StackPointer)? {
        let count = marks.count
        if count == 0 { return nil }
        let below = count == 1 ? stackBase : stackBase + Int(marks.base[count &- 2])
        return (stackBase + Int(marks.base[count &- 1]), below)
    }

    /// Gives all of the stack between two pointers to the empty list, dict or set under it; whether that was possible.
    @inline(__always)
    private mutating func fill(
        _ start: StackPointer,
        _ top: StackPointer,
        _ fenceTop: StackPointer,
        _ tag: Tag,
        areLeaves: Bool
    ) -> Bool {
        let count = distance(start, top)
        if start <= fenceTop || count == 0 || tag == .dict && count & 1 != 0 { return false }
        let target = nodes.base + Int(start[-1])
        if target.pointee.tag != tag || target.pointee.b != 0 || target.pointee.has(Node.adopted) { return false }
        guard var filled = hold(start, count, tag, areLeaves: areLeaves) else { return false }
        // Now something may hold it: itself.
        if target.pointee.has(Node.adopted) { needsSurvey = true }
        filled.flags = target.pointee.flags
        filled.c = filled.b
        target.pointee = filled
        if tag == .set || tag == .dict && !hasKeysOfLast(Int(filled.a), count) { list(start[-1]) }
        return true
    }

    /// The same, less often.
    @inline(never)
    private mutating func fillOther(
        _ start: StackPointer,
        _ top: StackPointer,
        _ fenceTop: StackPointer,
        _ tag: Tag
    ) -> Bool {
        fill(start, top, fenceTop, tag, areLeaves: false)
    }

    /// Whether a dict's keys are, by identity, those of the last dict that was looked at, as in the rows of a table.
    @inline(__always)
    private func hasKeysOfLast(_ first: Int, _ count: Int) -> Bool {
        if count != listedCount { return false }
        let left = UnsafeRawPointer(children.base + first)
        let right = UnsafeRawPointer(children.base + listedFirst)
        var different = SIMD4<UInt32>()
        var index = 0
        while index &+ 4 <= count {
            different |=
                left.loadUnaligned(fromByteOffset: index &* 4, as: SIMD4<UInt32>.self)
                ^ right.loadUnaligned(fromByteOffset: index &* 4, as: SIMD4<UInt32>.self)
            index &+= 4
        }
        if index < count, children.base[first &+ index] != children.base[listedFirst &+ index] { return false }
        return different[0] | different[2] == 0
    }

    /// Copies references to the table of children and returns the node that holds them, if that is possible.
    @inline(__always)
    private mutating func hold(_ start: StackPointer, _ count: Int, _ tag: Tag, areLeaves: Bool) -> Node? {
        let first = children.count
        if children.capacity &- first < count { return nil }
        let target = children.base + first
        var height: UInt16 = 1
        if areLeaves {
            // Both tables are padded.
            var index = 0
            repeat {
                let four = UnsafeRawPointer(start + index).loadUnaligned(as: SIMD4<UInt32>.self)
                UnsafeMutableRawPointer(target + index).storeBytes(of: four, as: SIMD4<UInt32>.self)
                index &+= RawTable<UInt32>.padding
            } while index < count
        } else {
            guard let found = adopt(start, target, count) else { return nil }
            height = found
        }
        children.count = first &+ count
        return Node(
            tag,
            a: UInt32(truncatingIfNeeded: first),
            b: UInt32(truncatingIfNeeded: count),
            height: height
        )
    }
}
