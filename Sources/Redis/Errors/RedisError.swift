/// Why a command, a connection or a configuration failed.
///
/// An error never holds a password. `message` of a ``Code/server`` error is the server's own text, as redis-py's
/// `ResponseError` has it.
public struct RedisError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is. More codes may be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String, Sendable {
            case invalidURL, invalidBatch, connectFailed, authenticationFailed, timeout, connectionClosed
            case server, protocolError, unexpectedReply, tooManyConnections, shutdown
        }

        private let value: Value

        /// The name of the code, as in the source.
        public var description: String { value.rawValue }

        /// The URL is not one that redis-py's `ConnectionPool.from_url` would connect with.
        public static let invalidURL = Code(value: .invalidURL)
        /// The batch is not made of whole commands, or is too large to send.
        public static let invalidBatch = Code(value: .invalidBatch)
        /// No connection could be made: refused, no such host or path, TLS, or the handshake broke off.
        public static let connectFailed = Code(value: .connectFailed)
        /// The server wants a password, or refused the one it got.
        public static let authenticationFailed = Code(value: .authenticationFailed)
        /// There was no reply in time.
        public static let timeout = Code(value: .timeout)
        /// The connection broke, or was closed, before the reply was there.
        public static let connectionClosed = Code(value: .connectionClosed)
        /// The server answered the command with an error; see ``RedisError/prefix``.
        public static let server = Code(value: .server)
        /// What the server sent is not RESP2, or is larger or deeper than the limits.
        public static let protocolError = Code(value: .protocolError)
        /// The reply has another type than the command should return.
        public static let unexpectedReply = Code(value: .unexpectedReply)
        /// The client holds as many connections as its configuration allows.
        public static let tooManyConnections = Code(value: .tooManyConnections)
        /// The client was shut down.
        public static let shutdown = Code(value: .shutdown)
    }

    /// What kind of failure it is.
    public var code: Code
    /// The failure in words, without secrets.
    public var message: String
    /// Whether the command may have run although it failed here: it was written, and its reply never came.
    public var mayHaveExecuted: Bool

    package init(_ code: Code, _ message: String, mayHaveExecuted: Bool = false) {
        self.code = code
        self.message = message
        self.mayHaveExecuted = mayHaveExecuted
    }

    /// The first word of a server's error in capitals, such as `WRONGTYPE`, `NOSCRIPT`, `OOM`, `READONLY`, `NOPERM`,
    /// `LOADING` or `ERR`; nil for any other failure. Of an error inside a script, which servers before Redis 7 wrap into
    /// one of their own, it is the inner one's.
    public var prefix: String? {
        guard code == .server else { return nil }
        var text = message[...]
        if text.hasPrefix("ERR Error running script"), let inner = text.firstRange(of: ": -") {
            text = text[inner.upperBound...]
        }
        let word = text.prefix { $0 != " " }
        guard !word.isEmpty, word.utf8.allSatisfy({ (65...90).contains($0) }) else { return nil }
        return String(word)
    }

    /// Whether the same command may well succeed later: the server is away, loads, fails over, or is out of memory.
    public var isTransient: Bool {
        switch code {
        case .connectFailed, .timeout, .connectionClosed: true
        case .server: prefix.map(Self.transientPrefixes.contains) == true || isConnectionLimit
        default: false
        }
    }

    /// Whether the server refused who we are or what we may do, before it did anything.
    public var isRefusal: Bool {
        if code == .authenticationFailed { return true }
        guard let prefix else { return false }
        return ["NOPERM", "NOAUTH", "WRONGPASS"].contains(prefix) || isRefusalInScript
    }

    /// The words of Valkey, and of Redis.
    private var isRefusalInScript: Bool {
        message.hasPrefix("ERR ACL failure in script") || message.contains("The user executing the script can't run")
    }

    /// Whether the server says that it is not, or no longer, a master that can be written to.
    var isOfFormerMaster: Bool { prefix.map(["READONLY", "MASTERDOWN", "UNBLOCKED"].contains) ?? false }

    /// Whether the server did not understand the request, or finds a part of it too large, and hangs up for that reason.
    var isProtocolError: Bool { message.hasPrefix("ERR Protocol error") }

    private var isConnectionLimit: Bool { message.hasPrefix("ERR max number of clients") }

    private static let transientPrefixes: Set<String> = [
        "LOADING", "BUSY", "OOM", "READONLY", "MASTERDOWN", "MISCONF", "NOREPLICAS", "TRYAGAIN", "CLUSTERDOWN",
        "UNBLOCKED",
    ]

    /// `code: message`.
    public var description: String { code == .server ? message : "\(code): \(message)" }

    /// An error reply of the server, with its text.
    package static func server(_ text: String) -> RedisError { RedisError(.server, text) }
}
