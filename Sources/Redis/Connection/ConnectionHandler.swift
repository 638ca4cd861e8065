internal import NIOCore
internal import NIOSSL
internal import Transport

/// The I/O of one connection: writes what the state machine accepts, feeds the parser, and runs the one timer.
///
/// Not Sendable: it lives on its channel's event loop.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    typealias Machine = ConnectionStateMachine<PendingRequest>

    /// Batches up to this size are copied into one buffer; larger ones are written as they are.
    static let gatheredSize = 8 * 1024

    /// The server's number for this connection; 0 if it would not tell.
    var clientID = 0
    /// Called once, when the connection takes no more requests but some are still unanswered.
    var onDrain: (() -> Void)?
    /// Called once, when the connection is closed, with what was not answered and the reason.
    var onClose: ((Machine.Remains, RedisError) -> Void)?
    /// Called when the oldest request's replies are overdue.
    var onOverdue: ((PendingRequest) -> Void)?
    /// How long the bytes of a reply that has begun may pause before that is suspicious.
    var silence = TimeAmount.seconds(5)
    /// Takes replies that nobody asked for, once the connection has subscribed to something.
    var onPush: ((RedisReply) -> Void)?
    /// From when on the server's word that it is no master makes the connection useless. Before, another would hardly
    /// be better, and connections would only come and go.
    var outdatedFrom: NIODeadline?
    /// How many requests were answered.
    private(set) var answeredCount = 0
    /// Whether it is closed, for other threads to read.
    let closedFlag = Flag()

    /// Sees all bytes of the connection, those of TLS too.
    let meter = ProgressMeter()
    /// Where it leads.
    let endpoint: Endpoint
    private let executor: LoopExecutor
    private let parser: ReplyParser
    private var machine = Machine()
    private var context: ChannelHandlerContext?
    private var outgoing = ByteBuffer()
    private var isFlushScheduled = false
    private var isGathering = false
    private var timer: Scheduled<Void>?
    private var timerDeadline: NIODeadline?
    private var overdueTimer: Scheduled<Void>?
    private var closeReason: RedisError?

    init(endpoint: Endpoint, executor: LoopExecutor, limits: ReplyLimits = ReplyLimits()) {
        self.endpoint = endpoint
        self.executor = executor
        parser = ReplyParser(limits: limits)
    }

    /// The time of its event loop.
    var now: NIODeadline { context?.eventLoop.now ?? .now() }

    /// The oldest request that has no replies yet.
    var oldestRequest: PendingRequest? { machine.oldest }

    /// Whether requests have no replies yet.
    var isBusy: Bool { machine.inFlight > 0 }

    /// When bytes last came, or were taken of a large write.
    var lastProgress: NIODeadline { meter.lastProgress }

    /// Whether bytes have moved since the oldest request was submitted: its replies are on their way.
    var isReceiving: Bool { machine.oldest.map { lastProgress > $0.submitted } ?? false }

    // MARK: Requests

    /// Sends a request that has begun. False if the connection does not take it.
    func submit(_ request: PendingRequest) -> Bool {
        guard let context, closeReason == nil else { return false }
        switch machine.submit(request, replyCount: request.replyCount, deadline: request.deadline) {
        case .refuse: return false
        case .write(let flushNow):
            if let deadline = request.deadline { setTimer(deadline, context) }
            if let overdue = request.overdue { watch(until: overdue, context) }
            let isFlushed = flushNow && !isGathering
            write(request.payload, context, copying: !isFlushed)
            if isFlushed { flush(context) } else { scheduleFlush(context) }
            return true
        }
    }

    /// Runs `body`, and flushes once what it submits.
    func gather(_ body: () -> Void) {
        let isOutermost = !isGathering
        isGathering = true
        body()
        guard isOutermost else { return }
        isGathering = false
        if let context, machine.hasUnflushed { flush(context) }
    }

    /// Takes no more requests, and closes once those in flight are answered.
    func drain() {
        if machine.drain() { close(RedisError(.connectionClosed, "the connection to \(endpoint) was closed")) }
    }

    /// Closes at once.
    func close(_ reason: RedisError) {
        closeReason = closeReason ?? reason
        context?.close(promise: nil)
    }

    private func write(_ payload: ByteBuffer, _ context: ChannelHandlerContext, copying: Bool) {
        if copying && payload.readableBytes <= Self.gatheredSize {
            outgoing.writeImmutableBuffer(payload)
        } else {
            writeGathered(context)
            context.write(wrapOutboundOut(payload), promise: nil)
        }
    }

    private func writeGathered(_ context: ChannelHandlerContext) {
        guard outgoing.readableBytes > 0 else { return }
        context.write(wrapOutboundOut(outgoing), promise: nil)
        // The bytes just handed over are NIO's until they are sent; usually that is done when the flush returns.
        outgoing.moveReaderIndex(to: outgoing.writerIndex)
    }

    private func flush(_ context: ChannelHandlerContext) {
        machine.flushed()
        writeGathered(context)
        context.flush()
        outgoing.clear()
    }

    private func scheduleFlush(_ context: ChannelHandlerContext) {
        guard !isFlushScheduled, !isGathering else { return }
        isFlushScheduled = true
        context.eventLoop.assumeIsolated().execute { [self] in
            isFlushScheduled = false
            if let context = self.context { flush(context) }
        }
    }

    // MARK: The timer

    private func setTimer(_ deadline: NIODeadline, _ context: ChannelHandlerContext) {
        if let timerDeadline, timerDeadline <= deadline { return }
        timer?.cancel()
        timerDeadline = deadline
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in timeIsOver() }
    }

    private func timeIsOver() {
        timer = nil
        timerDeadline = nil
        guard let context else { return }
        let wasOpen = machine.isOpen
        let unanswered = machine.requests.reduce(0) { $0 + $1.payload.readableBytes }
        let allowance = TimeAmount(TransferAllowance.time(forBytes: unanswered))
        let lastProgress = lastProgress
        let expiry = machine.expire(now: context.eventLoop.now) { request, deadline in
            request.deadline(deadline, lastProgress: lastProgress, allowance: allowance)
        }
        if let next = expiry.next { setTimer(next, context) }
        if wasOpen && !machine.isOpen && !expiry.close { onDrain?() }
        for request in expiry.expired {
            request.fail(RedisError(.timeout, "no reply from \(endpoint) in time", mayHaveExecuted: true))
        }
        if expiry.close { close(RedisError(.timeout, "no reply from \(endpoint) in time")) }
    }

    /// Watches for overdue replies. One timer for many requests: it looks what is oldest when it fires.
    private func watch(until overdue: NIODeadline, _ context: ChannelHandlerContext) {
        guard overdueTimer == nil else { return }
        overdueTimer = context.eventLoop.assumeIsolated().scheduleTask(deadline: overdue) { [self] in
            overdueTimer = nil
            guard let context = self.context, let oldest = machine.oldest, oldest.isWaitedFor,
                let overdue = oldest.overdue
            else { return }
            let due = isReceiving ? max(overdue, lastProgress + silence) : overdue
            if due <= context.eventLoop.now { onOverdue?(oldest) } else { watch(until: due, context) }
        }
    }

    /// Watches again for overdue replies, because bytes came meanwhile.
    func watchAgain() {
        if let context { watch(until: lastProgress + silence, context) }
    }

    // MARK: ChannelInboundHandler

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { closed() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        // The tasks that get their replies here send their next commands together.
        gather { executor.run(after: { read(buffer) }) }
    }

    private func read(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty, closeReason == nil {
                parser.feed(UnsafeRawBufferPointer(rebasing: rest.prefix(ReplyParser.feedSize)))
                rest = rest.dropFirst(ReplyParser.feedSize)
                deliver()
            }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        closed()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(RedisError(.connectionClosed, "\(endpoint): \(describe(error))"))
    }

    private func deliver() {
        while closeReason == nil {
            if machine.expectedReplies == nil {
                if parser.isIdle { return }
                guard onPush != nil else { return violated("a reply that nobody asked for") }
            }
            switch parser.next(count: machine.expectedReplies ?? 1) {
            case .incomplete:
                if let refusal = parser.protocolErrorOfUnfinishedBatch { refuseOldest(refusal) }
                return
            case .failed(let error): violated(error.message)
            case .complete(let replies) where machine.expectedReplies == nil: onPush?(replies[0])
            case .complete(let replies):
                guard case .deliver(let request, let close) = machine.answered() else { return }
                answeredCount &+= 1
                if replies.containsError(where: \.isOfFormerMaster) { leaveFormerMaster() }
                request?.finish(.success(replies))
                if close { self.close(RedisError(.connectionClosed, "the connection to \(endpoint) was closed")) }
            }
        }
    }

    /// The server hangs up because of the oldest request, and would because of it again; the others may be sent anew.
    private func refuseOldest(_ error: RedisError) {
        guard case .deliver(let request, _) = machine.answered() else { return }
        request?.fail(error)
        close(RedisError(.connectionClosed, "\(endpoint) closed the connection: \(error.message)"))
    }

    private func leaveFormerMaster() {
        guard let outdatedFrom, outdatedFrom <= now, machine.isOpen else { return }
        if machine.drain() {
            close(RedisError(.connectionClosed, "\(endpoint) is no master"))
        } else {
            onDrain?()
        }
    }

    private func violated(_ reason: String) {
        close(RedisError(.protocolError, "\(endpoint): \(reason)"))
    }

    private func closed() {
        guard context != nil else { return }
        context = nil
        timer?.cancel()
        timer = nil
        overdueTimer?.cancel()
        overdueTimer = nil
        closedFlag.set()
        let lastWords = parser.firstErrorOfUnfinishedBatch.map { ": " + $0 } ?? ""
        let reason = closeReason ?? RedisError(.connectionClosed, "\(endpoint) closed the connection" + lastWords)
        let remains = machine.close()
        let onClose = onClose
        self.onClose = nil
        onDrain = nil
        onOverdue = nil
        onPush = nil
        onClose?(remains, reason)
    }
}
