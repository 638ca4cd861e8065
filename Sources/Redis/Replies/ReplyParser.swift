internal import CHiredis

/// Reads RESP2 with hiredis' `redisReader` and gathers the replies of one batch after the other.
///
/// Not Sendable: it lives on its connection's event loop.
final class ReplyParser {
    enum Outcome {
        /// More bytes are needed.
        case incomplete
        /// All replies of the batch.
        case complete(RedisReplies)
        /// The bytes are not what a RESP2 server sends; the connection is of no use any more.
        case failed(RedisError)
    }

    /// hiredis moves the rest of what it was fed after each reply, so it is fed little at a time.
    static let feedSize = 16 * 1024

    private let reader: UnsafeMutablePointer<redisReader>?
    private let limits: ReplyLimits
    private var arena: ReplyArena?

    init(limits: ReplyLimits = ReplyLimits()) {
        reader = huey_reader_create()
        self.limits = limits
    }

    deinit { redisReaderFree(reader) }

    /// Whether everything that was fed has been read, and no reply has begun.
    var isIdle: Bool { reader.map { huey_reader_is_idle($0) != 0 } ?? true }

    /// The text of the first reply of an unfinished batch, if it is an error: what a server says before it hangs up.
    var firstErrorOfUnfinishedBatch: String? {
        guard let arena, arena.storage.pointee.roots_read > 0 else { return nil }
        return RedisReply(arena: arena, index: 0).error?.message
    }

    /// What the server says of a request that it does not even read, such as one with a string that is larger than `proto-max-bulk-len`:
    /// it hangs up then, and no other reply to that request follows.
    var protocolErrorOfUnfinishedBatch: RedisError? {
        guard let arena, case let count = arena.storage.pointee.roots_read, count > 0,
            let error = RedisReply(arena: arena, index: count - 1).error, error.isProtocolError
        else { return nil }
        return error
    }

    /// Takes at most ``feedSize`` bytes.
    func feed(_ bytes: UnsafeRawBufferPointer) {
        // hiredis records a failure in the reader, and the next read reports it.
        _ = redisReaderFeed(reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }

    /// Reads on with the replies to a batch of `count` commands.
    func next(count: Int) -> Outcome {
        guard let reader else { return .failed(RedisError(.protocolError, "no memory for a reply reader")) }
        guard let arena = arena ?? ReplyArena(roots: count, limits: limits) else {
            return .failed(RedisError(.protocolError, "no memory for the replies"))
        }
        self.arena = arena
        huey_reader_set_arena(reader, arena.storage)
        while arena.storage.pointee.roots_read < count {
            switch huey_reader_next(reader, arena.storage) {
            case 1: continue
            case 0:
                guard huey_reader_pending(reader) <= limits.bytes else {
                    return .failed(RedisError(.protocolError, "a reply is larger than \(limits.bytes) bytes"))
                }
                return .incomplete
            default: return .failed(failure(arena, reader))
            }
        }
        self.arena = nil
        return .complete(RedisReplies(arena: arena, first: 0, count: count))
    }

    private func failure(_ arena: ReplyArena, _ reader: UnsafeMutablePointer<redisReader>) -> RedisError {
        let reason =
            switch Int(arena.storage.pointee.refused) {
            case HUEY_REFUSED_ELEMENTS: "the replies have more than \(limits.elements) elements"
            case HUEY_REFUSED_BYTES: "the replies have more than \(limits.bytes) bytes"
            case HUEY_REFUSED_NESTING: "a reply is nested deeper than \(HUEY_REPLY_MAXIMUM_NESTING) arrays"
            case HUEY_REFUSED_TYPE: "a reply has a type that RESP2 does not have"
            case HUEY_REFUSED_MEMORY: "no memory for the replies"
            default: String(cString: huey_reader_error(reader))
            }
        return RedisError(.protocolError, reason)
    }
}
