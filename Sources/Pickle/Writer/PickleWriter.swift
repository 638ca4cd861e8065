/// Writes pickles, byte for byte as CPython's C pickler writes the same values.
///
/// Sharing is by identity in Python. Values of Swift have none, so each is written as an object of its own, except what
/// Python always or practically always shares: the empty str and one-character strings up to U+00FF, `b''`, globals, and
/// dict keys that are str together with the names of globals (as if by `sys.intern`). Views keep the sharing and the
/// cycles of their document.
///
/// A mistake in counts does not stop writing; ``finish()`` throws it.
public struct PickleWriter: ~Copyable {
    /// The protocol that is written, 0 to 5.
    public let pickleProtocol: Int

    var base: UnsafeMutablePointer<UInt8>
    var count = 0
    var capacity: Int
    var frameStart = -1
    var isFraming = false
    var memoCount: UInt32 = 0
    var interned = InternTable()
    var failure: PickleError?
    /// A whole document is written and nothing else: names of globals keep the identity they have in it.
    var isPure: Bool
    var sources: [SourceDocument] = []
    /// Where the sources behind the first few are, by their documents.
    var sourceSlots: [ObjectIdentifier: Int] = [:]
    var work: RawTable<WriteFrame>
    var context = Context()

    /// The container that is being written.
    struct Context {
        enum Kind { case root, tuple, list, dict, set, frozenset, parts, items, pairs }
        var kind = Kind.root
        /// Elements announced; keys and values of a dict count one each.
        var count = 1
        var position = 0
    }

    /// Prepares to write pickles of this protocol, 5 unless told; anything but 0 to 5 is an error of ``finish()``.
    public init(protocol version: Int = 5) {
        // With its header no more than what the allocator keeps at hand.
        self.init(protocol: version, ownProtocol: false, capacity: 992)
    }

    init(protocol version: Int, ownProtocol: Bool, capacity: Int) {
        pickleProtocol = min(max(version, 0), 5)
        self.capacity = capacity
        base = .block(capacity)
        // Nothing is written there: only views need frames, and the first one makes room.
        work = RawTable(borrowing: UnsafeMutableRawPointer(base).assumingMemoryBound(to: WriteFrame.self), capacity: 0)
        isPure = ownProtocol
        if pickleProtocol != version {
            failure = PickleError(.unsupportedProtocol, "pickle protocol must be 0 to 5, not \(version)")
        }
        begin()
    }

    deinit {
        base.freeBlock()
        work.free()
        for source in sources { source.free() }
    }

    private mutating func begin() {
        count = 0
        frameStart = -1
        memoCount = 0
        isFraming = false
        context = Context()
        if pickleProtocol >= 2 {
            put(0x80, UInt8(pickleProtocol))
            isFraming = pickleProtocol >= 4
        }
    }

    /// Ends the pickle and returns it; the writer starts afresh.
    ///
    /// - Throws: ``PickleError`` when not exactly one value was written, or a container got another number of elements
    ///   than announced.
    public mutating func finish() throws -> [UInt8] {
        try finishTyped()
    }

    mutating func finishTyped() throws(PickleError) -> [UInt8] {
        let problem = close()
        let result = problem == nil ? [UInt8](UnsafeBufferPointer(start: base, count: count)) : []
        reset()
        if let problem { throw problem }
        return result
    }

    /// Ends the pickle and calls `body` with it, which is valid only while that runs; the writer starts afresh.
    ///
    /// - Throws: as ``finish()``; what `body` throws.
    package mutating func finish<Result>(_ body: (UnsafeBufferPointer<UInt8>) throws -> Result) throws -> Result {
        let problem = close()
        defer { reset() }
        if let problem { throw problem }
        return try body(UnsafeBufferPointer(start: base, count: count))
    }

    /// Starts afresh, whatever was written.
    package mutating func reset() {
        failure = nil
        interned.removeAll()
        if !sources.isEmpty {
            for source in sources { source.free() }
            sources.removeAll(keepingCapacity: true)
            sourceSlots.removeAll()
        }
        begin()
    }

    /// Writes the end of the pickle; what is wrong with it.
    private mutating func close() -> PickleError? {
        if failure == nil, context.position != 1 {
            failure = PickleError(.wrongCount, "a pickle holds one value, not \(context.position)")
        }
        put(0x2E)
        closeFrame()
        return failure
    }

    // MARK: Bytes

    /// Makes room for `extra` bytes and, when none is open, for a frame's header.
    @inline(__always)
    mutating func reserve(_ extra: Int) {
        if capacity &- count < extra &+ 16 { growBuffer(extra) }
        if isFraming, frameStart < 0 {
            frameStart = count
            count &+= 9
        }
    }

    @inline(never)
    private mutating func growBuffer(_ extra: Int) {
        let room = max(capacity * 2, count + extra + 64)
        let new = UnsafeMutablePointer<UInt8>.block(room)
        new.update(from: base, count: count)
        base.freeBlock()
        base = new
        capacity = room
    }

    @inline(__always)
    mutating func put(_ byte: UInt8) {
        reserve(1)
        base[count] = byte
        count &+= 1
    }

    @inline(__always)
    mutating func put(_ first: UInt8, _ second: UInt8) {
        reserve(2)
        base[count] = first
        base[count &+ 1] = second
        count &+= 2
    }

    @inline(__always)
    mutating func put16(_ opcode: UInt8, _ value: UInt16) {
        reserve(3)
        base[count] = opcode
        UnsafeMutableRawPointer(base + count + 1).storeBytes(of: value.littleEndian, as: UInt16.self)
        count &+= 3
    }

    @inline(__always)
    mutating func put32(_ opcode: UInt8, _ value: UInt32) {
        reserve(5)
        base[count] = opcode
        UnsafeMutableRawPointer(base + count + 1).storeBytes(of: value.littleEndian, as: UInt32.self)
        count &+= 5
    }

    @inline(__always)
    mutating func put64(_ opcode: UInt8, _ value: UInt64) {
        reserve(9)
        base[count] = opcode
        UnsafeMutableRawPointer(base + count + 1).storeBytes(of: value.littleEndian, as: UInt64.self)
        count &+= 9
    }

    mutating func put(text: String) {
        for byte in text.utf8 { put(byte) }
    }

    /// Bytes after an opcode that is already written.
    @inline(__always)
    mutating func put(bytes: UnsafeBufferPointer<UInt8>) {
        reserve(bytes.count)
        if let source = bytes.baseAddress { copyBytes(from: source, to: base + count, count: bytes.count) }
        count &+= bytes.count
    }

    // MARK: Frames and memo

    /// What `save` does first: a frame that has its size ends here.
    @inline(__always)
    mutating func boundary() {
        if frameStart >= 0, count &- frameStart &- 9 >= 65_536 { closeFrame() }
    }

    mutating func closeFrame() {
        guard frameStart >= 0 else { return }
        let length = count - frameStart - 9
        if length >= 4 {
            base[frameStart] = 0x95
            UnsafeMutableRawPointer(base + frameStart + 1).storeBytes(of: UInt64(length).littleEndian, as: UInt64.self)
        } else {
            (base + frameStart).update(from: base + frameStart + 9, count: length)
            count -= 9
        }
        frameStart = -1
    }

    /// Header and payload of a str or bytes; from 65,536 bytes on they stand outside of frames.
    mutating func putOutsideFrames(_ opcode: UInt8, wide: Bool, _ bytes: UnsafeBufferPointer<UInt8>) {
        closeFrame()
        let wasFraming = isFraming
        isFraming = false
        if wide { put64(opcode, UInt64(bytes.count)) } else { put32(opcode, UInt32(bytes.count)) }
        put(bytes: bytes)
        isFraming = wasFraming
    }

    /// Notes the object just written in the memo and returns its number.
    @inline(__always)
    @discardableResult
    mutating func memoize() -> UInt32 {
        let index = memoCount
        memoCount &+= 1
        if pickleProtocol >= 4 { put(0x94) } else { putMemo(index) }
        return index
    }

    private mutating func putMemo(_ index: UInt32) {
        if pickleProtocol == 0 {
            put(0x70)
            put(text: "\(index)\n")
        } else if index < 256 {
            put(0x71, UInt8(index))
        } else {
            put32(0x72, index)
        }
    }

    @inline(__always)
    mutating func putGet(_ index: UInt32) {
        if pickleProtocol == 0 {
            put(0x67)
            put(text: "\(index)\n")
        } else if index < 256 {
            put(0x68, UInt8(index))
        } else {
            put32(0x6A, index)
        }
    }
}

/// Copies few bytes faster than a call of `memcpy`.
@inline(__always)
func copyBytes(from source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, count: Int) {
    if count <= 16 {
        var index = 0
        while index < count {
            target[index] = source[index]
            index &+= 1
        }
    } else {
        target.update(from: source, count: count)
    }
}
