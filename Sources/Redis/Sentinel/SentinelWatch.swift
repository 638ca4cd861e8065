internal import NIOCore

/// Listens to what the sentinels announce, so that a client leaves a former master although that still answers: after an
/// orderly failover it takes writes for ten seconds, which are lost.
///
/// Not Sendable: it lives on the client's event loop.
final class SentinelWatch {
    /// The waits between attempts to reach a sentinel: there is no hurry, because one of them suffices.
    private static let backoff = RedisBackoff(minimum: .milliseconds(100), maximum: .seconds(10))

    private let sentinels: RedisSentinels
    private let dialer: Dialer
    private let eventLoop: any EventLoop
    private let connectTimeout: TimeAmount
    private var connections: [ObjectIdentifier: ConnectionHandler] = [:]
    private var isClosed = false
    /// Called when the master may be another.
    private var onSwitch: (() -> Void)?

    init(_ sentinels: RedisSentinels, dialer: Dialer, eventLoop: any EventLoop, connectTimeout: TimeAmount) {
        self.sentinels = sentinels
        self.dialer = dialer
        self.eventLoop = eventLoop
        self.connectTimeout = connectTimeout
    }

    /// Subscribes at every sentinel, and again where that breaks, until ``close()``.
    func start(_ onSwitch: @escaping () -> Void) {
        self.onSwitch = onSwitch
        for host in sentinels.hosts { subscribe(host, failures: 0) }
    }

    /// Ends all subscriptions.
    func close() {
        isClosed = true
        onSwitch = nil
        for connection in connections.values {
            connection.close(RedisError(.shutdown, "the client was shut down"))
        }
    }

    /// - Parameter failures: attempts in a row that failed, a subscription that broke included.
    private func subscribe(_ host: RedisSentinels.Host, failures: Int) {
        var words = RedisBatch()
        let loginCount = words.appendLogin(user: sentinels.username, password: sentinels.password) ? 1 : 0
        words.append("SUBSCRIBE", "+switch-master")
        dialer.dial(
            .host(host.name, port: host.port),
            words: words,
            by: eventLoop.now + connectTimeout,
            evaluate: { replies in
                guard replies.count > loginCount, replies[loginCount].elements?.first?.string == "subscribe" else {
                    return .failure(replies.firstError ?? RedisError(.unexpectedReply, "no subscription"))
                }
                return .success(())
            },
            completion: { [weak self] (result: Result<(ConnectionHandler, Void), RedisError>) in
                guard let self, !isClosed else {
                    if case .success((let connection, _)) = result {
                        connection.close(RedisError(.shutdown, "the client was shut down"))
                    }
                    return
                }
                switch result {
                case .success((let connection, _)): listen(connection, at: host, wasLost: failures > 0)
                case .failure: subscribeLater(host, failures: failures + 1)
                }
            }
        )
    }

    private func listen(_ connection: ConnectionHandler, at host: RedisSentinels.Host, wasLost: Bool) {
        connections[ObjectIdentifier(connection)] = connection
        connection.onPush = { [weak self] reply in
            guard let self, let parts = reply.elements, parts.count == 3 else { return }
            // The service, its former master's address and port, the new one's.
            let service = parts[2].string?.split(separator: " ").dropLast(4).joined(separator: " ")
            if service == sentinels.service { onSwitch?() }
        }
        connection.onClose = { [weak self, unowned connection] _, _ in
            self?.connections[ObjectIdentifier(connection)] = nil
            self?.subscribeLater(host, failures: 1)
        }
        // What was announced meanwhile was missed.
        if wasLost { onSwitch?() }
    }

    private func subscribeLater(_ host: RedisSentinels.Host, failures: Int) {
        guard !isClosed else { return }
        let rest = TimeAmount(Self.backoff.delay(afterFailures: failures))
        eventLoop.assumeIsolated().scheduleTask(in: rest) { [weak self] in
            guard let self, !isClosed else { return }
            subscribe(host, failures: failures)
        }
    }
}
