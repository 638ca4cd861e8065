extension OpcodeReader {
    // MARK: Tuples, lists, dicts, sets

    @inline(__always)
    mutating func tuple(_ count: Int) throws(PickleError) {
        if stack.count &- fence < count { throw underflow() }
        try tuple(from: stack.count &- count)
    }

    @inline(__always)
    mutating func tuple(from start: Int) throws(PickleError) {
        let count = stack.count &- start
        if count == 0 {
            push(existing: Singleton.emptyTuple)
            return
        }
        let (first, height) = try adoptStack(from: start)
        try push(Node(.tuple, a: first, b: UInt32(truncatingIfNeeded: count), height: height))
    }

    mutating func list(from start: Int) throws(PickleError) {
        let count = UInt32(truncatingIfNeeded: stack.count &- start)
        let (first, height) = try adoptStack(from: start)
        try push(Node(.list, a: first, b: count, c: count, height: height))
    }

    mutating func dict(from start: Int) throws(PickleError) {
        let count = UInt32(truncatingIfNeeded: stack.count &- start)
        if count & 1 != 0 { throw error(.badStructure, "odd number of items for DICT") }
        let (first, height) = try adoptStack(from: start)
        try push(Node(.dict, a: first, b: count, c: count, height: height))
        list(stack.base[stack.count &- 1])
    }

    mutating func frozenSet(from start: Int) throws(PickleError) {
        let count = UInt32(truncatingIfNeeded: stack.count &- start)
        let (first, height) = try adoptStack(from: start)
        try push(Node(.frozenset, a: first, b: count, c: count, height: height))
        list(stack.base[stack.count &- 1])
    }

    @inline(__always)
    mutating func appends(from start: Int) throws(PickleError) {
        if start <= fence { throw underflow() }
        if stack.count == start { return }
        let target = stack.base[start &- 1]
        if nodes.base[Int(target)].tag == .list {
            try extendContainer(target, from: start)
        } else {
            try extendObject(target, from: start, field: ObjectRecord.list)
        }
    }

    @inline(__always)
    mutating func setItems(from start: Int) throws(PickleError) {
        if start <= fence { throw underflow() }
        if stack.count == start { return }
        if (stack.count &- start) & 1 != 0 { throw error(.badStructure, "odd number of items for SETITEMS") }
        let target = stack.base[start &- 1]
        if nodes.base[Int(target)].tag == .dict {
            try extendContainer(target, from: start)
        } else {
            try extendObject(target, from: start, field: ObjectRecord.dict)
        }
    }

    mutating func addItems(from start: Int) throws(PickleError) {
        if start <= fence { throw underflow() }
        if stack.count == start { return }
        let target = stack.base[start &- 1]
        if nodes.base[Int(target)].tag == .set {
            try extendContainer(target, from: start)
            return
        }
        let (index, _) = try objectOnStack(at: start &- 1, for: "ADDITEMS")
        let segment = newSegment(of: index, .additions)
        try extendRecord(segment, of: index, from: start, field: ObjectRecord.list)
    }

    // MARK: Globals

    mutating func stackGlobal() throws(PickleError) {
        let name = try pop()
        let module = try pop()
        if nodes.base[Int(name)].tag != .string || nodes.base[Int(module)].tag != .string {
            // What a persistent id stands for may be a str.
            guard isName(name), isName(module) else { throw error(.badStructure, "STACK_GLOBAL requires str") }
            return try construct(.stackGlobal, module, name)
        }
        try pushGlobal(module, name)
    }

    private func isName(_ index: NodeIndex) -> Bool { nodes.base[Int(index)].tag == .string || isForeign(index) }

    mutating func loadGlobalLines() throws(PickleError) {
        let module = try takeLine()
        let name = try takeLine()
        try pushGlobal(textName(module), textName(name))
    }

    /// A str node for a line that names something; not on the stack.
    mutating func textName(_ line: Range<Int>) throws(PickleError) -> NodeIndex {
        var flags = Node.textual
        switch scanUTF8(text(line)) {
        case .ascii: break
        case .valid: flags |= Node.nonASCII
        case .surrogates, .invalid: throw error(.badValue, "'utf-8' codec can't decode bytes")
        }
        try push(Node(.string, a: UInt32(line.lowerBound), b: UInt32(line.count), flags: flags))
        return try pop()
    }

    func stringBytes(_ index: NodeIndex) -> UnsafeBufferPointer<UInt8> {
        let node = nodes.base[Int(index)]
        let base = node.has(Node.side) ? UnsafePointer(side.base) : input
        return UnsafeBufferPointer(start: base + Int(node.a), count: Int(node.b))
    }

    /// Pushes the global of these names: one node for one pair of names, as Python has one object.
    mutating func pushGlobal(_ module: NodeIndex, _ name: NodeIndex) throws(PickleError) {
        let moduleBytes = stringBytes(module)
        let nameBytes = stringBytes(name)
        if let known = recentGlobal(module, name) {
            push(existing: known)
            return
        }
        nameBudget &-= (moduleBytes.count &+ nameBytes.count) &* 4
        if nameBudget < 0 { throw error(.expansionLimit, "comparing the names of globals takes too long") }
        if let known = recentGlobal(moduleBytes, nameBytes) {
            push(existing: known)
            return
        }
        let index = UInt32(truncatingIfNeeded: nodes.count)
        if recentGlobals.3 != .max {
            let key = GlobalKey(module: Array(moduleBytes), name: Array(nameBytes))
            if let known = globals[key] {
                push(existing: known)
                return
            }
            globals[key] = index
            meter.pointee -= Self.sparseEntry &+ moduleBytes.count &+ nameBytes.count
        } else if recentGlobals.0 == .max {
            recentGlobals.0 = index
        } else if recentGlobals.1 == .max {
            recentGlobals.1 = index
        } else if recentGlobals.2 == .max {
            recentGlobals.2 = index
        } else {
            recentGlobals.3 = index
        }
        let known = KnownGlobal(module: moduleBytes, name: nameBytes)
        try push(Node(.global, a: module, b: name, c: known.rawValue))
    }

    /// One of the first four globals whose names are these very nodes.
    private func recentGlobal(_ module: NodeIndex, _ name: NodeIndex) -> NodeIndex? {
        func isSame(_ index: NodeIndex) -> Bool {
            index != .max && nodes.base[Int(index)].a == module && nodes.base[Int(index)].b == name
        }
        if isSame(recentGlobals.0) { return recentGlobals.0 }
        if isSame(recentGlobals.1) { return recentGlobals.1 }
        if isSame(recentGlobals.2) { return recentGlobals.2 }
        return isSame(recentGlobals.3) ? recentGlobals.3 : nil
    }

    /// The first four globals are compared one by one, without hashing.
    func recentGlobal(
        _ module: UnsafeBufferPointer<UInt8>,
        _ name: UnsafeBufferPointer<UInt8>
    ) -> NodeIndex? {
        func isSame(_ index: NodeIndex) -> Bool {
            let node = nodes.base[Int(index)]
            return equalBytes(stringBytes(node.b), name) && equalBytes(stringBytes(node.a), module)
        }
        if recentGlobals.0 == .max { return nil }
        if isSame(recentGlobals.0) { return recentGlobals.0 }
        if recentGlobals.1 == .max { return nil }
        if isSame(recentGlobals.1) { return recentGlobals.1 }
        if recentGlobals.2 == .max { return nil }
        if isSame(recentGlobals.2) { return recentGlobals.2 }
        if recentGlobals.3 == .max { return nil }
        return isSame(recentGlobals.3) ? recentGlobals.3 : nil
    }
}

extension KnownGlobal {
    init(module: UnsafeBufferPointer<UInt8>, name: UnsafeBufferPointer<UInt8>) {
        self = .other
        if matches(module, "builtins") || matches(module, "__builtin__") {
            if matches(name, "set") {
                self = .set
            } else if matches(name, "frozenset") {
                self = .frozenset
            } else if matches(name, "bytearray") {
                self = .bytearray
            } else if matches(name, "bytes") {
                self = .bytes
            } else if matches(name, "object") {
                self = .object
            } else if matches(name, "getattr") {
                self = .getattr
            }
        } else if matches(module, "copyreg") || matches(module, "copy_reg") {
            if matches(name, "_reconstructor") {
                self = .reconstructor
            } else if matches(name, "__newobj__") {
                self = .newobj
            } else if matches(name, "__newobj_ex__") {
                self = .newobjEx
            }
        } else if matches(module, "_codecs"), matches(name, "encode") {
            self = .codecsEncode
        }
    }
}
