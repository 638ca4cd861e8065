internal import Logging
internal import NIOCore
internal import Synchronization

/// What a client does on its event loop: one shared connection, connections of their own, and who waits for them.
///
/// `@unchecked Sendable`: everything that changes is touched on `eventLoop` only, save `inbox`, which has a lock.
final class ClientCore: @unchecked Sendable {
    typealias Continuation = UnsafeContinuation<RedisReplies, any Error>

    let configuration: RedisConfiguration
    let eventLoop: any EventLoop
    let executor: LoopExecutor
    /// The configuration's command timeout, as NIO wants it.
    let commandTimeout: TimeAmount
    let logger: Logger

    /// Requests from other threads; whoever puts the first one in wakes the event loop.
    private let inbox = Mutex<[(request: PendingRequest, continuation: Continuation)]>([])

    // On the event loop only.
    let connector: Connector
    private(set) var link = LinkStateMachine<ConnectionHandler, PendingRequest>()
    private var waitTimer: Scheduled<Void>?
    /// Every open connection, the shared one too.
    private var open: [ObjectIdentifier: ConnectionHandler] = [:]
    private var dedicated: Set<ObjectIdentifier> = []
    var following = Following()
    /// Attempts to make a dedicated connection.
    private var connecting = 0
    private(set) var isShutDown = false
    private var shutdownWaiters: [() -> Void] = []

    init(_ configuration: RedisConfiguration, eventLoop: any EventLoop, logger: Logger) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.logger = logger
        executor = LoopExecutor(eventLoop)
        commandTimeout = TimeAmount(configuration.commandTimeout)
        connector = Connector(configuration, on: executor)
    }

    // MARK: Requests on the shared connection

    /// Takes a request from any thread.
    func submit(_ request: PendingRequest, _ continuation: Continuation) {
        if eventLoop.inEventLoop {
            begin(request, continuation)
            return
        }
        let isFirst = inbox.withLock { inbox in
            inbox.append((request, continuation))
            return inbox.count == 1
        }
        if isFirst { eventLoop.execute { self.emptyInbox() } }
    }

    /// The task that waits for the request was cancelled.
    func cancel(_ request: PendingRequest) {
        eventLoop.execute { request.cancel() }
    }

    private func emptyInbox() {
        let submitted = inbox.withLock { inbox in
            let submitted = inbox
            inbox.removeAll(keepingCapacity: false)
            return submitted
        }
        let all = { [self] in for (request, continuation) in submitted { begin(request, continuation) } }
        if let connection = link.connection { connection.gather(all) } else { all() }
    }

    private func begin(_ request: PendingRequest, _ continuation: Continuation) {
        guard request.begin(.continuation(continuation), now: eventLoop.now) else { return }
        if isShutDown {
            request.fail(RedisError(.shutdown, "the client was shut down"))
        } else {
            route(request)
        }
    }

    /// Sends a request that has begun, or lets it wait for a connection.
    func route(_ request: PendingRequest) {
        switch link.submit(request) {
        case .send(let connection):
            if connection.submit(request) {
                if connector.followsMaster { watchSilence(of: connection) }
            } else {
                // It just became unusable, and says so later.
                sharedLost(connection, unsent: [request])
            }
        case .wait(let connect):
            if connect { connectShared() }
            watchWaiting()
        }
    }

    // MARK: The shared connection

    private func connectShared() {
        connector.connect { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let connection): sharedConnected(connection)
            case .failure(let error): sharedFailed(error)
            }
        }
    }

    private func sharedConnected(_ connection: ConnectionHandler) {
        if link.failures > 0 {
            let address = configuration.addressDescription
            logger.notice("connected again", metadata: ["redis": "\(address)", "server": "\(connection.endpoint)"])
        }
        connection.onDrain = { [weak self, unowned connection] in self?.sharedLost(connection, unsent: []) }
        adopt(connection) { [weak self, unowned connection] remains in
            self?.sharedLost(connection, unsent: remains.unwritten)
        }
        if connector.followsMaster { startFollowing() }
        let waiting = link.connected(connection)
        connection.gather { for request in waiting where request.isWaitedFor { route(request) } }
        // What still leads elsewhere leads to a former master.
        for other in open.values where other.endpoint != connection.endpoint && isDedicated(other) {
            other.close(RedisError(.connectionClosed, "\(other.endpoint) is no longer the master"))
        }
        if isShutDown { finishShutdown() }
    }

    private func isDedicated(_ connection: ConnectionHandler) -> Bool {
        dedicated.contains(ObjectIdentifier(connection))
    }

    private func sharedFailed(_ error: RedisError) {
        if link.failures == 0 {
            logger.warning(
                "no connection",
                metadata: ["redis": "\(configuration.addressDescription)", "error": "\(error)"]
            )
        }
        let outcome = link.connectFailed(error)
        let rest = configuration.backoff.delay(afterFailures: link.failures)
        eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(rest)) { [weak self] in
            guard let self else { return }
            dropAbandoned()
            if link.restIsOver() { connectShared() }
        }
        if case .fail(let requests) = outcome {
            for request in requests { request.fail(error) }
        }
        if isShutDown { finishShutdown() }
    }

    private func sharedLost(_ connection: ConnectionHandler, unsent: [PendingRequest]) {
        if link.lost(connection, unsent: unsent) { connectShared() }
        if let other = link.connection, other !== connection {
            // Another has taken its place already.
            let waiting = link.takeWaiting()
            other.gather { for request in waiting where request.isWaitedFor { route(request) } }
        }
        watchWaiting()
    }

    /// Puts another connection in the place of the shared one, which leads to a former master.
    func replaceShared(_ former: ConnectionHandler, by connection: ConnectionHandler) {
        logger.notice(
            "the master has moved",
            metadata: ["redis": "\(configuration.addressDescription)", "server": "\(connection.endpoint)"]
        )
        sharedLost(former, unsent: [])
        sharedConnected(connection)
        former.close(RedisError(.connectionClosed, "\(former.endpoint) is no longer the master"))
    }

    // MARK: Waiting for the shared connection

    /// Nobody is kept waiting for a connection longer than its timeout.
    private func watchWaiting() {
        guard waitTimer == nil, let next = link.waiters.lazy.compactMap(\.deadline).min() else { return }
        waitTimer = eventLoop.assumeIsolated().scheduleTask(deadline: next) { [weak self] in
            guard let self else { return }
            waitTimer = nil
            let now = eventLoop.now
            let address = configuration.addressDescription
            let error = link.lastError ?? RedisError(.timeout, "no connection to \(address) in time")
            dropAbandoned()
            for request in link.takeWaiting(where: { $0.deadline.map { $0 <= now } ?? false }) { request.fail(error) }
            watchWaiting()
        }
    }

    private func dropAbandoned() { _ = link.takeWaiting { !$0.isWaitedFor } }

    // MARK: All connections

    private func adopt(_ connection: ConnectionHandler, onClose: @escaping (ConnectionHandler.Machine.Remains) -> Void)
    {
        let id = ObjectIdentifier(connection)
        open[id] = connection
        // Without sentinels a name may lead to another server by now; but if not, there is no need to hurry.
        connection.outdatedFrom = eventLoop.now + (connector.followsMaster ? .zero : .seconds(1))
        connection.silence = commandTimeout
        connection.onOverdue = { [weak self, unowned connection] in self?.rescue(connection, $0) }
        connection.onClose = { [weak self] remains, reason in
            var lost = reason
            lost.mayHaveExecuted = true
            for request in remains.unanswered { request.fail(lost) }
            guard let self else {
                for request in remains.unwritten { request.fail(reason) }
                return
            }
            logger.debug("connection closed", metadata: ["redis": "\(reason)"])
            open[id] = nil
            dedicated.remove(id)
            onClose(remains)
            if isShutDown { finishShutdown() }
        }
    }

    /// A connection of one's own, for `completion`, on the event loop.
    func connectDedicated(_ completion: @escaping Connector.Completion) {
        guard !isShutDown else { return completion(.failure(RedisError(.shutdown, "the client was shut down"))) }
        // The shared connection counts, whether it is there or not.
        guard dedicated.count + connecting + 1 < max(configuration.maximumConnections, 2) else {
            let limit = configuration.maximumConnections
            return completion(.failure(RedisError(.tooManyConnections, "all \(limit) connections are in use")))
        }
        connecting += 1
        connector.connect { [weak self] result in
            self?.connecting -= 1
            guard let self, case .success(let connection) = result else { return completion(result) }
            dedicated.insert(ObjectIdentifier(connection))
            adopt(connection) { remains in
                let error = RedisError(.connectionClosed, "the connection was closed")
                for request in remains.unwritten { request.fail(error) }
            }
            if let shared = link.connection, shared.endpoint != connection.endpoint { lookForMaster(beside: shared) }
            completion(result)
            if isShutDown { connection.close(RedisError(.shutdown, "the client was shut down")) }
        }
    }

    // MARK: Shutdown

    /// Closes everything; `completion` is called when it is closed. Requests in flight are answered first.
    func shutdown(_ completion: @escaping () -> Void) {
        shutdownWaiters.append(completion)
        guard !isShutDown else { return finishShutdown() }
        isShutDown = true
        following.watch?.close()
        let error = RedisError(.shutdown, "the client was shut down")
        for request in link.takeWaiting() { request.fail(error) }
        for id in dedicated {
            guard let connection = open[id] else { continue }
            wake(connection) { connection.close(error) }
        }
        finishShutdown()
    }

    private func finishShutdown() {
        // Waking a blocked connection needs the shared one, so that goes last.
        if dedicated.isEmpty {
            for connection in open.values { connection.drain() }
        }
        guard open.isEmpty else { return }
        let waiters = shutdownWaiters
        shutdownWaiters = []
        for waiter in waiters { waiter() }
    }
}
