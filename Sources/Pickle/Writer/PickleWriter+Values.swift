public import BigInt

extension PickleWriter {
    /// Opens the place of the next value: batches of the container, then the frame.
    @inline(__always)
    mutating func element() {
        switch context.kind {
        case .list: listElement()
        case .dict: dictElement()
        case .set: if context.position % 1000 == 0 { startBatch(0x90) }
        case .items: item(0x61, 0x65, width: 1)
        case .pairs: item(0x73, 0x75, width: 2)
        default: break
        }
        context.position &+= 1
        boundary()
    }

    private mutating func startBatch(_ end: UInt8) {
        if context.position > 0 { put(end) }
        put(0x28)
    }

    private mutating func listElement() {
        if pickleProtocol == 0 {
            if context.position > 0 { put(0x61) }
        } else if context.count > 1, context.position % 1000 == 0 {
            startBatch(0x65)
        }
    }

    private mutating func dictElement() {
        if context.position & 1 != 0 { return }
        if pickleProtocol == 0 {
            if context.position > 0 { put(0x73) }
        } else if context.count > 2, context.position % 2000 == 0 {
            startBatch(0x75)
        }
    }

    /// An item, or a pair, of what an iterator gave.
    private mutating func item(_ single: UInt8, _ many: UInt8, width: Int) {
        if context.position % width != 0 { return }
        if pickleProtocol == 0 {
            if context.position > 0 { put(single) }
        } else if context.position % (1000 * width) == 0 {
            if context.position > 0 { put(many) }
            if context.count - context.position > width { put(0x28) }
        }
    }

    private var isKey: Bool {
        (context.kind == .dict || context.kind == .pairs) && context.position & 1 != 0
    }

    // MARK: Scalars

    /// None.
    public mutating func writeNone() {
        element()
        emitNone()
    }

    /// A bool.
    public mutating func write(_ value: Bool) {
        element()
        emit(bool: value)
    }

    /// An int.
    public mutating func write(_ value: Int) {
        element()
        emit(int: Int64(value))
    }

    /// An int of any size; at protocols 0 and 1 of at most 4300 digits, which is what CPython reads.
    public mutating func write(_ value: BigInt) {
        element()
        if let small = Int64(exactly: value) { return emit(int: small) }
        littleEndianBytes(value).withUnsafeBufferPointer { emit(bigInt: $0, digits: 4300) }
    }

    /// A float.
    public mutating func write(_ value: Double) {
        element()
        emit(float: value.bitPattern)
    }

    /// A str.
    public mutating func write(_ value: String) {
        var value = value
        value.withUTF8 { write(utf8: $0) }
    }

    /// A str from its UTF-8, which must be valid; lone surrogates may be there as three bytes each.
    public mutating func write(utf8: UnsafeBufferPointer<UInt8>) {
        element()
        if isKey { emit(interned: utf8) } else { emit(fresh: utf8) }
    }

    /// A str that is a literal.
    public mutating func write(_ value: StaticString) {
        guard value.hasPointerRepresentation else { return write(value.description) }
        write(utf8: UnsafeBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount))
    }

    /// bytes.
    public mutating func write(bytes: some Collection<UInt8>) {
        element()
        let done: Void? = bytes.withContiguousStorageIfAvailable { emit(freshBytes: $0) }
        if done == nil { Array(bytes).withUnsafeBufferPointer { emit(freshBytes: $0) } }
    }

    private mutating func emit(freshBytes bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.isEmpty else {
            _ = emit(anyBytes: bytes)
            return
        }
        if let known = interned.memo(.bytes, bytes) { return putGet(known) }
        interned.insert(.bytes, bytes, memo: emit(anyBytes: bytes))
    }

    /// A bytearray.
    public mutating func write(bytearray bytes: some Collection<UInt8>) {
        element()
        Array(bytes).withUnsafeBufferPointer { _ = emit(bytearray: $0) }
    }

    /// A class or function, by its names in Python 3. The same names are one object.
    public mutating func writeGlobal(module: String, name: String) {
        element()
        emitGlobal(module: module, name: name)
    }

    /// Anything that knows how to write itself: exactly one value.
    public mutating func write(_ value: some PickleEncodable) throws {
        try value.encode(to: &self)
    }

    // MARK: Containers

    /// Runs `body` for the elements of a container and checks how many it wrote.
    @inline(__always)
    private mutating func fill(
        _ kind: Context.Kind,
        _ count: Int,
        _ body: (inout PickleWriter) throws -> Void
    ) rethrows {
        let outer = context
        context = Context(kind: kind, count: count)
        defer { context = outer }
        try body(&self)
        if context.position != count {
            fail(PickleError(.wrongCount, "\(context.position) elements written of \(count) announced"))
        }
    }

    /// A tuple; `body` writes exactly `count` elements.
    public mutating func writeTuple(count: Int, _ body: (inout PickleWriter) throws -> Void) rethrows {
        element()
        try emitTuple(count, body)
    }

    mutating func emitTuple(_ count: Int, _ body: (inout PickleWriter) throws -> Void) rethrows {
        if count == 0 {
            emitEmptyTuple()
            try fill(.tuple, 0, body)
            return
        }
        beginTuple(count)
        try fill(.tuple, count, body)
        endTuple(count)
    }

    /// A list; `body` writes exactly `count` elements.
    public mutating func writeList(count: Int, _ body: (inout PickleWriter) throws -> Void) rethrows {
        element()
        if pickleProtocol >= 1 { put(0x5D) } else { put(0x28, 0x6C) }
        memoize()
        try fill(.list, count, body)
        if count > 0 { put(pickleProtocol == 0 || count == 1 ? 0x61 : 0x65) }
    }

    /// A dict of `count` pairs; `body` writes key, value, key, value …
    public mutating func writeDict(count: Int, _ body: (inout PickleWriter) throws -> Void) rethrows {
        element()
        if pickleProtocol >= 1 { put(0x7D) } else { put(0x28, 0x64) }
        memoize()
        try fill(.dict, count * 2, body)
        if count > 0 { put(pickleProtocol == 0 || count == 1 ? 0x73 : 0x75) }
        if count > 0, count % 1000 == 0, pickleProtocol > 0 { put(0x28, 0x75) }
    }

    /// A set; `body` writes exactly `count` elements, which differ and are hashable in Python.
    public mutating func writeSet(count: Int, _ body: (inout PickleWriter) throws -> Void) rethrows {
        guard pickleProtocol >= 4 else {
            try writeReduce(module: "builtins", name: "set", argumentCount: 1) { writer in
                try writer.writeList(count: count, body)
            }
            return
        }
        element()
        put(0x8F)
        memoize()
        try fill(.set, count, body)
        if count > 0 { put(0x90) }
        if count > 0, count % 1000 == 0 { put(0x28, 0x90) }
    }

    /// A frozenset; `body` writes exactly `count` elements, which differ and are hashable in Python.
    public mutating func writeFrozenset(count: Int, _ body: (inout PickleWriter) throws -> Void) rethrows {
        guard pickleProtocol >= 4 else {
            try writeReduce(module: "builtins", name: "frozenset", argumentCount: 1) { writer in
                try writer.writeList(count: count, body)
            }
            return
        }
        element()
        put(0x28)
        try fill(.frozenset, count, body)
        put(0x91)
        memoize()
    }

    // MARK: Objects

    /// `module.name(*arguments)`: GLOBAL, a tuple, REDUCE. How CPython writes an exception, a datetime, a Decimal …
    public mutating func writeReduce(
        module: String,
        name: String,
        argumentCount: Int,
        _ body: (inout PickleWriter) throws -> Void
    ) rethrows {
        element()
        emitGlobal(module: module, name: name)
        boundary()
        try emitTuple(argumentCount, body)
        put(0x52)
        memoize()
    }

    /// The same; `state` writes one value, which BUILD sets on the object.
    public mutating func writeReduce(
        module: String,
        name: String,
        argumentCount: Int,
        state: (inout PickleWriter) throws -> Void,
        _ body: (inout PickleWriter) throws -> Void
    ) rethrows {
        try writeReduce(module: module, name: name, argumentCount: argumentCount, body)
        try build(state)
    }

    /// `cls.__new__(cls, *arguments)`: GLOBAL, a tuple, NEWOBJ. How CPython writes a namedtuple.
    ///
    /// At protocols 0 and 1 `copyreg._reconstructor(cls, tuple, arguments)`, which is a namedtuple's form there.
    public mutating func writeNewObject(
        module: String,
        name: String,
        argumentCount: Int,
        _ body: (inout PickleWriter) throws -> Void
    ) rethrows {
        element()
        if pickleProtocol >= 2 {
            emitGlobal(module: module, name: name)
            boundary()
            try emitTuple(argumentCount, body)
            put(0x81)
        } else {
            emitGlobal("copyreg", "_reconstructor")
            boundary()
            try emitTuple(3) { writer in
                writer.writeGlobal(module: module, name: name)
                writer.writeGlobal(module: "builtins", name: "tuple")
                try writer.writeTuple(count: argumentCount, body)
            }
            put(0x52)
        }
        memoize()
    }

    /// The same; `state` writes one value, which BUILD sets on the object.
    public mutating func writeNewObject(
        module: String,
        name: String,
        argumentCount: Int,
        state: (inout PickleWriter) throws -> Void,
        _ body: (inout PickleWriter) throws -> Void
    ) rethrows {
        try writeNewObject(module: module, name: name, argumentCount: argumentCount, body)
        try build(state)
    }

    /// An instance of a class of Python's own kind: no constructor arguments; `state` writes what BUILD sets on it.
    ///
    /// What `object.__reduce_ex__` gives: NEWOBJ, or `copyreg._reconstructor(cls, object, None)` below protocol 2.
    public mutating func writeInstance(
        module: String,
        name: String,
        state: (inout PickleWriter) throws -> Void
    ) rethrows {
        if pickleProtocol >= 2 {
            writeNewObject(module: module, name: name, argumentCount: 0) { _ in }
        } else {
            writeReduce(module: "copyreg", name: "_reconstructor", argumentCount: 3) { writer in
                writer.writeGlobal(module: module, name: name)
                writer.writeGlobal(module: "builtins", name: "object")
                writer.writeNone()
            }
        }
        try build(state)
    }

    /// What an iterator of list items gives the object just written: a batch of one takes no MARK.
    mutating func appendItems(count: Int, _ body: (inout PickleWriter) throws -> Void) rethrows {
        if count == 0 { return }
        try fill(.items, count, body)
        put(pickleProtocol == 0 || count % 1000 == 1 ? 0x61 : 0x65)
    }

    /// What an iterator of `count` pairs gives the object just written.
    mutating func setItems(count: Int, _ body: (inout PickleWriter) throws -> Void) rethrows {
        if count == 0 { return }
        try fill(.pairs, count * 2, body)
        put(pickleProtocol == 0 || count % 1000 == 1 ? 0x73 : 0x75)
    }

    private mutating func build(_ state: (inout PickleWriter) throws -> Void) rethrows {
        try fill(.parts, 1, state)
        put(0x62)
    }
}
