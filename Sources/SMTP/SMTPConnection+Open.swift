internal import NIOCore
internal import NIOPosix
internal import NIOSSL

extension SMTPConnection {
    /// Connects, and does all that comes before the first message: TLS, greeting, EHLO, STARTTLS, login.
    ///
    /// Mirrors `smtplib.SMTP(host, port)`, `ehlo`, `starttls` and `login`; where EHLO is refused HELO is tried.
    package static func open(
        _ server: SMTPServer,
        credentials: SMTPCredentials?,
        options: SMTPOptions
    ) async throws(SMTPError) -> SMTPConnection {
        let connection = try await connect(server, options)
        do throws(SMTPError) {
            try await connection.begin(credentials)
            return connection
        } catch {
            // A server that said no is told goodbye; one that hangs is not.
            if error.code == .refused { await connection.quit() } else { await connection.close() }
            throw error
        }
    }

    private func begin(_ credentials: SMTPCredentials?) async throws(SMTPError) {
        let greeting = try await nextReply(at: .greeting)
        guard greeting.code == 220 else { throw .refused(at: .greeting, greeting) }
        try await hello()
        if server.security == .startTLS {
            guard features["starttls"] != nil else {
                throw SMTPError(.noStartTLS, at: .startTLS, "the server does not offer STARTTLS")
            }
            let reply = try await command("STARTTLS", at: .startTLS)
            guard reply.code == 220 else { throw .refused(at: .startTLS, reply) }
            try await beginTLS()
            // What was said in the clear counts no more.
            features = [:]
            try await hello()
        }
        if let credentials { try await logIn(credentials) }
    }

    private func hello() async throws(SMTPError) {
        let reply = try await command("EHLO \(options.localName)", at: .hello)
        if reply.code == 250 {
            features = Self.features(reply)
            return
        }
        // As in Python, another yes is one, too, but tells no extensions.
        guard !(200...299).contains(reply.code) else { return }
        guard (500...599).contains(reply.code) else { throw .refused(at: .hello, reply) }
        let second = try await command("HELO \(options.localName)", at: .hello)
        guard (200...299).contains(second.code) else { throw .refused(at: .hello, second) }
    }

    /// The extensions in a reply to EHLO, as `smtplib.SMTP.ehlo` reads them, `AUTH=` of old servers included.
    static func features(_ reply: SMTPReply) -> [String: String] {
        var features: [String: String] = [:]
        for line in reply.lines.dropFirst() {
            if line.lowercased().hasPrefix("auth=") {
                features["auth", default: ""] += " " + line.dropFirst(5)
                continue
            }
            let name = line.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
            guard let first = name.first, first != "-" else { continue }
            let rest = line.dropFirst(name.count).drop { $0 == " " }
            if name.lowercased() == "auth" {
                features["auth", default: ""] += " " + rest
            } else {
                features[name.lowercased()] = String(rest)
            }
        }
        return features
    }

    // MARK: The socket

    private static func connect(_ server: SMTPServer, _ options: SMTPOptions) async throws(SMTPError) -> SMTPConnection
    {
        guard !server.host.isEmpty, !server.host.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
            throw SMTPError(.connectFailed, at: .connect, "there is no such host")
        }
        guard (1...65535).contains(server.port) else {
            throw SMTPError(.connectFailed, at: .connect, "there is no port \(server.port)")
        }
        var context: NIOSSLContext?
        if server.security == .implicitTLS { context = try await options.tlsContexts.context(for: server) }
        let eventLoop = options.eventLoopGroup.next()
        let connected = eventLoop.makePromise(of: SMTPConnection.self)
        let tls = context
        do {
            return try await bounded(
                by: options.timeout,
                on: options.clock,
                abandon: { connected.fail(TimeLimitExceeded()) }
            ) {
                try start(server, options, tls, eventLoop, connected)
                return try await connected.futureResult.get()
            }
        } catch {
            // A promise that was never kept would be an error of its own.
            connected.fail(error)
            throw SMTPError(transport: error).at(.connect)
        }
    }

    private static func start(
        _ server: SMTPServer,
        _ options: SMTPOptions,
        _ tls: NIOSSLContext?,
        _ eventLoop: any EventLoop,
        _ connected: EventLoopPromise<SMTPConnection>
    ) throws {
        guard let bootstrap = ClientBootstrap(validatingGroup: eventLoop) else {
            throw SMTPError(.connectFailed, at: .connect, "the event loop group is not one of NIOPosix")
        }
        bootstrap
            // The promise has the time; a socket need not outlive it by much.
            .connectTimeout(TimeAmount(options.timeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(tlsHandler(tls, server)) }
                    try pipeline.addHandler(SMTPHandler())
                }
            }
            .connect(host: server.host, port: server.port)
            .flatMapThrowing { channel in
                let handler = try channel.pipeline.syncOperations.handler(type: SMTPHandler.self)
                let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
                // Too late: nobody wants it any more.
                connected.futureResult.whenFailure { _ in channel.close(promise: nil) }
                return SMTPConnection(server, options, channel, bound)
            }
            .cascade(to: connected)
    }
}
