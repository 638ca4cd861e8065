internal import NIOCore

extension ClientCore {
    /// Ends what a connection is blocked in, with `CLIENT UNBLOCK` on the shared connection, and calls `completion`
    /// when the request that is in flight now has its outcome.
    ///
    /// The server ignores `CLIENT UNBLOCK` for a client that does not block yet, so it is repeated. A server that does
    /// not react costs the connection after the command timeout. Where it does not let us, the command is waited out.
    func wake(_ connection: ConnectionHandler, completion: @escaping () -> Void) {
        guard let request = connection.oldestRequest, request.isWaitedFor else { return completion() }
        guard connection.clientID != 0 else { return waitOut(connection, request, completion) }
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
        // A reply that is on its way has been popped: it is waited for as long as its bytes come.
        let isComing = connection.isReceiving && now < connection.lastProgress + commandTimeout
        guard isComing || now < deadline else { return giveUpWaking(connection, completion) }
        var batch = RedisBatch()
        batch.append("CLIENT", "UNBLOCK", RedisArgument(connection.clientID))
        let command = PendingRequest(
            payload: batch.buffer,
            replyCount: 1,
            timeout: max(deadline - now, .milliseconds(100))
        )
        let isBegun = command.begin(
            .callback { [self] result in
                if (try? result.get().first?.error) != nil { return waitOut(connection, request, completion) }
                let next = min(pause * 4, .milliseconds(100))
                eventLoop.assumeIsolated().scheduleTask(in: pause) {
                    self.wake(connection, request, pause: next, deadline: deadline, completion)
                }
            },
            now: now
        )
        if isBegun { route(command) }
    }

    /// Waits for the end of a blocking command that we may not end: closed before, the connection could take a message with it that the
    /// server has just popped. A command without an end costs the connection.
    private func waitOut(
        _ connection: ConnectionHandler,
        _ request: PendingRequest,
        _ completion: @escaping () -> Void
    ) {
        guard request.isWaitedFor else { return completion() }
        guard request.patience != nil else { return giveUpWaking(connection, completion) }
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(10)) {
            self.waitOut(connection, request, completion)
        }
    }

    private func giveUpWaking(_ connection: ConnectionHandler, _ completion: () -> Void) {
        connection.close(RedisError(.connectionClosed, "the blocked connection could not be woken"))
        // `close` may be delayed by the channel's own callbacks; the request's outcome comes with it.
        completion()
    }

    /// Finds out why a blocking command's reply is overdue.
    ///
    /// As long as the server answers nobody it may just be stopped, and what it pops will come. If it answers others,
    /// and this connection stays silent, it is broken without knowing it, and is closed.
    func rescue(_ connection: ConnectionHandler, _ request: PendingRequest, failures: Int = 0) {
        guard request.isWaitedFor, !isShutDown else { return }
        let progress = connection.lastProgress
        var batch = RedisBatch()
        batch.append("PING")
        let question = PendingRequest(payload: batch.buffer, replyCount: 1, timeout: min(commandTimeout, .seconds(1)))
        let isBegun = question.begin(
            .callback { [weak self, weak connection] result in
                guard let self, let connection else { return }
                let isAlive = (try? result.get()) != nil
                let rest = configuration.backoff.delay(afterFailures: failures + 1)
                let pause = isAlive ? TimeAmount.milliseconds(500) : TimeAmount(rest)
                eventLoop.assumeIsolated().scheduleTask(in: pause) { [weak self] in
                    guard request.isWaitedFor else { return }
                    if connection.lastProgress > progress {
                        connection.watchAgain()
                    } else if isAlive {
                        connection.close(RedisError(.timeout, "no reply from \(connection.endpoint) in time"))
                    } else {
                        self?.rescue(connection, request, failures: failures + 1)
                    }
                }
            },
            now: eventLoop.now
        )
        if isBegun { route(question) }
    }
}
