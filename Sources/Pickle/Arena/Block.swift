import Synchronization

/// Memory of pickles. Blocks of large ones are kept for the next: to get memory from the system page by page, and to give
/// it back, takes several times as long as to decode what is in it.
///
/// At most eight blocks and ``most`` bytes are kept, whatever pickles come.
enum Block {
    /// Smaller blocks are the allocator's, which keeps them itself.
    static let smallest = 1 << 16
    /// Larger blocks are seldom wanted again.
    static let largest = 1 << 22
    /// Most bytes that are kept.
    static let most = 1 << 23
    /// Before each block stands its size.
    private static let header = 16

    private struct Kept {
        var addresses: [UInt] = []
        var sizes: [Int] = []
        var total = 0
    }

    private static let kept = Mutex(Kept())

    /// A block of at least so many bytes, aligned to 16 of them, and with whatever was in it.
    @inline(__always)
    static func allocate(_ count: Int) -> UnsafeMutableRawPointer {
        let size = count &+ header
        return size < smallest ? make(size) : large(size)
    }

    @inline(__always)
    static func free(_ block: UnsafeMutableRawPointer) {
        let start = block - header
        let size = start.load(as: Int.self)
        if size < smallest || !keep(start, size) { start.deallocate() }
    }

    @inline(__always)
    private static func make(_ size: Int) -> UnsafeMutableRawPointer {
        let start = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        start.storeBytes(of: size, as: Int.self)
        return start + header
    }

    /// Sizes are powers of two, so that blocks fit other pickles, too. What nobody writes to takes no memory.
    @inline(never)
    private static func large(_ wanted: Int) -> UnsafeMutableRawPointer {
        if wanted > largest { return make(wanted) }
        var size = smallest
        while size < wanted { size *= 2 }
        // Whoever would have to wait is faster without.
        let found = kept.withLockIfAvailable { kept -> UInt? in
            guard let place = kept.sizes.lastIndex(of: size) else { return nil }
            kept.sizes.remove(at: place)
            kept.total -= size
            return kept.addresses.remove(at: place)
        }
        if let found, let found, let start = UnsafeMutableRawPointer(bitPattern: found) { return start + header }
        return make(size)
    }

    @inline(never)
    private static func keep(_ start: UnsafeMutableRawPointer, _ size: Int) -> Bool {
        if size > largest { return false }
        var surplus: [UInt] = []
        let isKept = kept.withLockIfAvailable { kept in
            while kept.sizes.count >= 8 || kept.total + size > most, !kept.sizes.isEmpty {
                // The oldest go first.
                kept.total -= kept.sizes.removeFirst()
                surplus.append(kept.addresses.removeFirst())
            }
            kept.addresses.append(UInt(bitPattern: start))
            kept.sizes.append(size)
            kept.total += size
            return true
        }
        for address in surplus { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
        return isKept ?? false
    }
}

extension UnsafeMutablePointer where Pointee: BitwiseCopyable {
    /// Memory for so many elements; given back by ``freeBlock()``.
    @inline(__always)
    static func block(_ count: Int) -> Self {
        Block.allocate(count &* MemoryLayout<Pointee>.stride).bindMemory(to: Pointee.self, capacity: count)
    }

    @inline(__always)
    func freeBlock() { Block.free(UnsafeMutableRawPointer(self)) }
}
