internal import NIOCore
package import NIOSSL

/// What every TLS client of this package demands of a server: TLS 1.2 or later, as Python's `ssl` does by default, and a certificate whose
/// entries of the right kind name the host.
package enum TLSPolicy {
    /// A client configuration without the protocol versions before TLS 1.2.
    package static func clientConfiguration() -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }

    /// A handler for a connection to `host`.
    ///
    /// NIOSSL compares the connected address with the certificate even when a name was asked for, so that a certificate for an address
    /// would be good for every name that resolves to it. A name is therefore compared once more, with the DNS entries only. An address is
    /// compared by NIOSSL with the address entries only.
    ///
    /// - Parameters:
    ///   - host: a name or an address; nil or empty where there is neither, such as for a unix socket.
    ///   - checksName: whether the certificate must name the host. The context must verify certificates then.
    package static func clientHandler(
        _ context: NIOSSLContext,
        host: String?,
        checksName: Bool
    ) throws -> NIOSSLClientHandler {
        guard let host, !host.isEmpty, !isAddress(host) else {
            return try NIOSSLClientHandler(context: context, serverHostname: nil)
        }
        guard checksName else { return try NIOSSLClientHandler(context: context, serverHostname: host) }
        return try NIOSSLClientHandler._makeSSLClientHandler(
            context: context,
            serverHostname: host,
            additionalPeerCertificateVerificationCallback: { certificate, channel in
                names(certificate, host)
                    ? channel.eventLoop.makeSucceededVoidFuture()
                    : channel.eventLoop.makeFailedFuture(NIOSSLExtraError.failedToValidateHostname)
            }
        )
    }

    /// Whether TLS failed because client and server share no protocol version.
    package static func isVersionRefusal(_ error: any Error) -> Bool { isVersionRefusal("\(error)") }

    /// The same of an error's description.
    package static func isVersionRefusal(_ description: String) -> Bool {
        description.contains("UNSUPPORTED_PROTOCOL") || description.contains("PROTOCOL_VERSION")
    }

    /// What an operator reads then.
    package static let versionRefusal = "the server does not speak TLS 1.2 or later"

    private static func isAddress(_ host: String) -> Bool { (try? SocketAddress(ipAddress: host, port: 0)) != nil }

    // MARK: Names

    private static func names(_ certificate: NIOSSLCertificate, _ host: String) -> Bool {
        let entries = certificate._subjectAlternativeNames()
        // Without any entry NIOSSL has compared the subject's common name, as Python does.
        guard !entries.isEmpty else { return true }
        return entries.contains { entry in
            entry.nameType == .dnsName && matches(host, pattern: String(decoding: entry.contents, as: UTF8.self))
        }
    }

    /// Whether a DNS entry of a certificate is for this host: the same name, or one with `*` in the place of the first label. Mirrors what
    /// OpenSSL does for Python.
    package static func matches(_ host: String, pattern: String) -> Bool {
        let (host, pattern) = (canonical(host), canonical(pattern))
        guard !host.isEmpty, pattern.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return false }
        if host == pattern { return true }
        guard pattern.hasPrefix("*."), let dot = host.firstIndex(of: "."), dot > host.startIndex else { return false }
        let rest = pattern.dropFirst()
        // `*.org` would be for half of the world.
        return rest.dropFirst().contains(".") && host[dot...] == rest
    }

    /// In small letters, without the dot of the root.
    private static func canonical(_ name: String) -> String {
        let name = name.lowercased()
        return name.hasSuffix(".") ? String(name.dropLast()) : name
    }
}
