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

/// An error of NIO in the words that an operator expects.
func describe(_ error: any Error) -> String {
    switch error {
    case let error as RedisError: error.message
    case let error as IOError: String(cString: strerror(error.errnoCode)).lowercasedFirst
    case let error as NIOConnectionError: describe(error)
    case ChannelError.connectTimeout(let amount):
        "no connection within \(Duration(amount))"
    case let error as SocketAddressError: describe(error)
    case let error as NIOSSLExtraError where error == .failedToValidateHostname:
        "the server's certificate names another host"
    case _ where TLSPolicy.isVersionRefusal(error): TLSPolicy.versionRefusal
    default: "\(error)"
    }
}

private func describe(_ error: NIOConnectionError) -> String {
    // All addresses of a name usually fail for one reason.
    var reasons: [String] = []
    for failure in error.connectionErrors {
        let reason = describe(failure.error)
        if !reasons.contains(reason) { reasons.append(reason) }
    }
    if reasons.isEmpty, error.dnsAError ?? error.dnsAAAAError != nil { return "the host's name is not known" }
    return reasons.joined(separator: "; ")
}

private func describe(_ error: SocketAddressError) -> String {
    switch error {
    case .unknown: "the host's name is not known"
    case .unixDomainSocketPathTooLong: "the socket's path is too long"
    default: "the address cannot be used"
    }
}

extension String {
    fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
