internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Transport

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

extension SMTPError {
    /// What went wrong below SMTP, in the words that an operator expects. The step is the caller's to set.
    init(transport error: any Error) {
        switch error {
        case let error as SMTPError: self = error
        case is CancellationError: self.init(.cancelled, at: .connect, "cancelled")
        case is TimeLimitExceeded: self.init(.timeout, at: .connect, "no answer in time")
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            self.init(.untrustedCertificate, at: .tls, "the server's certificate names another host")
        case let error as NIOSSLError: self.init(tls: "\(error)")
        case let error as BoringSSLError: self.init(tls: "\(error)")
        case let error as NIOSSLExtraError: self.init(tls: "\(error)")
        case let error as NIOConnectionError: self.init(.connectFailed, at: .connect, Self.describe(error))
        case let error as IOError: self.init(.closed, at: .connect, Self.describe(error))
        case ChannelError.connectTimeout: self.init(.timeout, at: .connect, "no connection in time")
        case is ChannelError: self.init(.closed, at: .connect, "the connection was closed")
        default: self.init(.connectFailed, at: .connect, "\(error)")
        }
    }

    private init(tls text: String) {
        if TLSPolicy.isVersionRefusal(text) {
            self.init(.tlsFailed, at: .tls, "no TLS: " + TLSPolicy.versionRefusal)
        } else if text.contains("CERTIFICATE_VERIFY_FAILED") {
            self.init(.untrustedCertificate, at: .tls, "the server's certificate is not trusted")
        } else if text.contains("uncleanShutdown") || text.contains("eofDuringHandshake") {
            self.init(.closed, at: .tls, "the server closed the connection")
        } else {
            self.init(.tlsFailed, at: .tls, "no TLS: \(text)")
        }
    }

    private static func describe(_ error: NIOConnectionError) -> String {
        var reasons: [String] = []
        for failure in error.connectionErrors {
            let reason =
                switch failure.error {
                case let error as IOError: describe(error)
                case ChannelError.connectTimeout: "no connection in time"
                default: "\(failure.error)"
                }
            if !reasons.contains(reason) { reasons.append(reason) }
        }
        return reasons.isEmpty ? "the host's name is not known" : reasons.joined(separator: "; ")
    }

    private static func describe(_ error: IOError) -> String {
        let text = String(cString: strerror(error.errnoCode))
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    /// The same, at this step. What is known of TLS keeps its own.
    func at(_ step: Step) -> SMTPError {
        var error = self
        switch code {
        case .untrustedCertificate, .tlsFailed: break
        default: error.step = step
        }
        return error
    }
}
