internal import NIOCore

extension ClientCore {
    /// Ends what a connection is blocked in, with `CLIENT UNBLOCK` on the shared connection, and calls `completion`
    /// when the request that is in flight now has its outcome.
    ///
    /// The server ignores `CLIENT UNBLOCK` for a client that does not block yet, so it is repeated. A server that does
    /// not react, or does not let us, costs the connection after the command timeout.
    func wake(_ connection: ConnectionHandler, completion: @escaping () -> Void) {
        guard let request = connection.oldestRequest, request.isWaitedFor else { return completion() }
        let deadline = eventLoop.now + commandTimeout
        wake(connection, request, pause: .microseconds(100), deadline: deadline, completion)
    }

    private func wake(
        _ connection: ConnectionHandler,
        _ request: PendingRequest,
        pause: TimeAmount,
        deadline: NIODeadline,
        _ completion: @escaping () -> Void
    ) {
        guard request.isWaitedFor else { return completion() }
        let now = eventLoop.now
        guard now < deadline, connection.clientID != 0 else {
            connection.close(RedisError(.connectionClosed, "the blocked connection could not be woken"))
            // `close` may be delayed by the channel's own callbacks; the request's outcome comes with it.
            return completion()
        }
        var batch = RedisBatch()
        batch.append("CLIENT", "UNBLOCK", RedisArgument(connection.clientID))
        let command = PendingRequest(payload: batch.buffer, replyCount: 1, timeout: deadline - now)
        let isBegun = command.begin(
            .callback { [self] result in
                let refused = (try? result.get().first?.error) != nil
                let next = min(pause * 4, .milliseconds(100))
                eventLoop.assumeIsolated().scheduleTask(in: pause) {
                    self.wake(connection, request, pause: next, deadline: refused ? now : deadline, completion)
                }
            },
            now: now
        )
        if isBegun { route(command) }
    }
}
