/// Decodes small pickles one after the other in the same memory, unless somebody has kept the one before.
///
/// Belongs to whoever decodes; the documents may go anywhere.
package struct PickleScratch {
    /// How many nodes, and how many children, there is room for from the start.
    private static let room = 64
    /// How many bytes of input.
    private static let inputRoom = 176
    /// A larger pickle has memory of its own.
    private static let largest = inputRoom - Arena.padding

    private var document: PickleDocument?

    package init() {}

    /// Decodes a pickle from memory that is only borrowed for this call.
    ///
    /// - Returns: the document; its memory is used again for the next pickle once nobody has it any more.
    /// - Throws: as ``PickleDocument/init(_:limits:)``.
    package mutating func read(
        _ bytes: UnsafeRawBufferPointer,
        limits: PickleLimits
    ) throws(PickleError) -> PickleDocument {
        guard bytes.count <= min(Self.largest, limits.bytes), limits.memory >= Self.room * 64 else {
            return try PickleDocument(copying: bytes, limits: limits)
        }
        if !isKnownUniquelyReferenced(&document) { document = nil }
        guard let known = document else {
            let slab = Block.allocate(
                Self.room * (MemoryLayout<Node>.stride + MemoryLayout<UInt32>.stride) + Self.inputRoom
            )
            do throws(PickleError) {
                let fresh = PickleDocument(try Self.decode(bytes, in: slab, limits))
                document = fresh
                return fresh
            } catch {
                Block.free(slab)
                throw error
            }
        }
        guard let slab = known.arena.slab else { return try PickleDocument(copying: bytes, limits: limits) }
        known.arena.freeTables()
        known.arena = try Self.decode(bytes, in: slab, limits)
        return known
    }

    private static func decode(
        _ bytes: UnsafeRawBufferPointer,
        in slab: UnsafeMutableRawPointer,
        _ limits: PickleLimits
    ) throws(PickleError) -> Arena {
        let children = slab + room * MemoryLayout<Node>.stride
        let input = children + room * MemoryLayout<UInt32>.stride
        let place = Arena.Room(
            nodes: RawTable(borrowing: slab.bindMemory(to: Node.self, capacity: room), capacity: room),
            children: RawTable(borrowing: children.bindMemory(to: UInt32.self, capacity: room), capacity: room),
            input: input.bindMemory(to: UInt8.self, capacity: inputRoom)
        )
        var arena = try Arena.decode(bytes, in: place, limits).get()
        arena.slab = slab
        return arena
    }
}

extension Arena {
    /// Frees the tables that have outgrown the slab. The slab stays.
    mutating func freeTables() {
        if ownsNodes { nodes.freeBlock() }
        if ownsChildren { children.freeBlock() }
        if ownsSide { Block.free(UnsafeMutableRawPointer(mutating: side)) }
        (ownsNodes, ownsChildren, ownsSide) = (false, false, false)
    }
}
