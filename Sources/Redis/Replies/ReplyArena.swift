internal import CHiredis

/// The replies of one batch: flat nodes and the bytes of their strings, in C memory.
///
/// `@unchecked Sendable`: the parser fills an arena on the event loop before anyone else has a reference to it, and
/// from then on nobody changes it.
final class ReplyArena: @unchecked Sendable {
    let storage: UnsafeMutablePointer<huey_reply_arena>

    /// An arena for `roots` replies; nil when there is no memory for it.
    init?(roots: Int, limits: ReplyLimits) {
        guard let storage = huey_arena_create(roots, limits.elements, limits.bytes) else { return nil }
        self.storage = storage
    }

    deinit { huey_arena_free(storage) }

    func node(_ index: Int) -> huey_reply_node { storage.pointee.nodes[index] }

    func bytes(of node: huey_reply_node) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: storage.pointee.bytes + Int(node.value), count: Int(node.length))
    }
}

/// What the replies of one batch may hold at most, so that a broken or hostile server cannot exhaust the memory.
struct ReplyLimits: Sendable {
    /// Elements of all arrays together. A length is checked before anything is allocated for it.
    var elements = 1 << 24
    /// Bytes of all strings together, and of a reply that is not complete yet.
    var bytes = 1 << 30
}
