internal import NIOCore

/// Which requests of one connection wait for which replies, and until when. Pure: it does no I/O and knows no clock.
///
/// Requests are answered in the order they were submitted. A request whose time is over leaves its place behind, so
/// that its late replies are not taken for another's; the connection is then draining: it takes no new requests, and is
/// closed as soon as nobody waits for it any more.
struct ConnectionStateMachine<Request> {
    enum Submission: Equatable {
        /// Write the request; flush at once, or together with what else comes in this tick of the loop.
        case write(flushNow: Bool)
        /// The connection takes no more requests.
        case refuse
    }

    enum Answer {
        /// The request that the replies belong to, or nil where its time was over; then whether to close.
        case deliver(Request?, close: Bool)
        /// Nobody asked: the server broke the protocol.
        case unsolicited
    }

    struct Expiry {
        /// Requests whose time is over.
        var expired: [Request] = []
        /// When to look again.
        var next: NIODeadline?
        /// Nobody waits for this connection any more.
        var close = false
    }

    struct Remains {
        /// Never written: they may be sent on another connection.
        var unwritten: [Request] = []
        /// Written and unanswered: they may have run.
        var unanswered: [Request] = []
    }

    private struct Entry {
        var request: Request?
        var replyCount: Int
        var deadline: NIODeadline?
    }

    private enum State {
        case open
        case draining
        case closed
    }

    private var state = State.open
    /// Oldest first.
    private var entries = CircularBuffer<Entry>()
    /// How many of the entries, from the oldest, were handed to the operating system.
    private var flushedCount = 0

    /// Whether it takes new requests.
    var isOpen: Bool { state == .open }

    /// Requests that have no replies yet.
    var inFlight: Int { entries.count }

    /// Whether requests were submitted since the last flush.
    var hasUnflushed: Bool { flushedCount < entries.count }

    /// The oldest request that has no replies yet, if somebody may wait for it.
    var oldest: Request? { entries.first?.request }

    /// How many replies come next for one request; nil if none is expected.
    var expectedReplies: Int? { entries.first?.replyCount }

    mutating func submit(_ request: Request, replyCount: Int, deadline: NIODeadline?) -> Submission {
        guard state == .open else { return .refuse }
        // The first of a burst goes out alone and at once; the others gather until the loop's tick ends.
        let flushNow = entries.isEmpty
        entries.append(Entry(request: request, replyCount: replyCount, deadline: deadline))
        return .write(flushNow: flushNow)
    }

    /// Everything submitted so far was handed to the operating system.
    mutating func flushed() { flushedCount = entries.count }

    /// All replies to the oldest request have come.
    mutating func answered() -> Answer {
        guard state != .closed, let entry = entries.popFirst() else { return .unsolicited }
        flushedCount = max(0, flushedCount - 1)
        return .deliver(entry.request, close: state == .draining && !isWaitedFor)
    }

    /// The requests that somebody waits for.
    var requests: some Sequence<Request> { entries.lazy.compactMap(\.request) }

    /// Gives up on requests whose time is over by `now`.
    ///
    /// - Parameter extend: the deadline of a request as it is by now, out of the one that it was submitted with.
    mutating func expire(
        now: NIODeadline,
        extend: (Request, NIODeadline) -> NIODeadline = { _, deadline in deadline }
    ) -> Expiry {
        var result = Expiry()
        guard state != .closed else { return result }
        for index in entries.indices {
            guard let first = entries[index].deadline, let request = entries[index].request else { continue }
            let deadline = extend(request, first)
            if deadline <= now {
                result.expired.append(request)
                entries[index].request = nil
            } else {
                result.next = min(result.next ?? deadline, deadline)
            }
        }
        if !result.expired.isEmpty { result.close = drain() }
        return result
    }

    /// Takes no more requests. Returns whether nobody waits, so that the connection can be closed now.
    mutating func drain() -> Bool {
        if state == .open { state = .draining }
        return state == .draining && !isWaitedFor
    }

    /// The connection is closed. Returns the requests without an answer.
    mutating func close() -> Remains {
        var remains = Remains()
        guard state != .closed else { return remains }
        state = .closed
        for (position, entry) in entries.enumerated() {
            guard let request = entry.request else { continue }
            if position < flushedCount {
                remains.unanswered.append(request)
            } else {
                remains.unwritten.append(request)
            }
        }
        entries.removeAll()
        flushedCount = 0
        return remains
    }

    private var isWaitedFor: Bool { entries.contains { $0.request != nil } }
}
