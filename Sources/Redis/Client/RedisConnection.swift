internal import NIOCore

/// A connection of one's own, for commands that block it. Made by ``RedisClient/connect()``; it does not reconnect.
public final class RedisConnection: Sendable {
    let client: RedisClient
    let handler: NIOLoopBound<ConnectionHandler>
    private let closedFlag: Flag

    /// The server's number for this connection (`CLIENT ID`); 0 if the server would not tell.
    public let clientID: Int

    init(_ handler: ConnectionHandler, client: RedisClient) {
        self.client = client
        self.handler = NIOLoopBound(handler, eventLoop: client.core.eventLoop)
        closedFlag = handler.closedFlag
        clientID = handler.clientID
    }

    deinit {
        let handler = handler
        client.core.eventLoop.execute { handler.value.close(RedisConnection.closedByUs) }
    }

    /// Whether the connection is closed, by either side.
    public var isClosed: Bool { closedFlag.isSet }

    /// Sends a batch and waits for its replies.
    ///
    /// Cancelling the task wakes the connection (``unblock()``), and the replies are still awaited, because a message
    /// that was popped at the last moment is in them. A wait that cannot be woken ends with the connection.
    ///
    /// - Parameter timeout: how long the connection may be silent; nil for ever. After it the connection is closed, for its state is unknown.
    /// - Throws: ``RedisError``; `CancellationError` if the task was cancelled before anything was sent.
    public func execute(_ batch: RedisBatch, timeout: Duration?) async throws -> RedisReplies {
        guard let request = try PendingRequest(batch, timeout: timeout.map { TimeAmount($0) }) else { return .none }
        return try await execute(request)
    }

    /// Sends a batch whose commands end by themselves after at most `wait`, such as `BRPOP`, and waits for its replies.
    ///
    /// When they are overdue by a second, or have begun and stopped for the command timeout, the server is asked over the client's shared connection. As long as it does
    /// not answer there either, the replies are waited for: a server that was only stopped sends what it popped. Once it
    /// answers there and not here, the connection is broken, and is closed.
    ///
    /// - Throws: ``RedisError``; `CancellationError` if the task was cancelled before anything was sent.
    public func execute(_ batch: RedisBatch, blockingFor wait: Duration) async throws -> RedisReplies {
        let patience = TimeAmount(wait) + .seconds(1)
        guard let request = try PendingRequest(batch, timeout: nil, patience: patience) else { return .none }
        return try await execute(request)
    }

    private func execute(_ request: PendingRequest) async throws -> RedisReplies {
        let core = client.core, handler = handler
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { (continuation: ClientCore.Continuation) in
                if core.eventLoop.inEventLoop {
                    Self.submit(request, continuation, handler)
                } else {
                    core.eventLoop.execute { Self.submit(request, continuation, handler) }
                }
            }
        } onCancel: {
            core.eventLoop.execute {
                if request.isWaitedFor {
                    core.wake(handler.value) {}
                } else {
                    request.cancel()
                }
            }
        }
    }

    private static func submit(
        _ request: PendingRequest,
        _ continuation: ClientCore.Continuation,
        _ handler: NIOLoopBound<ConnectionHandler>
    ) {
        guard request.begin(.continuation(continuation), now: handler.value.now) else { return }
        if !handler.value.submit(request) { request.fail(closedByUs) }
    }

    /// Wakes the connection from a blocking command, with `CLIENT UNBLOCK` on the client's shared connection: a
    /// blocking pop then returns nil. Returns when the command that was in flight has its outcome.
    public func unblock() async {
        let core = client.core, handler = handler
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            core.eventLoop.execute { core.wake(handler.value) { continuation.resume() } }
        }
    }

    /// Closes the connection. What is in flight fails; call ``unblock()`` first to lose nothing.
    public func close() async {
        let core = client.core, handler = handler
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            core.eventLoop.execute {
                handler.value.close(Self.closedByUs)
                core.eventLoop.execute { continuation.resume() }
            }
        }
    }

    private static let closedByUs = RedisError(.connectionClosed, "the connection is closed")
}
