extension OpcodeReader {
    // MARK: Construction

    /// Whether a node may be something that can be called or that has any type at all.
    func isForeign(_ index: NodeIndex) -> Bool {
        switch nodes.base[Int(index)].tag {
        case .global, .object, .persistentID, .extensionCode, .buffer: true
        default: false
        }
    }

    func requireForeign(_ index: NodeIndex, _ opcode: StaticString) throws(PickleError) {
        if !isForeign(index) { throw error(.badStructure, "\(opcode) of something that is not callable") }
    }

    func requireTuple(_ index: NodeIndex, _ opcode: StaticString) throws(PickleError) {
        if nodes.base[Int(index)].tag != .tuple, !isForeign(index) {
            throw error(.badStructure, "\(opcode) expected an arg tuple.")
        }
    }

    mutating func reduce() throws(PickleError) {
        let arguments = try pop()
        let callable = try pop()
        try requireTuple(arguments, "REDUCE")
        try requireForeign(callable, "REDUCE")
        markBare(callable, arguments)
        try construct(.reduce, callable, arguments)
    }

    /// Below protocol 4, CPython 3.13 writes `a.b` as `getattr(a, 'b')` of which it memoizes nothing but the result.
    private mutating func markBare(_ callable: NodeIndex, _ arguments: NodeIndex) {
        guard nodes.base[Int(callable)].c == KnownGlobal.getattr.rawValue, nodes.base[Int(callable)].tag == .global,
            highestProtocol < 4, memoEntries > 0, isMemoDense
        else { return }
        let tuple = nodes.base + Int(arguments)
        guard tuple.pointee.tag == .tuple, tuple.pointee.b == 2, !tuple.pointee.has(Node.fetched),
            memo.base[memo.count &- 1] & MemoEntry.node != arguments
        else { return }
        tuple.pointee.flags |= Node.bare
        let parent = children.base[Int(tuple.pointee.a)]
        // Since the parent was built, only the name was memoized.
        if parent == lastAttribute.node, memoEntries == lastAttribute.memoEntries &+ 1 {
            nodes.base[Int(parent)].flags |= Node.bare
        }
        lastAttribute = (UInt32(truncatingIfNeeded: nodes.count), memoEntries)
    }

    mutating func newObject() throws(PickleError) {
        let arguments = try pop()
        let callable = try pop()
        try requireTuple(arguments, "NEWOBJ")
        try requireForeign(callable, "NEWOBJ")
        try construct(.newObject, callable, arguments)
    }

    mutating func newObjectEx() throws(PickleError) {
        let keywords = try pop()
        let arguments = try pop()
        let callable = try pop()
        try requireTuple(arguments, "NEWOBJ_EX")
        try requireForeign(callable, "NEWOBJ_EX")
        if nodes.base[Int(keywords)].tag != .dict, !isForeign(keywords) {
            throw error(.badStructure, "NEWOBJ_EX expected keyword arguments as a dict")
        }
        try construct(.newObjectEx, callable, arguments, keywords)
    }

    mutating func oldObject(from start: Int) throws(PickleError) {
        if stack.count &- start < 1 { throw underflow() }
        try tuple(from: start &+ 1)
        let arguments = try pop()
        let callable = try pop()
        try requireForeign(callable, "OBJ")
        try construct(.instance, callable, arguments)
    }

    mutating func oldInstance(from start: Int) throws(PickleError) {
        let module = try takeLine()
        let name = try takeLine()
        try tuple(from: start)
        let arguments = try pop()
        try pushGlobal(textName(module), textName(name))
        try construct(.instance, pop(), arguments)
    }

    mutating func construct(
        _ operation: ObjectRecord.Operation,
        _ callable: NodeIndex,
        _ arguments: NodeIndex,
        _ keywords: NodeIndex = Singleton.absent
    ) throws(PickleError) {
        var height = try adopt(callable, 0)
        height = try adopt(arguments, height)
        if keywords != Singleton.absent { height = try adopt(keywords, height) }
        let offset = newRecord(operation, callable, arguments, keywords)
        try push(Node(.object, a: UInt32(truncatingIfNeeded: offset), height: height))
    }

    /// An object around a node that an opcode was applied to; not on the stack.
    mutating func wrap(_ index: NodeIndex, _ operation: ObjectRecord.Operation) throws(PickleError) -> NodeIndex {
        let height = try adopt(index, 0)
        let offset = newRecord(operation, index)
        try push(Node(.object, a: UInt32(truncatingIfNeeded: offset), height: height))
        return try pop()
    }

    mutating func newRecord(
        _ operation: ObjectRecord.Operation,
        _ callable: NodeIndex = Singleton.absent,
        _ arguments: NodeIndex = Singleton.absent,
        _ keywords: NodeIndex = Singleton.absent
    ) -> Int {
        let offset = children.count
        children.reserve(ObjectRecord.words)
        startRecord(at: offset, operation, callable, arguments, keywords)
        children.count = offset + ObjectRecord.words
        return offset
    }

    // MARK: What comes after construction

    /// The object at a place of the stack; anything else that could have methods is wrapped into one there.
    mutating func objectOnStack(
        at place: Int,
        for opcode: StaticString
    ) throws(PickleError) -> (index: NodeIndex, last: Int) {
        var index = stack.base[place]
        switch nodes.base[Int(index)].tag {
        case .object: break
        case .global, .persistentID, .extensionCode, .buffer:
            index = try wrap(index, .wrap)
            stack.base[place] = index
        case .bytearray where isItems(opcode), .list where isItems(opcode):
            // list[0] = 1 by SETITEM, bytearray.extend by APPENDS: legal in CPython, written by nobody.
            index = try wrap(index, .wrap)
            stack.base[place] = index
        default:
            throw error(.badStructure, "\(opcode) applied to \(Self.typeName(nodes.base[Int(index)].tag))")
        }
        return (index, lastRecord(of: index))
    }

    private func isItems(_ opcode: StaticString) -> Bool {
        opcode.description == "APPENDS" || opcode.description == "SETITEMS"
    }

    func lastRecord(of index: NodeIndex) -> Int {
        // The chain's last record is kept in the node, so that long chains are not walked again and again.
        let node = nodes.base[Int(index)]
        return node.b == 0 ? Int(node.a) : Int(node.b)
    }

    mutating func newSegment(of index: NodeIndex, _ operation: ObjectRecord.Operation) -> Int {
        let last = lastRecord(of: index)
        let offset = newRecord(operation)
        children.base[last + ObjectRecord.next] = UInt32(truncatingIfNeeded: offset)
        nodes.base[Int(index)].b = UInt32(truncatingIfNeeded: offset)
        return offset
    }

    mutating func extendObject(_ target: NodeIndex, from start: Int, field: Int) throws(PickleError) {
        let opcode: StaticString = field == ObjectRecord.list ? "APPENDS" : "SETITEMS"
        var (index, record) = try objectOnStack(at: start &- 1, for: opcode)
        let words = children.base + record
        let operation = words[ObjectRecord.operation]
        if words[ObjectRecord.state] != Singleton.absent
            || operation >= ObjectRecord.Operation.additions.rawValue
            || (field == ObjectRecord.list && words[ObjectRecord.dict + 1] != 0)
        {
            record = newSegment(of: index, .segment)
        }
        try extendRecord(record, of: index, from: start, field: field)
    }

    mutating func extendRecord(_ record: Int, of index: NodeIndex, from start: Int, field: Int) throws(PickleError) {
        let words = children.base + record
        let node = nodes.base[Int(index)]
        let grown = try extend(
            (words[field], words[field + 1], words[field + 2]),
            from: start,
            height: node.height
        )
        let target = children.base + record
        target[field] = grown.offset
        target[field + 1] = grown.count
        target[field + 2] = grown.room
        nodes.base[Int(index)].height = grown.height
        if nodes.base[Int(index)].has(Node.adopted) { needsSurvey = true }
    }

    mutating func build() throws(PickleError) {
        if stack.count &- 2 < fence { throw underflow() }
        let state = try pop()
        let place = stack.count &- 1
        switch nodes.base[Int(stack.base[place])].tag {
        case .object, .global, .persistentID, .extensionCode, .buffer: break
        default:
            // CPython accepts None for anything: there is nothing to set.
            if nodes.base[Int(state)].tag == .none { return }
        }
        let (index, last) = try objectOnStack(at: place, for: "BUILD")
        var record = last
        if children.base[last + ObjectRecord.state] != Singleton.absent
            || children.base[last + ObjectRecord.operation] >= ObjectRecord.Operation.additions.rawValue
        {
            record = newSegment(of: index, .segment)
        }
        let height = try adopt(state, nodes.base[Int(index)].height)
        children.base[record + ObjectRecord.state] = state
        nodes.base[Int(index)].height = height
        if nodes.base[Int(index)].has(Node.adopted) { needsSurvey = true }
    }

    /// POP: drops a mark, or the top. A dropped call whose first argument is what lies below is a state setter's
    /// (`copyreg`'s sixth element of a reduce value), and belongs to that object.
    mutating func dropTop() throws(PickleError) {
        if marks.count > 0, Int(marks.base[marks.count &- 1]) == stack.count {
            _ = try popMark()
            return
        }
        let dropped = try pop()
        let node = nodes.base[Int(dropped)]
        guard node.tag == .object, stack.count > fence else { return }
        let below = stack.base[stack.count &- 1]
        let record = children.base + Int(node.a)
        let arguments = record[ObjectRecord.arguments]
        guard record[ObjectRecord.operation] == ObjectRecord.Operation.reduce.rawValue,
            nodes.base[Int(below)].tag == .object, nodes.base[Int(arguments)].tag == .tuple,
            nodes.base[Int(arguments)].b == 2, children.base[Int(nodes.base[Int(arguments)].a)] == below
        else { return }
        let segment = newSegment(of: below, .setter)
        children.base[segment + ObjectRecord.callable] = dropped
        needsSurvey = true
        hasSetters = true
    }

    static func typeName(_ tag: Tag) -> String {
        switch tag {
        case .none: "None"
        case .bigInt: "int"
        case .python2String: "str"
        case .extensionCode: "an extension code"
        case .persistentID: "a persistent id"
        default: "\(tag)"
        }
    }
}
