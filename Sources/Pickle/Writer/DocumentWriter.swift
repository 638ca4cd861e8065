/// Walks an arena and writes it, without recursion; `save` and its `save_*` functions of `_pickle.c`.
struct DocumentWriter {
    let arena: Arena
    let memo: UnsafeMutablePointer<UInt32>
    let isPure: Bool
    var visits: Int
    let visitLimit: Int
    /// Names have to be mapped from Python 2's to Python 3's.
    let fromPython2: Bool
    /// Objects that are being built; kept only where there are cycles.
    var active: Set<NodeIndex> = []

    init(source: SourceDocument, arena: Arena, isPure: Bool) {
        self.arena = arena
        memo = source.memo
        self.isPure = isPure
        visits = source.visits
        visitLimit = arena.childCount &* 8 &+ arena.nodeCount &* 8 &+ 10_000
        fromPython2 = arena.pickleProtocol < 3
    }

    mutating func write(_ root: NodeIndex, _ writer: inout PickleWriter) throws(PickleError) {
        writer.work.count = 0
        try save(root, &writer)
        while true {
            runHot(&writer)
            if writer.work.count == 0 { break }
            let frame = writer.work.base[writer.work.count &- 1]
            switch frame.phase {
            case .tuple: try tuple(frame, &writer)
            case .list: try list(frame, &writer)
            case .dict: try dict(frame, &writer)
            case .set: try set(frame, &writer)
            default: try rare(frame, &writer)
            }
        }
        if let failure = writer.failure { throw failure }
    }

    /// Writes a leaf, a reference, or the start of anything else, for which it pushes a frame.
    @inline(__always)
    mutating func save(_ index: NodeIndex, _ writer: inout PickleWriter) throws(PickleError) {
        writer.boundary()
        let node = arena.nodes[Int(index)]
        switch node.tag {
        case .none: return writer.emitNone()
        case .bool: return writer.emit(bool: node.a != 0)
        case .int: return writer.emit(int: Int64(bitPattern: node.bits))
        case .float: return writer.emit(float: node.bits)
        default: break
        }
        let known = memo[Int(index)]
        if known != 0 { return writer.putGet(known &- 1) }
        if node.tag == .string, node.b > 2 {
            memo[Int(index)] = writer.emit(string: arena.bytes(of: node)) &+ 1
            return
        }
        try saveMore(index, node, &writer)
    }

    @inline(never)
    private mutating func saveMore(
        _ index: NodeIndex,
        _ node: Node,
        _ writer: inout PickleWriter
    ) throws(PickleError) {
        visits &+= 1
        if visits > visitLimit {
            throw PickleError(.expansionLimit, "cycles through tuples expand to more than \(visitLimit) nodes")
        }
        let version = writer.pickleProtocol
        switch node.tag {
        case .string: string(index, node, &writer)
        case .bigInt: writer.emit(bigInt: arena.bytes(of: node), digits: arena.integerDigits)
        case .bytes:
            if node.b == 0, !isPure {
                emptyBytes(index, &writer)
            } else {
                note(index, writer.emit(anyBytes: arena.bytes(of: node)))
            }
        case .bytearray: note(index, writer.emit(bytearray: arena.bytes(of: node)))
        case .python2String: note(index, writer.emit(python2String: arena.bytes(of: node)))
        case .tuple:
            if node.b == 0 { return writer.emitEmptyTuple() }
            writer.beginTuple(Int(node.b))
            writer.work.append(WriteFrame(index, .tuple, first: node.a, count: node.b))
        case .list:
            if version >= 1 { writer.put(0x5D) } else { writer.put(0x28, 0x6C) }
            note(index, writer.memoize())
            if node.b > 0 { writer.work.append(WriteFrame(index, .list, first: node.a, count: node.b)) }
        case .dict:
            if version >= 1 { writer.put(0x7D) } else { writer.put(0x28, 0x64) }
            note(index, writer.memoize())
            if node.b > 0 { writer.work.append(WriteFrame(index, .dict, first: node.a, count: node.b)) }
        case .set, .frozenset: beginSet(index, node, isFrozen: node.tag == .frozenset, &writer)
        case .global: try global(index, node, &writer)
        case .object: try object(index, node, &writer)
        case .persistentID: persistentID(index, node, &writer)
        case .extensionCode: writer.putExtension(node.a)
        case .buffer:
            if version < 5 { throw PickleError(.notEncodable, "out-of-band buffers need protocol 5") }
            writer.put(0x97)
            if node.has(Node.readOnly) { writer.put(0x98) }
            if node.has(Node.fetched) { note(index, writer.memoize()) }
        case .none, .bool, .int, .float: break
        }
    }

    @inline(__always)
    func note(_ index: NodeIndex, _ number: UInt32) { memo[Int(index)] = number &+ 1 }

    func string(_ index: NodeIndex, _ node: Node, _ writer: inout PickleWriter) {
        let bytes = arena.bytes(of: node)
        // A document that is written whole keeps the identities it has: before 3.12 CPython can have two strings 'a'.
        if isPure || !writer.isSingleton(bytes) { return note(index, writer.emit(string: bytes)) }
        if let known = writer.interned.memo(.string, bytes) {
            note(index, known)
            return writer.putGet(known)
        }
        let number = writer.emit(string: bytes)
        note(index, number)
        writer.interned.insert(.string, bytes, memo: number)
    }

    func emptyBytes(_ index: NodeIndex, _ writer: inout PickleWriter) {
        let bytes = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        if let known = writer.interned.memo(.bytes, bytes) {
            note(index, known)
            return writer.putGet(known)
        }
        let number = writer.emit(anyBytes: bytes)
        note(index, number)
        writer.interned.insert(.bytes, bytes, memo: number)
    }

    // MARK: Containers

    /// Begins the child at the frame's position; whether it is complete already.
    @inline(__always)
    mutating func child(
        _ frame: inout WriteFrame,
        _ place: Int,
        _ writer: inout PickleWriter
    ) throws(PickleError) -> Bool {
        let child = arena.children[Int(frame.first &+ frame.position)]
        frame.position &+= 1
        if frame.phase == .tuple, isBare(frame.node), putBare(child, &writer) { return true }
        try save(child, &writer)
        let isHot = writer.frameStart >= 0 && frame.phase.rawValue <= WritePhase.frozenset.rawValue
        if !isHot, writer.work.count == place &+ 1 { return true }
        // The hot loop goes on here; or a frame was pushed, and this one goes on when that is done.
        writer.work.base[place] = frame
        return false
    }

    @inline(__always)
    private mutating func tuple(_ start: WriteFrame, _ writer: inout PickleWriter) throws(PickleError) {
        var frame = start
        let place = writer.work.count &- 1
        while true {
            if frame.position >= frame.count { break }
            if try !child(&frame, place, &writer) { return }
        }
        writer.work.count = place
        if isBare(frame.node) { return writer.putTuple(Int(frame.count)) }
        let known = memo[Int(frame.node)]
        if known == 0 {
            note(frame.node, writer.endTuple(Int(frame.count)))
            return
        }
        // A tuple that holds itself by way of a list was written by that list: drop these elements and refer to it.
        if writer.pickleProtocol >= 2, frame.count <= 3 {
            for _ in 0..<frame.count { writer.put(0x30) }
        } else if writer.pickleProtocol >= 1 {
            writer.put(0x31)
        } else {
            for _ in 0...frame.count { writer.put(0x30) }
        }
        writer.putGet(known &- 1)
    }

    @inline(__always)
    private mutating func list(_ start: WriteFrame, _ writer: inout PickleWriter) throws(PickleError) {
        var frame = start
        let place = writer.work.count &- 1
        let isText = writer.pickleProtocol == 0
        while frame.position < frame.count {
            if isText {
                if frame.position > 0 { writer.put(0x61) }
            } else if frame.count > 1, frame.position % 1000 == 0 {
                if frame.position > 0 { writer.put(0x65) }
                writer.put(0x28)
            }
            if try !child(&frame, place, &writer) { return }
        }
        writer.work.count = place
        writer.put(isText || frame.count == 1 ? 0x61 : 0x65)
    }

    @inline(__always)
    private mutating func dict(_ start: WriteFrame, _ writer: inout PickleWriter) throws(PickleError) {
        var frame = start
        let place = writer.work.count &- 1
        let isText = writer.pickleProtocol == 0
        while frame.position < frame.count {
            if frame.position & 1 == 0 {
                if isText {
                    if frame.position > 0 { writer.put(0x73) }
                } else if frame.count > 2, frame.position % 2000 == 0 {
                    if frame.position > 0 { writer.put(0x75) }
                    writer.put(0x28)
                }
            }
            if try !child(&frame, place, &writer) { return }
        }
        writer.work.count = place
        writer.put(isText || frame.count == 2 ? 0x73 : 0x75)
        if frame.count % 2000 == 0, !isText { writer.put(0x28, 0x75) }
    }

    private mutating func set(_ start: WriteFrame, _ writer: inout PickleWriter) throws(PickleError) {
        var frame = start
        let place = writer.work.count &- 1
        while frame.position < frame.count {
            if frame.position % 1000 == 0 {
                if frame.position > 0 { writer.put(0x90) }
                writer.put(0x28)
            }
            if try !child(&frame, place, &writer) { return }
        }
        writer.work.count = place
        writer.put(0x90)
        if frame.count % 1000 == 0 { writer.put(0x28, 0x90) }
    }

    /// A set by its opcodes, or below protocol 4 by the call `set([…])`.
    mutating func beginSet(_ index: NodeIndex, _ node: Node, isFrozen: Bool, _ writer: inout PickleWriter) {
        if writer.pickleProtocol >= 4 {
            if isFrozen {
                writer.put(0x28)
                writer.work.append(WriteFrame(index, .frozenset, first: node.a, count: node.b))
            } else {
                writer.put(0x8F)
                note(index, writer.memoize())
                if node.b > 0 { writer.work.append(WriteFrame(index, .set, first: node.a, count: node.b)) }
            }
            return
        }
        writer.emitGlobal("builtins", isFrozen ? "frozenset" : "set")
        writer.boundary()
        writer.beginTuple(1)
        writer.boundary()
        if writer.pickleProtocol >= 1 { writer.put(0x5D) } else { writer.put(0x28, 0x6C) }
        writer.memoize()
        writer.work.append(WriteFrame(index, .setCall, first: node.a, count: node.b))
    }

    private mutating func rare(_ start: WriteFrame, _ writer: inout PickleWriter) throws(PickleError) {
        var frame = start
        let place = writer.work.count &- 1
        switch frame.phase {
        case .frozenset:
            while frame.position < frame.count {
                if try !child(&frame, place, &writer) { return }
            }
            writer.work.count = place
            let known = memo[Int(frame.node)]
            if known != 0 {
                writer.put(0x31)
                writer.putGet(known &- 1)
            } else {
                writer.put(0x91)
                note(frame.node, writer.memoize())
            }
        case .setCall:
            let isText = writer.pickleProtocol == 0
            while frame.position < frame.count {
                if isText {
                    if frame.position > 0 { writer.put(0x61) }
                } else if frame.count > 1, frame.position % 1000 == 0 {
                    if frame.position > 0 { writer.put(0x65) }
                    writer.put(0x28)
                }
                if try !child(&frame, place, &writer) { return }
            }
            if frame.count > 0 { writer.put(isText || frame.count == 1 ? 0x61 : 0x65) }
            writer.endTuple(1)
            writer.work.count = place
            _ = finishCall(frame.node, 0x52, &writer)
        case .persistentID:
            if frame.position == 0 {
                writer.work.base[place].position = 1
                return try save(arena.nodes[Int(frame.node)].a, &writer)
            }
            writer.work.count = place
            writer.put(0x51)
            if arena.nodes[Int(frame.node)].has(Node.fetched) { note(frame.node, writer.memoize()) }
        default: try objectStep(frame, place, &writer)
        }
    }

    private func persistentID(_ index: NodeIndex, _ node: Node, _ writer: inout PickleWriter) {
        let id = arena.nodes[Int(node.a)]
        if writer.pickleProtocol == 0, id.tag == .string, !id.has(Node.nonASCII),
            !arena.bytes(of: id).contains(0x0A)
        {
            writer.put(0x50)
            writer.put(bytes: arena.bytes(of: id))
            writer.put(0x0A)
            if node.has(Node.fetched) { note(index, writer.memoize()) }
            return
        }
        writer.work.append(WriteFrame(index, .persistentID))
    }
}

extension PickleWriter {
    mutating func putExtension(_ code: UInt32) {
        if code < 0x100 {
            put(0x82, UInt8(code))
        } else if code < 0x1_0000 {
            put16(0x83, UInt16(code))
        } else {
            put32(0x84, code)
        }
    }
}
