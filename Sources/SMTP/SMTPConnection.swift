internal import NIOCore
internal import NIOSSL
internal import Transport

/// One dialogue with a submission server. One caller at a time.
///
/// Mirrors `smtplib.SMTP`. Every step is bounded: a command and its whole reply, which are small, by the options' timeout; a message by
/// silence, so that a slow connection carries a large one, and by a slowest rate in all. A step that fails but for the server's refusal
/// leaves the connection closed.
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
    func nextReply(at step: SMTPError.Step, within limit: Duration? = nil) async throws(SMTPError) -> SMTPReply {
        let (channel, handler) = (channel, handler)
        let reply = try await take(step, limit) {
            try await channel.eventLoop.flatSubmit { handler.value.nextReply(channel.eventLoop) }.get()
        }
        if reply.code == 421 { close() }
        return reply.hiding(secrets)
    }

    /// Writes, and waits until the socket has taken all.
    ///
    /// - Throws: with ``SMTPError/mayBeDelivered`` when it took all, but too late.
    func write(_ bytes: ByteBuffer, at step: SMTPError.Step, within limit: Duration) async throws(SMTPError) {
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.writeAndFlush(bytes, promise: promise)
        let written = promise.futureResult
        do throws(SMTPError) {
            try await take(step, limit) { try await written.get() }
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
        let (channel, handler, server) = (channel, handler, server)
        do {
            try await channel.eventLoop.submit {
                guard !handler.value.hasEarlyReply else {
                    throw SMTPError(.invalidReply, at: .startTLS, "the server spoke between STARTTLS and TLS")
                }
                let tls = try Self.tlsHandler(context, server)
                try channel.pipeline.syncOperations.addHandler(tls, position: .first)
            }.get()
        } catch {
            close()
            throw SMTPError(transport: error)
        }
    }

    static func tlsHandler(_ context: NIOSSLContext, _ server: SMTPServer) throws -> NIOSSLClientHandler {
        try TLSPolicy.clientHandler(context, host: server.host, checksName: server.verification == .full)
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
