/// Objects and globals: `save_reduce` and `save_global` of `_pickle.c`.
extension DocumentWriter {
    // MARK: Globals

    func global(_ index: NodeIndex, _ node: Node, _ writer: inout PickleWriter) throws(PickleError) {
        let module = arena.nodes[Int(node.a)]
        let name = arena.nodes[Int(node.b)]
        if isPure {
            if writer.pickleProtocol >= 4 {
                self.name(node.a, module, &writer)
                self.name(node.b, name, &writer)
                writer.put(0x93)
            } else {
                writer.putLines(arena.bytes(of: module), arena.bytes(of: name))
            }
            return note(index, writer.memoize())
        }
        if module.has(Node.surrogates) || name.has(Node.surrogates), writer.pickleProtocol < 4 {
            throw PickleError(.notEncodable, "a global's name with lone surrogates below protocol 4")
        }
        var names = PickleGlobal(
            module: String(decoding: arena.bytes(of: module), as: UTF8.self),
            name: String(decoding: arena.bytes(of: name), as: UTF8.self)
        )
        if fromPython2 { names = names.inPython3 }
        // Shared by content with what is no part of this document, too.
        let number = writer.emitGlobal(module: names.module, name: names.name)
        if let failure = writer.failure { throw failure }
        note(index, number)
    }

    /// Whether a node is part of a name with dots as CPython 3.13 writes it, and is to be written so again.
    @inline(__always)
    func isBare(_ index: NodeIndex) -> Bool {
        isPure && arena.nodes[Int(index)].has(Node.bare) && arena.pickleProtocol < 4
    }

    /// The class or module that a name with dots starts from is written anew each time; whether this was one.
    func putBare(_ index: NodeIndex, _ writer: inout PickleWriter) -> Bool {
        let node = arena.nodes[Int(index)]
        guard node.tag == .global else { return false }
        writer.putLines(arena.bytes(of: arena.nodes[Int(node.a)]), arena.bytes(of: arena.nodes[Int(node.b)]))
        return true
    }

    /// A name of a global in a document that is written whole: shared as it was, or by content if it came from a line.
    private func name(_ index: NodeIndex, _ node: Node, _ writer: inout PickleWriter) {
        if node.has(Node.textual) { return writer.emit(interned: arena.bytes(of: node)) }
        writer.boundary()
        let known = memo[Int(index)]
        if known != 0 { return writer.putGet(known &- 1) }
        string(index, node, &writer)
    }

    // MARK: Construction

    mutating func object(_ index: NodeIndex, _ node: Node, _ writer: inout PickleWriter) throws(PickleError) {
        let version = writer.pickleProtocol
        let words = arena.record(node.a)
        let operation = words[ObjectRecord.operation]
        let arguments = words[ObjectRecord.arguments]
        switch operation {
        case ObjectRecord.Operation.reduce.rawValue:
            if version >= 3 || !isPure, plain(index, &writer) { return }
        case ObjectRecord.Operation.newObject.rawValue where version < 2:
            writer.emitGlobal("copyreg", "__newobj__")
            writer.boundary()
            writer.beginTuple(try argumentCount(arguments) + 1)
        case ObjectRecord.Operation.newObjectEx.rawValue where version < 4:
            writer.emitGlobal("copyreg", "__newobj_ex__")
            writer.boundary()
            writer.beginTuple(3)
        case ObjectRecord.Operation.instance.rawValue:
            writer.put(0x28)
            if version == 0, arena.nodes[Int(words[ObjectRecord.callable])].tag == .global {
                return writer.work.append(spread(index, node))
            }
        case ObjectRecord.Operation.stackGlobal.rawValue where version < 4:
            throw PickleError(.notEncodable, "a global whose names are not str needs protocol 4")
        case ObjectRecord.Operation.readOnly.rawValue where version < 5:
            throw PickleError(.notEncodable, "read-only buffers need protocol 5")
        default: break
        }
        var frame = WriteFrame(index, .callable, record: node.a)
        if arena.hasCycles { frame.isAgain = !active.insert(index).inserted }
        writer.work.append(frame)
    }

    private func argumentCount(_ index: NodeIndex) throws(PickleError) -> Int {
        let node = arena.nodes[Int(index)]
        if node.tag != .tuple { throw PickleError(.notEncodable, "arguments that are not a tuple below protocol 2") }
        return Int(node.b)
    }

    private func spread(_ index: NodeIndex, _ node: Node) -> WriteFrame {
        let arguments = arena.nodes[Int(arena.record(node.a)[ObjectRecord.arguments])]
        return WriteFrame(index, .spread, first: arguments.a, count: arguments.b, record: node.a)
    }

    /// Writes calls by which lower protocols make bytes, bytearrays and sets as these; whether it was one.
    private mutating func plain(_ index: NodeIndex, _ writer: inout PickleWriter) -> Bool {
        let kind = arena.plainKind(of: index)
        switch kind {
        case .bytes:
            let bytes = arena.plainBytes(of: index) ?? []
            if bytes.isEmpty { emptyBytes(index, &writer) } else { note(index, writer.emitBytes(bytes)) }
            return true
        case .bytearray where writer.pickleProtocol >= 5:
            (arena.plainBytes(of: index) ?? []).withUnsafeBufferPointer { note(index, writer.emit(bytearray: $0)) }
            return true
        case .set where writer.pickleProtocol >= 4, .frozenset where writer.pickleProtocol >= 4:
            guard let source = arena.reduceArgument(of: index, 0) else { return false }
            let elements = arena.nodes[Int(source)]
            if elements.has(Node.fetched) { return false }
            beginSet(index, elements, isFrozen: kind == .frozenset, &writer)
            return true
        default: return false
        }
    }

    mutating func objectStep(
        _ start: WriteFrame,
        _ place: Int,
        _ writer: inout PickleWriter
    ) throws(PickleError) {
        var frame = start
        let words = arena.record(frame.record)
        switch frame.phase {
        case .callable:
            writer.work.base[place] = afterCallable(frame, words, writer.pickleProtocol)
            try save(words[ObjectRecord.callable], &writer)
        case .arguments:
            writer.work.base[place].phase = words[ObjectRecord.keywords] == Singleton.absent ? .construct : .keywords
            let arguments = arena.nodes[Int(words[ObjectRecord.arguments])]
            if frame.isAgain, arguments.tag == .tuple, arguments.b > 0 {
                writer.boundary()
                writer.beginTuple(Int(arguments.b))
                writer.work.append(
                    WriteFrame(frame.node, .argumentsAgain, first: arguments.a, count: arguments.b)
                )
                return
            }
            try save(words[ObjectRecord.arguments], &writer)
        case .argumentsAgain: try argumentsAgain(frame, place, &writer)
        case .keywords:
            writer.work.base[place].phase = .construct
            try save(words[ObjectRecord.keywords], &writer)
        case .spread:
            while frame.position < frame.count {
                if try !child(&frame, place, &writer) { return }
            }
            construct(frame, place, &writer)
        case .construct: construct(frame, place, &writer)
        case .listItems: try listItems(frame, place, &writer)
        case .dictItems: try dictItems(frame, place, &writer)
        case .state:
            if words[ObjectRecord.state] == Singleton.absent {
                next(frame, place, &writer)
            } else {
                writer.work.base[place].phase = .built
                try save(words[ObjectRecord.state], &writer)
            }
        case .built:
            writer.put(0x62)
            next(frame, place, &writer)
        case .setter: try setter(frame, place, &writer)
        default: writer.work.count = place
        }
    }

    /// CPython asks an object for its arguments each time it meets it, and gets a new tuple, often with a new list or dict. So when
    /// an object is met inside of its own arguments, that must be written again in full: the first one is not yet
    /// filled when the object is built from it.
    private mutating func argumentsAgain(
        _ start: WriteFrame,
        _ place: Int,
        _ writer: inout PickleWriter
    ) throws(PickleError) {
        var frame = start
        while frame.position < frame.count {
            let index = arena.children[Int(frame.first &+ frame.position)]
            let node = arena.nodes[Int(index)]
            guard node.tag == .list || node.tag == .dict, !node.has(Node.fetched), memo[Int(index)] != 0 else {
                if try !child(&frame, place, &writer) { return }
                continue
            }
            frame.position &+= 1
            writer.work.base[place] = frame
            writer.boundary()
            let isList = node.tag == .list
            if writer.pickleProtocol >= 1 {
                writer.put(isList ? 0x5D : 0x7D)
            } else {
                writer.put(0x28, isList ? 0x6C : 0x64)
            }
            writer.memoize()
            if node.b == 0 { continue }
            writer.work.append(WriteFrame(index, isList ? .list : .dict, first: node.a, count: node.b))
            return
        }
        writer.work.count = place
        writer.endTuple(Int(frame.count))
    }

    private func afterCallable(
        _ frame: WriteFrame,
        _ words: UnsafeMutablePointer<UInt32>,
        _ version: Int
    ) -> WriteFrame {
        var frame = frame
        switch ObjectRecord.Operation(rawValue: words[ObjectRecord.operation]) {
        case .wrap, .readOnly: frame.phase = .construct
        case .instance: return spread(frame.node, arena.nodes[Int(frame.node)])
        case .newObject where version < 2: return spread(frame.node, arena.nodes[Int(frame.node)])
        default: frame.phase = .arguments
        }
        return frame
    }

    /// The opcode that builds the object; then what is set on it, unless a cycle has built it already.
    private mutating func construct(_ frame: WriteFrame, _ place: Int, _ writer: inout PickleWriter) {
        let words = arena.record(frame.record)
        let version = writer.pickleProtocol
        var isNew = true
        switch ObjectRecord.Operation(rawValue: words[ObjectRecord.operation]) {
        case .newObject where version >= 2: isNew = finishCall(frame.node, 0x81, &writer)
        case .newObject:
            writer.endTuple(Int(frame.count) + 1)
            isNew = finishCall(frame.node, 0x52, &writer)
        case .newObjectEx where version >= 4: isNew = finishCall(frame.node, 0x92, &writer)
        case .newObjectEx:
            writer.endTuple(3)
            isNew = finishCall(frame.node, 0x52, &writer)
        case .instance where version == 0 && arena.nodes[Int(words[ObjectRecord.callable])].tag == .global:
            let names = arena.nodes[Int(words[ObjectRecord.callable])]
            writer.put(0x69)
            writer.put(bytes: arena.bytes(of: arena.nodes[Int(names.a)]))
            writer.put(0x0A)
            writer.put(bytes: arena.bytes(of: arena.nodes[Int(names.b)]))
            isNew = finishCall(frame.node, 0x0A, &writer)
        case .instance: isNew = finishCall(frame.node, 0x6F, &writer)
        case .wrap: note(frame.node, writer.memoize())
        case .stackGlobal:
            writer.put(0x93)
            note(frame.node, writer.memoize())
        case .readOnly:
            writer.put(0x98)
            note(frame.node, writer.memoize())
        default: isNew = finishCall(frame.node, 0x52, &writer)
        }
        if isNew { enter(frame.record, frame.node, place, &writer) } else { writer.work.count = place }
    }

    /// The opcode of a construction and its memo entry. What was built meanwhile by way of its own parts is used instead;
    /// returns whether it was not.
    mutating func finishCall(_ index: NodeIndex, _ opcode: UInt8, _ writer: inout PickleWriter) -> Bool {
        writer.put(opcode)
        if arena.hasCycles { active.remove(index) }
        let known = memo[Int(index)]
        if known != 0 {
            writer.put(0x30)
            writer.putGet(known &- 1)
            return false
        }
        if arena.nodes[Int(index)].tag != .object || !isBare(index) { note(index, writer.memoize()) }
        return true
    }

    // MARK: What is set afterwards

    private func enter(_ record: UInt32, _ node: NodeIndex, _ place: Int, _ writer: inout PickleWriter) {
        let words = arena.record(record)
        if words[ObjectRecord.operation] == ObjectRecord.Operation.setter.rawValue {
            writer.work.base[place] = WriteFrame(node, .setter, record: record)
        } else {
            writer.work.base[place] = WriteFrame(
                node,
                .listItems,
                first: words[ObjectRecord.list],
                count: words[ObjectRecord.list + 1],
                record: record
            )
        }
    }

    private func next(_ frame: WriteFrame, _ place: Int, _ writer: inout PickleWriter) {
        let record = arena.record(frame.record)[ObjectRecord.next]
        if record == Singleton.absent {
            writer.work.count = place
        } else {
            enter(record, frame.node, place, &writer)
        }
    }

    /// Batches as for an iterator: a batch of one takes no MARK.
    private mutating func listItems(
        _ start: WriteFrame,
        _ place: Int,
        _ writer: inout PickleWriter
    ) throws(PickleError) {
        var frame = start
        let isText = writer.pickleProtocol == 0
        let words = arena.record(frame.record)
        if words[ObjectRecord.operation] == ObjectRecord.Operation.additions.rawValue {
            if frame.position == 0 { writer.put(0x28) }
            while frame.position < frame.count {
                if try !child(&frame, place, &writer) { return }
            }
            writer.put(0x90)
            return next(frame, place, &writer)
        }
        while frame.position < frame.count {
            if isText {
                if frame.position > 0 { writer.put(0x61) }
            } else if frame.position % 1000 == 0 {
                if frame.position > 0 { writer.put(0x65) }
                if frame.count &- frame.position > 1 { writer.put(0x28) }
            }
            if try !child(&frame, place, &writer) { return }
        }
        if frame.count > 0 { writer.put(isText || frame.count % 1000 == 1 ? 0x61 : 0x65) }
        writer.work.base[place] = WriteFrame(
            frame.node,
            .dictItems,
            first: words[ObjectRecord.dict],
            count: words[ObjectRecord.dict + 1],
            record: frame.record
        )
    }

    private mutating func dictItems(
        _ start: WriteFrame,
        _ place: Int,
        _ writer: inout PickleWriter
    ) throws(PickleError) {
        var frame = start
        let isText = writer.pickleProtocol == 0
        while frame.position < frame.count {
            if frame.position & 1 == 0 {
                if isText {
                    if frame.position > 0 { writer.put(0x73) }
                } else if frame.position % 2000 == 0 {
                    if frame.position > 0 { writer.put(0x75) }
                    if frame.count &- frame.position > 2 { writer.put(0x28) }
                }
            }
            if try !child(&frame, place, &writer) { return }
        }
        if frame.count > 0 { writer.put(isText || frame.count % 2000 == 2 ? 0x73 : 0x75) }
        writer.work.base[place].phase = .state
    }

    /// `setter(object, state)`, whose result is dropped.
    private mutating func setter(
        _ frame: WriteFrame,
        _ place: Int,
        _ writer: inout PickleWriter
    ) throws(PickleError) {
        let call = arena.record(arena.nodes[Int(arena.record(frame.record)[ObjectRecord.callable])].a)
        let arguments = arena.nodes[Int(call[ObjectRecord.arguments])]
        writer.work.base[place].position = frame.position &+ 1
        switch frame.position {
        case 0: try save(call[ObjectRecord.callable], &writer)
        case 1, 2: try save(arena.children[Int(arguments.a &+ frame.position &- 1)], &writer)
        default:
            writer.put(0x86, 0x52)
            writer.put(0x30)
            next(frame, place, &writer)
        }
    }
}

extension PickleWriter {
    mutating func emitBytes(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBufferPointer { emit(anyBytes: $0) }
    }
}
