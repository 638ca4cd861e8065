/// A decoded pickle of any protocol: immutable data that never imported, called or executed anything.
///
/// Strings stay ranges of the retained input, containers are ranges of a table, and a node's index is its Python
/// identity, so sharing and cycles are kept and freeing takes no recursion. What has no Swift meaning (an instance of some
/// class, a persistent id …) is a node like any other and is written back as it came.
///
/// Mirrors `pickle.loads`, which it follows in what it accepts.
// Sendable: the arena's memory is written only before `init` returns and never changes after that, unless its one owner decodes the next
// pickle in it. It belongs to this object alone and is freed once, in `deinit`. Every pointer into it is used while this object is retained.
public final class PickleDocument: @unchecked Sendable {
    // Set again only by ``PickleScratch``, and only while nobody else has the document.
    @exclusivity(unchecked) var arena: Arena

    /// Decodes one pickle. Bytes after its STOP are ignored, as in CPython.
    ///
    /// - Throws: ``PickleError`` for malformed input, for what CPython refuses without importing anything (such as
    ///   unhashable keys), and when a limit is passed.
    /// - Complexity: O(n) in time and memory, n being the number of bytes.
    public convenience init(_ bytes: [UInt8], limits: PickleLimits = .default) throws(PickleError) {
        let result = bytes.withUnsafeBytes { buffer -> Result<Arena, PickleError> in
            do throws(PickleError) {
                return .success(try Arena(decoding: buffer, limits: limits))
            } catch {
                return .failure(error)
            }
        }
        self.init(try result.get())
    }

    /// Decodes a pickle from memory that is only borrowed for this call.
    public convenience init(
        copying bytes: UnsafeRawBufferPointer,
        limits: PickleLimits = .default
    ) throws(PickleError) {
        self.init(try Arena(decoding: bytes, limits: limits))
    }

    init(_ arena: Arena) { self.arena = arena }

    deinit {
        arena.free()
    }

    /// The value that was pickled.
    public var root: PickleView { PickleView(self, arena.root) }

    /// The highest of its PROTO and of its opcodes' protocols, but for the TUPLE2 that CPython writes for a state setter at
    /// protocols 0 and 1, too.
    public var pickleProtocol: Int { arena.pickleProtocol }

    /// Whether a value holds itself, directly or not, so that a walk that follows every reference never ends.
    public var hasCycles: Bool { arena.hasCycles }

    /// About how many bytes of memory the document takes.
    package var memorySize: Int { arena.inputCount &+ arena.tableBytes }

    /// Whether there are bytes behind the STOP.
    public var hasTrailingBytes: Bool { arena.pickleCount < arena.inputCount }

    /// How many bytes there are behind the STOP.
    package var trailingCount: Int { arena.inputCount &- arena.pickleCount }

    /// The bytes behind the STOP, which CPython ignores.
    public var trailingBytes: [UInt8] {
        withExtendedLifetime(self) {
            Array(
                UnsafeBufferPointer(start: arena.input + arena.pickleCount, count: arena.inputCount - arena.pickleCount)
            )
        }
    }

    /// Writes the whole pickle again, byte-identical with what CPython's C pickler writes for the same object graph.
    ///
    /// - Parameter version: the protocol, 0 to 5; by default the pickle's own.
    /// - Throws: ``PickleError`` when this protocol has no form for something, such as buffers below protocol 5.
    public func encoded(protocol version: Int? = nil) throws(PickleError) -> [UInt8] {
        var writer = PickleWriter(
            protocol: version ?? pickleProtocol,
            ownProtocol: version == nil || version == pickleProtocol,
            capacity: arena.inputCount + arena.inputCount / 8 + 512
        )
        try writer.write(root)
        return try writer.finishTyped()
    }
}

extension Arena {
    /// Decodes a pickle into memory that the caller frees.
    init(decoding bytes: UnsafeRawBufferPointer, limits: PickleLimits) throws(PickleError) {
        // Beyond half a gigabyte the tables' 32-bit offsets might not do.
        if bytes.count > min(limits.bytes, 1 << 29) {
            throw PickleError(.byteLimit, "a pickle of \(bytes.count) bytes, more than \(min(limits.bytes, 1 << 29))")
        }
        // Most pickles fit the guess of four bytes for a node; others move out.
        let guess = min(bytes.count / 4 + 24, max(limits.memory / 64, 64))
        self = try (guess <= 64 ? Arena.small(bytes, limits) : Arena.large(bytes, guess, limits)).get()
    }

    /// A pickle that fits on the stack is decoded there, and then takes no more memory than it needs.
    private static func small(
        _ bytes: UnsafeRawBufferPointer,
        _ limits: PickleLimits
    ) -> Result<Arena, PickleError> {
        // A kilobyte is what this puts on the stack at most.
        withUnsafeTemporaryAllocation(of: Node.self, capacity: 64) { nodes in
            withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 64) { rest in
                guard let nodes = nodes.baseAddress, let rest = rest.baseAddress else {
                    return large(bytes, 64, limits)
                }
                // 64 children, then up to 163 bytes of input and 16 behind it.
                let (children, input) = (UnsafeMutableRawPointer(rest), UnsafeMutableRawPointer(rest + 32))
                let room = Room(
                    nodes: RawTable(borrowing: nodes, capacity: 64),
                    children: RawTable(borrowing: children.assumingMemoryBound(to: UInt32.self), capacity: 64),
                    input: input.assumingMemoryBound(to: UInt8.self)
                )
                var result = decode(bytes, in: room, limits)
                if case .success(var arena) = result {
                    arena.pack()
                    result = .success(arena)
                }
                return result
            }
        }
    }

    private static func large(
        _ bytes: UnsafeRawBufferPointer,
        _ guess: Int,
        _ limits: PickleLimits
    ) -> Result<Arena, PickleError> {
        // One block: nodes, children, input.
        let nodeRoom = guess * MemoryLayout<Node>.stride
        let childRoom = guess * MemoryLayout<UInt32>.stride
        let slab = Block.allocate(nodeRoom + childRoom + bytes.count + padding)
        let room = Room(
            nodes: RawTable(borrowing: slab.bindMemory(to: Node.self, capacity: guess), capacity: guess),
            children: RawTable(
                borrowing: (slab + nodeRoom).bindMemory(to: UInt32.self, capacity: guess),
                capacity: guess
            ),
            input: (slab + nodeRoom + childRoom).bindMemory(to: UInt8.self, capacity: bytes.count + padding),
            slab: slab
        )
        return decode(bytes, in: room, limits)
    }

    /// Moves what lies on the stack into a block of its own.
    private mutating func pack() {
        let nodeRoom = ownsNodes ? 0 : nodeCount * MemoryLayout<Node>.stride
        let childRoom = ownsChildren ? 0 : childCount * MemoryLayout<UInt32>.stride
        let block = Block.allocate(nodeRoom + childRoom + inputCount + Self.padding)
        var place = block
        if !ownsNodes { nodes = Self.move(nodes, nodeCount, to: &place) }
        if !ownsChildren { children = Self.move(children, childCount, to: &place) }
        input = UnsafePointer(Self.move(input, inputCount + Self.padding, to: &place))
        if !ownsSide { side = input }
        slab = block
    }

    /// Copies elements to a place, which it moves behind them.
    private static func move<Element: BitwiseCopyable>(
        _ elements: UnsafePointer<Element>,
        _ count: Int,
        to place: inout UnsafeMutableRawPointer
    ) -> UnsafeMutablePointer<Element> {
        let moved = place.bindMemory(to: Element.self, capacity: count)
        moved.update(from: elements, count: count)
        place += count * MemoryLayout<Element>.stride
        return moved
    }

    /// Bytes behind the input that may be loaded but mean nothing.
    static let padding = 16

    /// Where a pickle is decoded.
    struct Room {
        var nodes: RawTable<Node>
        var children: RawTable<UInt32>
        var input: UnsafeMutablePointer<UInt8>
        /// The block that all of it lies in, where it is not the stack; freed on failure.
        var slab: UnsafeMutableRawPointer?
    }

    static func decode(
        _ bytes: UnsafeRawBufferPointer,
        in room: Room,
        _ limits: PickleLimits
    ) -> Result<Arena, PickleError> {
        if let base = bytes.baseAddress {
            UnsafeMutableRawPointer(room.input).copyMemory(from: base, byteCount: bytes.count)
        }
        UnsafeMutableRawPointer(room.input + bytes.count)
            .initializeMemory(as: UInt8.self, repeating: 0, count: padding)
        // Up to a kilobyte lies on the stack.
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 128) { scratch in
            decode(bytes.count, in: room, scratch, limits)
        }
    }

    /// `scratch` holds stack, marks and memo of small pickles, and what looking at keys takes.
    private static func decode(
        _ count: Int,
        in room: Room,
        _ scratch: UnsafeMutableBufferPointer<UInt64>,
        _ limits: PickleLimits
    ) -> Result<Arena, PickleError> {
        // What the tables lie in from the start is counted, too, where it is not the stack.
        let given = room.slab == nil ? 0 : room.nodes.capacity * MemoryLayout<Node>.stride + room.children.capacity * 4
        var left = max(0, limits.memory) - given
        return withUnsafeMutablePointer(to: &left) { decode(count, in: room, scratch, $0, limits) }
    }

    private static func decode(
        _ count: Int,
        in room: Room,
        _ scratch: UnsafeMutableBufferPointer<UInt64>,
        _ meter: UnsafeMutablePointer<Int>,
        _ limits: PickleLimits
    ) -> Result<Arena, PickleError> {
        let tables = scratch.baseAddress.map { UnsafeMutableRawPointer($0 + 16).assumingMemoryBound(to: UInt32.self) }
        var decoder = OpcodeReader(
            nodes: room.nodes.counted(by: meter),
            children: room.children.counted(by: meter),
            side: RawTable(borrowing: room.input, capacity: 0, meter: meter),
            stack: .start(tables, 84, meter),
            marks: .start(tables.map { $0 + 84 }, 28, meter),
            memo: .start(tables.map { $0 + 112 }, 112, meter),
            input: UnsafePointer(room.input),
            end: count,
            pending: .start(scratch.baseAddress, 16, meter),
            nodeLimit: min(limits.nodes, Int(MemoEntry.node) - 16),
            meter: meter,
            nameBudget: count &* 64 &+ 1_000_000,
            limits: limits,
            nestingLimit: min(limits.nesting, 65_000)
        )
        decoder.prepare()
        defer { decoder.freeScratch() }
        do throws(PickleError) {
            let root = try decoder.run()
            if decoder.side.count > 0 { decoder.side.reserve(16) }
            var arena = Arena(&decoder, root: root, slab: room.slab)
            // The decoder's stack is no longer needed.
            let free = UnsafeMutableBufferPointer(rebasing: scratch[16..<16 + KeyCheck.scratchWords])
            try arena.check(&decoder, limits, free)
            arena.tableBytes = max(0, limits.memory) - meter.pointee
            return .success(arena)
        } catch {
            decoder.nodes.free()
            decoder.children.free()
            decoder.side.free()
            if let slab = room.slab { Block.free(slab) }
            return .failure(error)
        }
    }

    // The decoder is passed by reference: it is large, and would be copied.
    private init(_ decoder: inout OpcodeReader, root: NodeIndex, slab: UnsafeMutableRawPointer?) {
        nodes = decoder.nodes.base
        children = decoder.children.base
        input = decoder.input
        side = UnsafePointer(decoder.side.base)
        nodeCount = decoder.nodes.count
        childCount = decoder.children.count
        inputCount = decoder.end
        pickleCount = decoder.position
        self.root = root
        pickleProtocol = decoder.ownProtocol
        self.slab = slab
        ownsNodes = decoder.nodes.isOwned
        ownsChildren = decoder.children.isOwned
        ownsSide = decoder.side.isOwned
        hasCycles = false
        integerDigits = decoder.limits.integerDigits
        tableBytes = 0
    }

    private mutating func check(
        _ decoder: inout OpcodeReader,
        _ limits: PickleLimits,
        _ scratch: UnsafeMutableBufferPointer<UInt64>
    ) throws(PickleError) {
        let work = nodeCount &+ childCount &+ inputCount
        // What looking at sharing takes for each node, for a while.
        if decoder.needsSurvey, decoder.meter.pointee < nodeCount &* MemoryLayout<Int>.stride {
            throw decoder.tooMuchMemory()
        }
        var keys = KeyCheck(
            nodes: nodes,
            children: children,
            input: input,
            side: side,
            budget: work &* 2 &+ 1_000_000,
            scratch: scratch
        )
        try keys.run(
            UnsafeBufferPointer(start: decoder.pending.base, count: decoder.pending.count),
            count: nodeCount
        )
        if decoder.needsSurvey {
            var survey = Survey(nodes: nodes, children: children, count: nodeCount, limits: limits)
            try survey.walk(from: root, endingAt: decoder.opcodeStart)
            hasCycles = survey.hasCycles
        } else if childCount * decoder.longestText > limits.expansion, sharedText() > limits.expansion {
            // Where nothing is held twice, text is all that may be shared.
            throw Survey.tooMuch(limits, at: decoder.opcodeStart)
        }
    }

    /// How many bytes of text would be visited by following every reference, beyond those that are there once.
    private func sharedText() -> Int {
        var total = 0
        for index in Singleton.count..<nodeCount {
            let node = nodes[index]
            if node.tag.hasText { total &-= Int(node.b) }
            if !node.tag.hasChildren { continue }
            var edges = Edges(UInt32(truncatingIfNeeded: index), nodes, children)
            while let child = edges.next(nodes, children) {
                if nodes[Int(child)].tag.hasText { total &+= Int(nodes[Int(child)].b) }
            }
        }
        return total
    }
}
