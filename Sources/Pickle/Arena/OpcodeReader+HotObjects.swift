/// What the hot loop does with objects and with text beyond ASCII, and what it takes from memory.
extension OpcodeReader {
    /// The object of a call of a global with a tuple, if the call is no more than that; `construct` without its rarer cases.
    @inline(never)
    mutating func hotObject(
        _ callable: NodeIndex,
        _ arguments: NodeIndex,
        _ operation: ObjectRecord.Operation
    ) -> Node? {
        let first = children.count
        let global = nodes.base[Int(callable)]
        let tuple = nodes.base + Int(arguments)
        guard children.capacity &- first >= ObjectRecord.words, global.tag == .global,
            global.c != KnownGlobal.getattr.rawValue, tuple.pointee.tag == .tuple,
            Int(tuple.pointee.height) < nestingLimit
        else { return nil }
        var height: UInt16 = 1
        if arguments != Singleton.emptyTuple {
            if tuple.pointee.has(Node.adopted) { needsSurvey = true }
            tuple.pointee.flags |= Node.adopted
            height = tuple.pointee.height &+ 1
        }
        startRecord(at: first, operation, callable, arguments, Singleton.absent)
        children.count = first &+ ObjectRecord.words
        return Node(.object, a: UInt32(truncatingIfNeeded: first), height: height)
    }

    /// BUILD of an object that has no state so far; whether that was possible.
    @inline(never)
    mutating func hotBuild(_ index: NodeIndex, _ state: NodeIndex) -> Bool {
        let object = nodes.base + Int(index)
        guard object.pointee.tag == .object, object.pointee.b == 0 else { return false }
        let record = children.base + Int(object.pointee.a)
        guard record[ObjectRecord.state] == Singleton.absent,
            record[ObjectRecord.operation] < ObjectRecord.Operation.additions.rawValue
        else { return false }
        let node = nodes.base + Int(state)
        if node.pointee.tag.hasChildren, state != Singleton.emptyTuple {
            if Int(node.pointee.height) >= nestingLimit { return false }
            if node.pointee.has(Node.adopted) { needsSurvey = true }
            node.pointee.flags |= Node.adopted
            object.pointee.height = max(object.pointee.height, node.pointee.height &+ 1)
        }
        record[ObjectRecord.state] = state
        if object.pointee.has(Node.adopted) { needsSurvey = true }
        return true
    }

    /// Writes an object's record, with nothing set on the object yet, where there is room for it.
    @inline(__always)
    func startRecord(
        at offset: Int,
        _ operation: ObjectRecord.Operation,
        _ callable: NodeIndex,
        _ arguments: NodeIndex,
        _ keywords: NodeIndex
    ) {
        let words = UnsafeMutableRawPointer(children.base + offset)
        let absent = Singleton.absent
        words.storeBytes(of: SIMD4(operation.rawValue, callable, arguments, keywords), as: SIMD4<UInt32>.self)
        words.storeBytes(of: SIMD4(absent, 0, 0, 0), toByteOffset: 16, as: SIMD4<UInt32>.self)
        words.storeBytes(of: SIMD4(0, 0, 0, absent), toByteOffset: 32, as: SIMD4<UInt32>.self)
    }

    /// The flags of a str that is not ASCII; none if it is no str.
    @inline(never)
    func flagsOfText(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt8? {
        switch scanUTF8(UnsafeBufferPointer(start: text, count: count)) {
        case .ascii: 0
        case .valid: Node.nonASCII
        case .surrogates: Node.nonASCII | Node.surrogates
        case .invalid: nil
        }
    }

    /// Copies references and returns how high what holds them is; not if that is too high, which is told when this opcode
    /// is run again.
    @inline(never)
    mutating func adopt(
        _ start: StackPointer,
        _ target: UnsafeMutablePointer<NodeIndex>,
        _ count: Int
    ) -> UInt16? {
        let nodeBase = nodes.base
        var height: UInt16 = 1
        var index = 0
        while index < count {
            let child = start[index]
            target[index] = child
            let node = nodeBase + Int(child)
            if node.pointee.tag.hasChildren, child != Singleton.emptyTuple {
                if node.pointee.has(Node.adopted) { needsSurvey = true }
                node.pointee.flags |= Node.adopted
                if Int(node.pointee.height) >= nestingLimit { return nil }
                height = max(height, node.pointee.height &+ 1)
            }
            index &+= 1
        }
        return height
    }

    @inline(__always)
    func little16(_ start: UnsafePointer<UInt8>) -> UInt16 {
        UnsafeRawPointer(start).loadUnaligned(as: UInt16.self).littleEndian
    }

    @inline(__always)
    func little32(_ start: UnsafePointer<UInt8>) -> UInt32 {
        UnsafeRawPointer(start).loadUnaligned(as: UInt32.self).littleEndian
    }

    @inline(__always)
    func little64(_ start: UnsafePointer<UInt8>) -> UInt64 {
        UnsafeRawPointer(start).loadUnaligned(as: UInt64.self).littleEndian
    }
}
