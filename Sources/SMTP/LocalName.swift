internal import NIOPosix

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// How a client names itself in EHLO.
package enum LocalName {
    /// As `smtplib.SMTP` chooses it: `socket.getfqdn()` when that has a dot, otherwise the machine's IPv4 address in brackets.
    ///
    /// Asks the resolver, which may take long, on a thread of its own.
    package static func find() async -> String {
        await (try? NIOThreadPool.singleton.runIfActive { ask() }) ?? loopback
    }

    private static let loopback = "[127.0.0.1]"

    private static func ask() -> String {
        guard let name = hostname() else { return loopback }
        let known = canonicalName(of: name) ?? name
        if known.contains("."), isSafe(known) { return known }
        return address(of: name).map { "[\($0)]" } ?? loopback
    }

    private static func isSafe(_ name: String) -> Bool { name.utf8.allSatisfy { (33...126).contains($0) } }

    private static func hostname() -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress, gethostname(base, buffer.count - 1) == 0 else { return nil }
            buffer[buffer.count - 1] = 0
            return String(cString: base)
        }
    }

    /// The name that the host's own address has.
    private static func canonicalName(of name: String) -> String? {
        resolve(name, family: AF_UNSPEC) { address, length in nameInfo(address, length, NI_NAMEREQD) }
    }

    private static func address(of name: String) -> String? {
        resolve(name, family: AF_INET) { address, length in nameInfo(address, length, NI_NUMERICHOST) }
    }

    private static func resolve(
        _ name: String,
        family: Int32,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> String?
    ) -> String? {
        var hints = addrinfo()
        hints.ai_family = family
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0, let list else { return nil }
        defer { freeaddrinfo(list) }
        guard let address = list.pointee.ai_addr else { return nil }
        return body(address, list.pointee.ai_addrlen)
    }

    private static func nameInfo(_ address: UnsafePointer<sockaddr>, _ length: socklen_t, _ flags: Int32) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { buffer in
            guard let base = buffer.baseAddress,
                getnameinfo(address, length, base, socklen_t(buffer.count), nil, 0, flags) == 0
            else { return nil }
            return String(cString: base)
        }
    }
}
