#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A URL taken apart as CPython's `urllib.parse` (3.13) does it: `urlparse`, `parse_qs` and the properties of
/// `ParseResult`, because redis-py's URLs are what these functions make of them.
struct PythonURL {
    let scheme: String
    let username: String?
    let password: String?
    /// The places in the authority: one, but for the schemes of sentinels, which list them with commas.
    let hosts: [(name: String?, port: Int?)]
    let path: String
    /// `parse_qs`, of each name only the first value, in the order of the URL.
    let query: [(name: String, value: String)]

    /// Takes a URL apart. Throws where `urlparse`, or reading `port` from its result, raises ValueError.
    init(_ text: String) throws(RedisError) {
        // bpo-43882: these are removed wherever they stand.
        var rest = Substring(
            String(String.UnicodeScalarView(text.unicodeScalars.filter { !"\t\r\n".unicodeScalars.contains($0) }))
        )
        guard let colon = rest.firstIndex(of: ":") else { throw Self.error("no scheme") }
        scheme = rest[..<colon].lowercased()
        rest = rest[rest.index(after: colon)...]
        var netloc = Substring()
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let end = rest.unicodeScalars.firstIndex { "/?#".unicodeScalars.contains($0) } ?? rest.endIndex
            netloc = rest[..<end]
            rest = rest[end...]
        }
        rest = rest.scalarPartition("#").before
        let (path, _, queryText) = rest.scalarPartition("?")
        self.path = String(path)
        query = Self.parseQuery(queryText)

        let (userinfo, haveUser, hostinfo) = netloc.scalarPartitionLast("@")
        if haveUser {
            let (name, havePassword, password) = userinfo.scalarPartition(":")
            username = String(name)
            self.password = havePassword ? String(password) : nil
        } else {
            username = nil
            password = nil
        }
        if scheme.hasSuffix("+sentinel") {
            hosts = try Self.parse(hosts: hostinfo)
        } else {
            try Self.check(netloc: netloc)
            hosts = [try Self.parse(host: hostinfo)]
        }
    }

    /// The first place's host, in small letters.
    var hostname: String? { hosts.first?.name }
    /// The first place's port.
    var port: Int? { hosts.first?.port }

    private static func parse(hosts: Substring) throws(RedisError) -> [(name: String?, port: Int?)] {
        var result: [(name: String?, port: Int?)] = []
        for part in hosts.unicodeScalars.split(separator: ",", omittingEmptySubsequences: false) {
            try check(netloc: Substring(part))
            result.append(try parse(host: Substring(part)))
        }
        return result
    }

    private static func parse(host hostinfo: Substring) throws(RedisError) -> (name: String?, port: Int?) {
        let (_, haveBracket, bracketed) = hostinfo.scalarPartition("[")
        var host: Substring
        var port: Substring
        if haveBracket {
            (host, _, port) = bracketed.scalarPartition("]")
            port = port.scalarPartition(":").after
        } else {
            (host, _, port) = hostinfo.scalarPartition(":")
        }
        let (name, haveZone, zone) = host.scalarPartition("%")
        let hostname = host.isEmpty ? nil : name.lowercased() + (haveZone ? "%" + zone : "")
        return (hostname, try parse(port: port))
    }

    private static func parse(port: Substring) throws(RedisError) -> Int? {
        guard !port.isEmpty else { return nil }
        guard port.utf8.allSatisfy({ (48...57).contains($0) }) else { throw error("the port is not a number") }
        guard let number = Int(port), number <= 65535 else { throw error("the port is out of range 0-65535") }
        return number
    }

    static func error(_ reason: String) -> RedisError {
        RedisError(.invalidURL, "not a Redis URL: \(reason)")
    }
}

// MARK: - Checks of the host

extension PythonURL {
    /// CPython's `_checknetloc` and `_check_bracketed_netloc`.
    private static func check(netloc: Substring) throws(RedisError) {
        let opens = netloc.unicodeScalars.contains("["), closes = netloc.unicodeScalars.contains("]")
        guard opens == closes else { throw error("unbalanced brackets around an IPv6 address") }
        if opens {
            let (before, _, bracketed) = netloc.scalarPartitionLast("@").after.scalarPartition("[")
            let (address, _, port) = bracketed.scalarPartition("]")
            guard before.isEmpty, port.isEmpty || port.hasPrefix(":"), isBracketedHost(String(address)) else {
                throw error("what stands in brackets is not an IPv6 address")
            }
        }
        guard !netloc.unicodeScalars.contains(where: { normalisesToDelimiter.contains($0.value) }) else {
            throw error("a character of the host becomes a delimiter under NFKC normalisation")
        }
    }

    private static func isBracketedHost(_ host: String) -> Bool {
        if host.hasPrefix("v") {
            let (version, _, rest) = host.dropFirst()[...].scalarPartition(".")
            return !version.isEmpty && version.allSatisfy { $0.isASCII && $0.isHexDigit } && !rest.isEmpty
        }
        let (address, haveZone, zone) = host[...].scalarPartition("%")
        if haveZone, zone.isEmpty || zone.contains("%") { return false }
        var storage = in6_addr()
        return inet_pton(AF_INET6, String(address), &storage) == 1
    }

    /// The characters whose NFKC form holds one of `/?#@:`.
    private static let normalisesToDelimiter: Set<UInt32> = [
        0x2047, 0x2048, 0x2049, 0x2100, 0x2101, 0x2105, 0x2106, 0x2A74, 0xFE13, 0xFE16, 0xFE55, 0xFE56, 0xFE5F,
        0xFE6B, 0xFF03, 0xFF0F, 0xFF1A, 0xFF1F, 0xFF20,
    ]
}

// MARK: - Query and percent-encoding

extension PythonURL {
    private static func parseQuery(_ text: Substring) -> [(name: String, value: String)] {
        var result: [(name: String, value: String)] = []
        for part in text.unicodeScalars.split(separator: "&") {
            let (name, _, value) = Substring(part).scalarPartition("=")
            guard !value.isEmpty else { continue }
            let decodedName = unquote(name.replacingPluses())
            guard !result.contains(where: { $0.name == decodedName }) else { continue }
            result.append((decodedName, unquote(value.replacingPluses())))
        }
        return result
    }

    /// `urllib.parse.unquote`: bad escapes stay as they are, bad UTF-8 becomes U+FFFD.
    static func unquote(_ text: some StringProtocol) -> String {
        let bytes = Array(text.utf8)
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let high = hexDigit(bytes[index + 1]), let low = hexDigit(bytes[index + 2])
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}

/// Python's strings are sequences of code points, and so are these, unlike Swift's characters.
extension Substring {
    typealias Partition = (before: Substring, found: Bool, after: Substring)

    /// `str.partition`.
    fileprivate func scalarPartition(_ separator: Unicode.Scalar) -> Partition {
        guard let index = unicodeScalars.firstIndex(of: separator) else { return (self, false, Substring()) }
        return (self[..<index], true, self[unicodeScalars.index(after: index)...])
    }

    /// `str.rpartition`.
    fileprivate func scalarPartitionLast(_ separator: Unicode.Scalar) -> Partition {
        guard let index = unicodeScalars.lastIndex(of: separator) else { return (Substring(), false, self) }
        return (self[..<index], true, self[unicodeScalars.index(after: index)...])
    }

    fileprivate func replacingPluses() -> String {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: unicodeScalars.map { $0 == "+" ? " " : $0 })
        return String(scalars)
    }
}
