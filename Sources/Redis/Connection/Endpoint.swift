/// Where a socket leads.
enum Endpoint: Hashable, Sendable, CustomStringConvertible {
    case host(String, port: Int)
    case unixSocket(path: String)

    /// The host's name or address; nil for a socket of this machine.
    var host: String? { if case .host(let host, _) = self { host } else { nil } }

    /// The place in words, for errors and logs.
    var description: String {
        switch self {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unixSocket(let path): path
        }
    }
}
