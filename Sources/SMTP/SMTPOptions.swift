package import NIOCore

/// What all connections of a client share.
package struct SMTPOptions: Sendable {
    /// How the client names itself in EHLO; see ``LocalName``.
    package var localName: String
    /// How long each step of the dialogue may take: connecting, TLS, a command and its reply; and how long the server may take no byte of a
    /// message.
    package var timeout: Duration
    package var clock: any Clock<Duration>
    package var eventLoopGroup: any EventLoopGroup
    package var tlsContexts: TLSContexts

    package init(
        localName: String,
        timeout: Duration = .seconds(10),
        clock: any Clock<Duration> = ContinuousClock(),
        eventLoopGroup: any EventLoopGroup,
        tlsContexts: TLSContexts = TLSContexts()
    ) {
        self.localName = localName
        self.timeout = timeout
        self.clock = clock
        self.eventLoopGroup = eventLoopGroup
        self.tlsContexts = tlsContexts
    }
}
