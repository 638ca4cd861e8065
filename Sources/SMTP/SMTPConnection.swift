internal import NIOCore
internal import NIOSSL

/// One dialogue with a submission server. One caller at a time.
///
/// Mirrors `smtplib.SMTP`. Every step is bounded by the options' timeout; a step that fails but for the server's refusal leaves the
/// connection closed.
package actor SMTPConnection {
    package let server: SMTPServer
    let options: SMTPOptions
    let channel: any Channel
    private let handler: NIOLoopBound<SMTPHandler>
    /// What the server's EHLO lists, by names in small letters.
    var features: [String: String] = [:]
    /// What no reply may show, should the server repeat it.
    var secrets: [String] = []
    /// Whether another message can be sent.
    package private(set) var isUsable = true

    init(_ server: SMTPServer, _ options: SMTPOptions, _ channel: any Channel, _ handler: NIOLoopBound<SMTPHandler>) {
        self.server = server
        self.options = options
        self.channel = channel
        self.handler = handler
    }

    /// Whether the server has closed its end.
    package nonisolated var isOpen: Bool { channel.isActive }

    // MARK: Steps

    /// Sends a command and returns the reply, whatever it is.
    func command(
        _ text: String,
        at step: SMTPError.Step,
        within limit: Duration? = nil
    ) async throws(SMTPError) -> SMTPReply {
        guard !text.utf8.contains(where: { $0 < 0x20 || $0 >= 0x7F }) else {
            throw SMTPError(.invalidCommand, at: step, "what is to be sent has characters that SMTP does not carry")
        }
        let line = ByteBuffer(string: text + "\r\n")
        let (channel, handler) = (channel, handler)
        let reply = try await take(step, limit) {
            try await channel.eventLoop.flatSubmit { handler.value.exchange(line, channel.eventLoop) }.get()
        }
        if reply.code == 421 { close() }
        return reply.hiding(secrets)
    }

    /// Waits for what the server says next.
    func nextReply(at step: SMTPError.Step) async throws(SMTPError) -> SMTPReply {
        let (channel, handler) = (channel, handler)
        let reply = try await take(step) {
            try await channel.eventLoop.flatSubmit { handler.value.nextReply(channel.eventLoop) }.get()
        }
        if reply.code == 421 { close() }
        return reply.hiding(secrets)
    }

    /// Writes, and waits until the socket has taken all.
    ///
    /// - Throws: with ``SMTPError/mayBeDelivered`` when it took all, but too late.
    func write(_ bytes: ByteBuffer, at step: SMTPError.Step) async throws(SMTPError) {
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.writeAndFlush(bytes, promise: promise)
        let written = promise.futureResult
        do throws(SMTPError) {
            try await take(step) { try await written.get() }
        } catch {
            var error = error
            // The channel is closed, so that this is decided by now, or at once.
            error.mayBeDelivered = (try? await written.get()) != nil
            throw error
        }
    }

    private func take<Value: Sendable>(
        _ step: SMTPError.Step,
        _ limit: Duration? = nil,
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws(SMTPError) -> Value {
        let channel = channel
        do {
            return try await bounded(
                by: limit ?? options.timeout,
                on: options.clock,
                abandon: { channel.close(promise: nil) },
                work
            )
        } catch {
            close()
            throw SMTPError(transport: error).at(step)
        }
    }

    /// Puts TLS under the dialogue. What the server has said in the clear beyond its reply is an attack, or nonsense.
    func beginTLS() async throws(SMTPError) {
        let context = try await options.tlsContexts.context(for: server)
        let (channel, handler, host) = (channel, handler, server.host)
        do {
            try await channel.eventLoop.submit {
                guard !handler.value.hasEarlyReply else {
                    throw SMTPError(.invalidReply, at: .startTLS, "the server spoke between STARTTLS and TLS")
                }
                let tls = try Self.tlsHandler(context, host)
                try channel.pipeline.syncOperations.addHandler(tls, position: .first)
            }.get()
        } catch {
            close()
            throw SMTPError(transport: error)
        }
    }

    static func tlsHandler(_ context: NIOSSLContext, _ host: String) throws -> NIOSSLClientHandler {
        // The name for SNI must not be an address; an address is compared with those in the certificate.
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host)
    }

    // MARK: The end

    /// Closes at once.
    package func close() {
        isUsable = false
        channel.close(promise: nil)
    }

    /// Says QUIT, waits a moment for the reply, and closes.
    package func quit() async {
        if isUsable { _ = try? await command("QUIT", at: .quit, within: min(options.timeout, .seconds(2))) }
        close()
    }
}
