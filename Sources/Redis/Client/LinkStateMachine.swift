internal import NIOCore

/// The connection that all commands of a client share: whether it is there, and who waits for it. Pure: it does no
/// I/O and knows no clock.
struct LinkStateMachine<Connection: AnyObject, Request> {
    enum Submission {
        /// Send it on this connection.
        case send(Connection)
        /// It waits for a connection; whether an attempt to connect must begin.
        case wait(connect: Bool)
    }

    enum Failure {
        /// Another attempt would end the same way: these fail now.
        case fail([Request])
        /// Try again later.
        case wait
    }

    private enum State {
        case disconnected
        case connecting
        case connected(Connection)
        /// After a failed attempt, until the next.
        case resting
    }

    private var state = State.disconnected
    private var waiting = CircularBuffer<Request>()

    /// Failed attempts in a row.
    private(set) var failures = 0
    /// Why the last attempt failed, until one succeeds.
    private(set) var lastError: RedisError?

    /// The connection, if it is there.
    var connection: Connection? {
        if case .connected(let connection) = state { connection } else { nil }
    }

    mutating func submit(_ request: Request) -> Submission {
        switch state {
        case .connected(let connection): return .send(connection)
        case .disconnected:
            state = .connecting
            waiting.append(request)
            return .wait(connect: true)
        case .connecting, .resting:
            waiting.append(request)
            return .wait(connect: false)
        }
    }

    /// An attempt succeeded. Returns what waited, to be sent.
    mutating func connected(_ connection: Connection) -> [Request] {
        state = .connected(connection)
        failures = 0
        lastError = nil
        return takeWaiting()
    }

    /// An attempt failed; a rest follows.
    mutating func connectFailed(_ error: RedisError) -> Failure {
        state = .resting
        failures += 1
        lastError = error
        return error.isTransient ? .wait : .fail(takeWaiting())
    }

    /// The rest after a failed attempt is over. Returns whether to try again: only if somebody waits.
    mutating func restIsOver() -> Bool {
        guard case .resting = state else { return false }
        return reconnect()
    }

    /// The connection takes no more requests, or is closed; `unsent` was submitted to it and never written. Returns
    /// whether an attempt to connect must begin.
    mutating func lost(_ lost: Connection, unsent: [Request]) -> Bool {
        for request in unsent.reversed() { waiting.prepend(request) }
        if case .connected(let connection) = state, connection === lost { state = .disconnected }
        guard case .disconnected = state else { return false }
        return reconnect()
    }

    /// Removes and returns everything that waits.
    mutating func takeWaiting() -> [Request] {
        defer { waiting.removeAll() }
        return Array(waiting)
    }

    /// Removes and returns what waits and is `over`.
    mutating func takeWaiting(where isOver: (Request) -> Bool) -> [Request] {
        let over = waiting.filter(isOver).map { $0 }
        waiting.removeAll(where: isOver)
        return over
    }

    /// Everything that waits, oldest first.
    var waiters: some Sequence<Request> { waiting }

    private mutating func reconnect() -> Bool {
        state = waiting.isEmpty ? .disconnected : .connecting
        return !waiting.isEmpty
    }
}
