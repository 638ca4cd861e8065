internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// Makes connections: socket, TLS, handshake.
///
/// Not Sendable: it lives on the client's event loop.
final class Connector {
    typealias Completion = (Result<ConnectionHandler, RedisError>) -> Void

    private let configuration: RedisConfiguration
    private let executor: LoopExecutor
    private let handshake: Handshake
    private var tlsContext: NIOSSLContext?

    private var eventLoop: any EventLoop { executor.eventLoop }

    init(_ configuration: RedisConfiguration, on executor: LoopExecutor) {
        self.configuration = configuration
        self.executor = executor
        handshake = Handshake(configuration)
    }

    /// Makes one attempt, and calls `completion` once, on the event loop.
    func connect(_ completion: @escaping Completion) {
        let deadline = eventLoop.now + TimeAmount(configuration.connectTimeout)
        let handler = ConnectionHandler(peer: configuration.addressDescription, executor: executor)
        let attempt: EventLoopFuture<any Channel>
        do {
            attempt = try open(handler)
        } catch {
            completion(.failure(failure(error)))
            return
        }
        attempt.assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success: shakeHands(handler, deadline, completion)
            case .failure(let error): completion(.failure(failure(error)))
            }
        }
    }

    private func open(_ handler: ConnectionHandler) throws -> EventLoopFuture<any Channel> {
        guard let bootstrap = ClientBootstrap(validatingGroup: eventLoop) else {
            throw RedisError(.connectFailed, "the event loop group is not one of NIOPosix")
        }
        let tls = try tlsContext(for: configuration)
        let handler = NIOLoopBound(handler, eventLoop: eventLoop)
        let name = serverName
        let prepared =
            bootstrap
            .connectTimeout(TimeAmount(configuration.connectTimeout))
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name))
                    }
                    try pipeline.addHandler(handler.value)
                }
            }
        switch configuration.address {
        case .host(let host, let port):
            guard (1...65535).contains(port) else { throw RedisError(.connectFailed, "there is no port \(port)") }
            return prepared.channelOption(.tcpOption(.tcp_nodelay), value: 1).connect(host: host, port: port)
        case .unixSocket(let path):
            return prepared.connect(unixDomainSocketPath: path)
        }
    }

    private func shakeHands(_ handler: ConnectionHandler, _ deadline: NIODeadline, _ completion: @escaping Completion) {
        let now = eventLoop.now
        let request = PendingRequest(
            payload: handshake.batch.buffer,
            replyCount: handshake.batch.count,
            timeout: deadline - now
        )
        handler.onClose = { remains, reason in
            for request in remains.unanswered + remains.unwritten { request.fail(reason) }
        }
        let isBegun = request.begin(
            .callback { [self] result in
                switch result.mapError({ $0 as? RedisError ?? RedisError(.connectFailed, "\($0)") })
                    .flatMap(handshake.evaluate)
                {
                case .success(let clientID):
                    handler.clientID = clientID
                    handler.onClose = nil
                    completion(.success(handler))
                case .failure(let error):
                    handler.onClose = nil
                    handler.close(error)
                    completion(.failure(failure(error)))
                }
            },
            now: now
        )
        if isBegun, !handler.submit(request) {
            request.fail(RedisError(.connectFailed, "the server closed the connection"))
        }
    }

    /// What a failed attempt is to the caller: a refused login, or no connection.
    private func failure(_ error: any Error) -> RedisError {
        if let error = error as? RedisError {
            switch error.code {
            case .authenticationFailed, .server: return error
            default: break
            }
        }
        return RedisError(
            .connectFailed,
            "cannot connect to \(configuration.addressDescription): \(describe(error))"
        )
    }
}

// MARK: - TLS

extension Connector {
    /// The name for SNI, which must not be an address.
    private var serverName: String? {
        guard case .host(let host, _) = configuration.address else { return nil }
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return isAddress || host.isEmpty ? nil : host
    }

    /// The context, made once: reading certificates takes long.
    private func tlsContext(for configuration: RedisConfiguration) throws -> NIOSSLContext? {
        guard let tls = configuration.tls else { return nil }
        if let tlsContext { return tlsContext }
        do {
            let context = try NIOSSLContext(configuration: TLSConfiguration(tls))
            tlsContext = context
            return context
        } catch let error as RedisError {
            throw error
        } catch {
            throw RedisError(.connectFailed, "the TLS options cannot be used: \(error)")
        }
    }
}

extension TLSConfiguration {
    /// The same as what redis-py's `SSLConnection` makes of its options.
    fileprivate init(_ tls: RedisTLSConfiguration) throws {
        self = .makeClientConfiguration()
        certificateVerification =
            switch tls.certificateRequirement {
            case .none: .none
            case .optional, .required: tls.checksHostname ? .fullVerification : .noHostnameVerification
            }
        if let file = tls.certificateAuthorityFile {
            additionalTrustRoots.append(.certificates(try NIOSSLCertificate.fromPEMFile(file)))
        }
        if let directory = tls.certificateAuthorityDirectory { additionalTrustRoots.append(.file(directory)) }
        if let data = tls.certificateAuthorityData {
            additionalTrustRoots.append(.certificates(try NIOSSLCertificate.fromPEMBytes(Array(data.utf8))))
        }
        if let certificates = tls.certificateFile {
            certificateChain = try NIOSSLCertificate.fromPEMFile(certificates).map { .certificate($0) }
        }
        if let file = tls.privateKeyFile ?? tls.certificateFile {
            privateKey = .privateKey(try Self.privateKey(file, password: tls.privateKeyPassword))
        }
        if let ciphers = tls.cipherSuites { cipherSuites = ciphers }
        switch tls.minimumVersion {
        case nil: break
        case 0x0301: minimumTLSVersion = .tlsv1
        case 0x0302: minimumTLSVersion = .tlsv11
        case 0x0303: minimumTLSVersion = .tlsv12
        case 0x0304: minimumTLSVersion = .tlsv13
        default: throw RedisError(.connectFailed, "there is no such TLS version")
        }
    }

    private static func privateKey(_ file: String, password: String?) throws -> NIOSSLPrivateKey {
        guard let password else { return try NIOSSLPrivateKey(file: file, format: .pem) }
        return try NIOSSLPrivateKey(file: file, format: .pem) { setter in setter(Array(password.utf8)) }
    }
}
