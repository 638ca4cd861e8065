/// Where a socket leads.
enum Endpoint: Hashable, Sendable, CustomStringConvertible {
    case host(String, port: Int)
    case unixSocket(path: String)

    /// The place in words, for errors and logs.
    var description: String {
        switch self {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unixSocket(let path): path
        }
    }
}
