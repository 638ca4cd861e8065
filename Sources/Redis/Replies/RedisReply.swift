internal import CHiredis

/// One reply: a view into the replies of its batch, whose memory it keeps alive.
public struct RedisReply: Sendable {
    private let arena: ReplyArena
    private let node: huey_reply_node

    init(arena: ReplyArena, index: Int) {
        self.arena = arena
        node = arena.node(index)
    }

    private var type: Int { Int(node.type) }

    private var hasBytes: Bool { type == HUEY_REPLY_STRING || type == HUEY_REPLY_STATUS || type == HUEY_REPLY_ERROR }

    /// Whether it is nil: there is no such key, or a blocking command ran out of time.
    public var isNull: Bool { type == HUEY_REPLY_NIL }

    /// The error, if the command failed on the server.
    public var error: RedisError? {
        guard type == HUEY_REPLY_ERROR else { return nil }
        return .server(String(decoding: arena.bytes(of: node), as: UTF8.self))
    }

    /// The integer, or nil if it is none. A string of digits is none.
    public var integer: Int? { type == HUEY_REPLY_INTEGER ? Int(node.value) : nil }

    /// The bytes of a string or status, or nil if it is neither.
    public var bytes: [UInt8]? { withBytes { Array($0) } }

    /// A string or status, with U+FFFD for what is not UTF-8, or nil if it is neither.
    public var string: String? { withBytes { String(decoding: $0, as: UTF8.self) } }

    /// Whether it is the status `OK`.
    public var isOK: Bool {
        type == HUEY_REPLY_STATUS && arena.bytes(of: node).elementsEqual("OK".utf8)
    }

    /// The elements of an array, or nil if it is none.
    public var elements: RedisReplies? {
        guard type == HUEY_REPLY_ARRAY else { return nil }
        return RedisReplies(arena: arena, first: Int(node.value), count: Int(node.length))
    }

    /// Calls `body` with the bytes of a string or status, without copying them; nil if it is neither.
    ///
    /// The bytes are valid only while `body` runs.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R? {
        guard hasBytes, type != HUEY_REPLY_ERROR else { return nil }
        return try withExtendedLifetime(arena) { try body(arena.bytes(of: node)) }
    }

    /// The reply itself.
    ///
    /// - Throws: the reply's own ``error``, if it is one.
    @discardableResult
    public func get() throws(RedisError) -> RedisReply {
        if let error { throw error }
        return self
    }
}

/// The replies to a batch in the order of its commands, or the elements of an array.
public struct RedisReplies: RandomAccessCollection, Sendable {
    private let arena: ReplyArena?
    private let first: Int

    /// The number of replies.
    public let count: Int

    init(arena: ReplyArena, first: Int, count: Int) {
        self.arena = arena
        self.first = first
        self.count = count
    }

    /// No replies, to no commands.
    static let none = RedisReplies()

    private init() {
        arena = nil
        first = 0
        count = 0
    }

    /// 0.
    public var startIndex: Int { 0 }

    /// The number of replies.
    public var endIndex: Int { count }

    /// The reply to the command number `index`.
    ///
    /// - Complexity: O(1).
    public subscript(index: Int) -> RedisReply {
        precondition(index >= 0 && index < count, "There is no such reply")
        guard let arena else { preconditionFailure("There are no replies") }
        return RedisReply(arena: arena, index: first + index)
    }

    /// Whether all replies are nil.
    public var areNull: Bool {
        guard let arena else { return true }
        return withExtendedLifetime(arena) {
            (first..<first + count).allSatisfy { Int(arena.node($0).type) == HUEY_REPLY_NIL }
        }
    }

    /// The first error among the replies themselves, not inside arrays.
    public var firstError: RedisError? {
        for reply in self {
            if let error = reply.error { return error }
        }
        return nil
    }

    /// Whether an error that is so is among the replies, inside arrays too. Costs nothing where there is no error.
    func containsError(where isSo: (RedisError) -> Bool) -> Bool {
        guard let arena, arena.storage.pointee.errors > 0 else { return false }
        return (0..<arena.storage.pointee.node_count).contains { index in
            RedisReply(arena: arena, index: index).error.map(isSo) ?? false
        }
    }
}
