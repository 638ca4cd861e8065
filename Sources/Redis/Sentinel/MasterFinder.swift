internal import NIOCore

/// The I/O of one search for the master: asks the sentinels, and dials whom they name.
///
/// Not Sendable: it lives on the client's event loop. It lives as long as the search.
final class MasterFinder {
    typealias Dial = (Endpoint, NIODeadline, @escaping Connector.Completion) -> Void

    private enum Bound {
        /// How long the first sentinel's answer waits for the others'.
        static let patience = TimeAmount.milliseconds(100)
        /// How long a server may take that a sentinel names: it may be the one that is gone.
        static let attempt = TimeAmount.seconds(1)
    }

    private let sentinels: RedisSentinels
    private let dialer: Dialer
    private let eventLoop: any EventLoop
    private let deadline: NIODeadline
    private var search: MasterSearch<Endpoint>
    private var connection: ConnectionHandler?
    private var dial: Dial?
    private var completion: Connector.Completion?

    init(_ sentinels: RedisSentinels, dialer: Dialer, eventLoop: any EventLoop, deadline: NIODeadline) {
        self.sentinels = sentinels
        self.dialer = dialer
        self.eventLoop = eventLoop
        self.deadline = deadline
        search = MasterSearch(service: sentinels.service, sentinels: sentinels.hosts.count)
    }

    /// Finds the master and connects to it with `dialing`; calls `completion` once, on the event loop.
    func find(dialing dial: @escaping Dial, _ completion: @escaping Connector.Completion) {
        self.dial = dial
        self.completion = completion
        guard !sentinels.hosts.isEmpty else { return perform(search.patienceIsOver()) }
        let question = SentinelQuestion(sentinels)
        // Enough is left for the master, whatever a sentinel does that does not answer.
        let answerDeadline = eventLoop.now + TimeAmount.nanoseconds((deadline - eventLoop.now).nanoseconds / 2)
        for host in sentinels.hosts {
            dialer.dial(
                .host(host.name, port: host.port),
                words: question.batch,
                by: answerDeadline,
                evaluate: question.evaluate
            ) { [self] result in
                switch result {
                case .success((let handler, let answer)):
                    handler.close(RedisError(.connectionClosed, "the sentinel has answered"))
                    perform(search.answered(answer))
                case .failure(let error): perform(search.answered(.failed(error)))
                }
            }
        }
    }

    private func perform(_ action: MasterSearch<Endpoint>.Action) {
        switch action {
        case .wait: break
        case .bePatient:
            eventLoop.assumeIsolated().scheduleTask(in: Bound.patience) { [self] in perform(search.patienceIsOver()) }
        case .dial(let endpoint):
            connection?.close(RedisError(.connectionClosed, "a sentinel names a later master"))
            connection = nil
            dial?(endpoint, min(deadline, eventLoop.now + Bound.attempt)) { [self] result in
                switch result {
                case .success(let handler):
                    connection = handler
                    perform(search.connected())
                case .failure(let error): perform(search.failed(error))
                }
            }
        case .done:
            if let connection { finish(.success(connection)) }
        case .fail(let error): finish(.failure(error))
        }
    }

    private func finish(_ result: Result<ConnectionHandler, RedisError>) {
        let completion = completion
        (self.completion, dial, connection) = (nil, nil, nil)
        completion?(result)
    }
}
