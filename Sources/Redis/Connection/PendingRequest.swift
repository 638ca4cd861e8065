internal import NIOCore

/// A batch on its way, and who waits for its replies.
///
/// `@unchecked Sendable`: what can change is only touched on the client's event loop; until a request is submitted
/// there, nobody but its creator has a reference that touches it.
final class PendingRequest: @unchecked Sendable {
    /// Where the outcome goes. An unsafe continuation, because `finish` is the only place that resumes it, and takes
    /// it away first.
    enum Completion {
        case continuation(UnsafeContinuation<RedisReplies, any Error>)
        case callback((Result<RedisReplies, any Error>) -> Void)
    }

    /// The encoded commands.
    let payload: ByteBuffer
    /// How many replies the commands have.
    let replyCount: Int
    /// How long it may wait for a connection, and then how long that may be silent; nil for ever.
    let timeout: TimeAmount?
    /// How long it may take in all; nil for as long as bytes move.
    let limit: TimeAmount?
    /// After how long the missing reply is suspicious; nil for never.
    let patience: TimeAmount?

    /// When it was submitted.
    private(set) var submitted = NIODeadline.distantFuture
    /// When its time is over, unless bytes move meanwhile; set when it is submitted.
    var deadline: NIODeadline?
    /// When its time is over in any case; set when it is submitted.
    private var end: NIODeadline?
    /// When its missing reply becomes suspicious; set when it is submitted.
    var overdue: NIODeadline?
    /// Who waits; nil before the submission and after the outcome.
    private var completion: Completion?
    /// Whether the task that waits was cancelled before its request was submitted.
    private var isCancelled = false

    init(
        payload: ByteBuffer,
        replyCount: Int,
        timeout: TimeAmount?,
        limit: TimeAmount? = nil,
        patience: TimeAmount? = nil
    ) {
        self.payload = payload
        self.replyCount = replyCount
        self.timeout = timeout
        self.limit = limit
        self.patience = patience
    }

    /// Whether somebody waits for the outcome.
    var isWaitedFor: Bool { completion != nil }

    /// Takes the request's continuation, and starts its time. False if it was cancelled meanwhile; it is finished then.
    func begin(_ completion: Completion, now: NIODeadline) -> Bool {
        self.completion = completion
        submitted = now
        deadline = timeout.map { now + $0 }
        end = limit.map { now + $0 }
        overdue = patience.map { now + $0 }
        guard isCancelled else { return true }
        finish(.failure(CancellationError()))
        return false
    }

    /// When its time is over, now that bytes have moved; never before `deadline`.
    ///
    /// - Parameter allowance: how much longer the server may be silent because much was written to it.
    func deadline(_ deadline: NIODeadline, lastProgress: NIODeadline, allowance: TimeAmount) -> NIODeadline {
        let silent = timeout.map { max(deadline, lastProgress + $0) + allowance } ?? deadline
        return end.map { min(silent, $0) } ?? silent
    }

    /// The task that waits was cancelled: nobody waits any more. What was written still runs, and its replies are
    /// dropped.
    func cancel() {
        isCancelled = true
        finish(.failure(CancellationError()))
    }

    /// Hands over the outcome; only the first counts.
    func finish(_ result: Result<RedisReplies, any Error>) {
        guard let completion else { return }
        self.completion = nil
        switch completion {
        case .continuation(let continuation): continuation.resume(with: result)
        case .callback(let callback): callback(result)
        }
    }

    func fail(_ error: RedisError) { finish(.failure(error)) }
}
