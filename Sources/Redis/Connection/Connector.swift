internal import NIOCore

/// Makes connections to the configured server, or to the master that sentinels know.
///
/// Not Sendable: it lives on the client's event loop.
final class Connector {
    typealias Completion = (Result<ConnectionHandler, RedisError>) -> Void

    private let configuration: RedisConfiguration
    private let dialer: Dialer
    private let eventLoop: any EventLoop
    private let handshake: Handshake

    /// Whether the server may be another one the next time.
    let followsMaster: Bool

    init(_ configuration: RedisConfiguration, on executor: LoopExecutor) {
        self.configuration = configuration
        eventLoop = executor.eventLoop
        dialer = Dialer(configuration, on: executor)
        if case .sentinels = configuration.address { followsMaster = true } else { followsMaster = false }
        handshake = Handshake(configuration, verifyingMaster: followsMaster)
    }

    /// Makes one attempt, and calls `completion` once, on the event loop.
    func connect(_ completion: @escaping Completion) {
        let deadline = eventLoop.now + TimeAmount(configuration.connectTimeout)
        switch configuration.address {
        case .host(let host, let port): dial(.host(host, port: port), by: deadline, completion)
        case .unixSocket(let path): dial(.unixSocket(path: path), by: deadline, completion)
        case .sentinels(let sentinels):
            let finder = MasterFinder(sentinels, dialer: dialer, eventLoop: eventLoop, deadline: deadline)
            finder.find(
                dialing: { [self] endpoint, deadline, completion in dial(endpoint, by: deadline, completion) },
                completion
            )
        }
    }

    /// A watch over the sentinels' announcements; nil where there are no sentinels.
    func makeWatch() -> SentinelWatch? {
        guard case .sentinels(let sentinels) = configuration.address else { return nil }
        let timeout = TimeAmount(configuration.connectTimeout)
        return SentinelWatch(sentinels, dialer: dialer, eventLoop: eventLoop, connectTimeout: timeout)
    }

    private func dial(_ endpoint: Endpoint, by deadline: NIODeadline, _ completion: @escaping Completion) {
        dialer.dial(endpoint, words: handshake.batch, by: deadline, evaluate: handshake.evaluate) { result in
            completion(
                result.map { handler, clientID in
                    handler.clientID = clientID
                    return handler
                }
            )
        }
    }
}
