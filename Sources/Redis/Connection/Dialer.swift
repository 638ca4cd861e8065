internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Transport

/// Makes one connection to a place that is known: socket, TLS, first words.
///
/// Not Sendable: it lives on the client's event loop.
final class Dialer {
    typealias Completion<Value> = (Result<(ConnectionHandler, Value), RedisError>) -> Void

    /// How long one try to open a TCP connection lasts before the next begins. The kernel asks a host that does not
    /// answer after 1, 3, 7 … seconds; asking anew finds a host that is back within this time.
    private static let tryDuration = TimeAmount.seconds(1)
    /// How many times the usual limit a handshake may take whose bytes come slowly.
    private static let handshakeFactor: Int64 = 4

    private let configuration: RedisConfiguration
    private let executor: LoopExecutor
    private var tlsContext: NIOSSLContext?

    private var eventLoop: any EventLoop { executor.eventLoop }

    init(_ configuration: RedisConfiguration, on executor: LoopExecutor) {
        self.configuration = configuration
        self.executor = executor
    }

    /// Connects, sends `words` and lets `evaluate` judge the replies; calls `completion` once, on the event loop.
    ///
    /// The connection must be open by `deadline`. TLS and the replies may take as long again without a byte, and that four times in all: a
    /// slow connection is one nevertheless, but a handshake is small.
    func dial<Value>(
        _ endpoint: Endpoint,
        words: RedisBatch,
        by deadline: NIODeadline,
        evaluate: @escaping (RedisReplies) -> Result<Value, RedisError>,
        completion: @escaping Completion<Value>
    ) {
        let handler = ConnectionHandler(endpoint: endpoint, executor: executor)
        let attempt: EventLoopFuture<any Channel>
        do {
            attempt = try open(handler, by: deadline)
        } catch {
            return completion(.failure(failure(error, endpoint)))
        }
        attempt.assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success: shakeHands(handler, words, deadline, evaluate, completion)
            case .failure(ChannelError.connectTimeout) where eventLoop.now < deadline:
                dial(endpoint, words: words, by: deadline, evaluate: evaluate, completion: completion)
            case .failure(let error): completion(.failure(failure(error, endpoint)))
            }
        }
    }

    private func open(_ handler: ConnectionHandler, by deadline: NIODeadline) throws -> EventLoopFuture<any Channel> {
        guard let bootstrap = ClientBootstrap(validatingGroup: eventLoop) else {
            throw RedisError(.connectFailed, "the event loop group is not one of NIOPosix")
        }
        let tls = try makeTLSContext()
        let checksName = configuration.tls.map { $0.checksHostname && $0.certificateRequirement != .none } ?? false
        let host = handler.endpoint.host
        let handler = NIOLoopBound(handler, eventLoop: eventLoop)
        let prepared =
            bootstrap
            .connectTimeout(min(Self.tryDuration, max(deadline - eventLoop.now, .milliseconds(1))))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(handler.value.meter)
                    if let tls {
                        try pipeline.addHandler(TLSPolicy.clientHandler(tls, host: host, checksName: checksName))
                    }
                    try pipeline.addHandler(handler.value)
                }
            }
        switch handler.value.endpoint {
        case .host(let host, let port):
            guard (1...65535).contains(port) else { throw RedisError(.connectFailed, "there is no port \(port)") }
            return prepared.channelOption(.tcpOption(.tcp_nodelay), value: 1).keepingAlive()
                .connect(host: host, port: port)
        case .unixSocket(let path):
            return prepared.connect(unixDomainSocketPath: path)
        }
    }

    /// The context, made once: reading certificates takes long.
    private func makeTLSContext() throws -> NIOSSLContext? {
        guard let tls = configuration.tls else { return nil }
        if let tlsContext { return tlsContext }
        let context = try NIOSSLContext.make(tls)
        tlsContext = context
        return context
    }

    private func shakeHands<Value>(
        _ handler: ConnectionHandler,
        _ words: RedisBatch,
        _ deadline: NIODeadline,
        _ evaluate: @escaping (RedisReplies) -> Result<Value, RedisError>,
        _ completion: @escaping Completion<Value>
    ) {
        let now = eventLoop.now
        let rest = deadline - now
        let request = PendingRequest(
            payload: words.buffer,
            replyCount: words.count,
            timeout: rest,
            limit: min(rest, .hours(24)) * Self.handshakeFactor
        )
        handler.onClose = { remains, reason in
            for request in remains.unanswered + remains.unwritten { request.fail(reason) }
        }
        let isBegun = request.begin(
            .callback { [self] result in
                handler.onClose = nil
                switch result.mapError({ $0 as? RedisError ?? RedisError(.connectFailed, "\($0)") }).flatMap(evaluate) {
                case .success(let value): completion(.success((handler, value)))
                case .failure(let error):
                    handler.close(error)
                    completion(.failure(failure(error, handler.endpoint)))
                }
            },
            now: now
        )
        if isBegun, !handler.submit(request) {
            request.fail(RedisError(.connectFailed, "the server closed the connection"))
        }
    }

    /// What a failed attempt is to the caller: a refused login, or no connection.
    private func failure(_ error: any Error, _ endpoint: Endpoint) -> RedisError {
        if let error = error as? RedisError {
            switch error.code {
            case .authenticationFailed, .server: return error
            default: break
            }
        }
        return RedisError(.connectFailed, "cannot connect to \(endpoint): \(describe(error))")
    }
}

extension ClientBootstrap {
    /// Lets the kernel notice within ten seconds that the other host is gone, so that nobody waits for its replies.
    fileprivate func keepingAlive() -> ClientBootstrap {
        let bootstrap = channelOption(.socketOption(.so_keepalive), value: 1)
        #if os(Linux)
            // TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT.
            return bootstrap.channelOption(.tcpOption(.init(rawValue: 4)), value: 5)
                .channelOption(.tcpOption(.init(rawValue: 5)), value: 1)
                .channelOption(.tcpOption(.init(rawValue: 6)), value: 5)
        #else
            return bootstrap
        #endif
    }
}
