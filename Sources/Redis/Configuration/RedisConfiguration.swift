/// Where a Redis server is, who connects to it, and how long it may take.
///
/// Its description shows neither password nor key.
public struct RedisConfiguration: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// What is connected to.
    public enum Address: Hashable, Sendable {
        /// A host's name or address, and a port.
        case host(String, port: Int)
        /// The path of a unix domain socket.
        case unixSocket(path: String)
        /// Whichever server the sentinels call the master.
        case sentinels(RedisSentinels)
    }

    /// What is connected to.
    public var address: Address
    /// The ACL user; nil for the default user.
    public var username: String?
    /// The user's password.
    public var password: String?
    /// The number of the database that every connection selects.
    public var database: Int
    /// TLS, for `rediss://`; nil for none.
    public var tls: RedisTLSConfiguration?
    /// What `CLIENT LIST` shows as the connection's name.
    public var clientName: String?
    /// How long a connection may take to be opened, and then how long the server may be silent during TLS and login; four times that in
    /// all.
    public var connectTimeout: Duration
    /// How long a command may wait for a connection, and then how long that connection may be silent. A reply or a large command whose bytes
    /// move takes as long as it takes.
    public var commandTimeout: Duration
    /// The waits between failed attempts to connect.
    public var backoff: RedisBackoff
    /// How many connections a client holds at most: one that all commands share, and each of ``RedisClient/connect()``.
    public var maximumConnections: Int
    /// Options of the URL that redis-py may know and this client does not act on, by name.
    public internal(set) var ignoredOptions: [String] = []

    /// Redis' defaults: localhost, port 6379, database 0, no user, no TLS; redis-py's: 5 s and 100 connections.
    public init(
        host: String = "localhost",
        port: Int = 6379,
        username: String? = nil,
        password: String? = nil,
        database: Int = 0,
        tls: RedisTLSConfiguration? = nil,
        clientName: String? = nil,
        connectTimeout: Duration = .seconds(5),
        commandTimeout: Duration = .seconds(5),
        backoff: RedisBackoff = RedisBackoff(),
        maximumConnections: Int = 100
    ) {
        self.address = .host(host, port: port)
        self.username = username
        self.password = password
        self.database = database
        self.tls = tls
        self.clientName = clientName
        self.connectTimeout = connectTimeout
        self.commandTimeout = commandTimeout
        self.backoff = backoff
        self.maximumConnections = maximumConnections
    }

    /// A server's unix domain socket, with the same defaults.
    public init(unixSocketPath path: String, username: String? = nil, password: String? = nil, database: Int = 0) {
        self.init(username: username, password: password, database: database)
        address = .unixSocket(path: path)
    }

    /// The master that sentinels know, with the same defaults.
    public init(sentinels: RedisSentinels, username: String? = nil, password: String? = nil, database: Int = 0) {
        self.init(username: username, password: password, database: database)
        address = .sentinels(sentinels)
    }

    /// A URL without secrets, such as `redis://user:***@localhost:6379/0`.
    public var description: String {
        let user = (username ?? "") + (password == nil ? "" : ":***")
        let login = user.isEmpty ? "" : user + "@"
        let scheme = tls == nil ? "redis" : "rediss"
        return switch address {
        case .host: "\(scheme)://\(login)\(addressDescription)/\(database)"
        case .unixSocket(let path): "unix://\(login)\(path)?db=\(database)"
        case .sentinels: "\(scheme)+sentinel://\(login)\(addressDescription)/\(database)"
        }
    }

    /// What `dump` shows: the description, because a mirror of the stored properties would show the password.
    public var customMirror: Mirror { Mirror(self, children: ["url": description]) }

    /// The address in words, for errors and logs.
    package var addressDescription: String {
        switch address {
        case .host(let host, let port): Endpoint.host(host, port: port).description
        case .unixSocket(let path): path
        case .sentinels(let sentinels): sentinels.description
        }
    }
}
