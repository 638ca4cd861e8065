/// Memory for small pickles that are read together and done with at about the same time, such as a batch of messages: their documents
/// share blocks, and a block goes with the last of them. Saves most of what the allocator would have to do.
///
/// Belongs to whoever decodes; the documents may go anywhere.
package final class PickleMemory {
    /// A block that documents share.
    // Sendable: parts of it are handed out one after the other by its owner, and each belongs to one document.
    final class Shared: @unchecked Sendable {
        fileprivate let base = Block.allocate(PickleMemory.blockSize)

        deinit { Block.free(base) }
    }

    /// With its header, one of the blocks that are kept for the next.
    private static let blockSize = Block.smallest - 16
    /// A larger pickle has its own.
    private static let largestPart = 2048

    private var current = Shared()
    private var used = 0

    package init() {}

    /// A part of a block, aligned to 16 bytes; nil for more than a small pickle takes.
    func part(_ count: Int) -> (memory: UnsafeMutableRawPointer, owner: Shared)? {
        guard count <= Self.largestPart else { return nil }
        if used + count > Self.blockSize {
            current = Shared()
            used = 0
        }
        defer { used += (count + 15) & ~15 }
        return (current.base + used, current)
    }
}
