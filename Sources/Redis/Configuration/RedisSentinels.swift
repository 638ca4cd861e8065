/// The sentinels that know where the master of a service is, as in `redis+sentinel://host:port,host:port/service/0`.
///
/// Every connection asks them, so that the client follows a failover. User and password are the sentinels' own; those
/// of the master are in ``RedisConfiguration``. The description shows no password.
public struct RedisSentinels: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// A sentinel's place.
    public struct Host: Hashable, Sendable, CustomStringConvertible {
        /// Its name or address.
        public var name: String
        /// Its port.
        public var port: Int

        /// A sentinel at a host's name or address; Redis' own port is 26379.
        public init(_ name: String, port: Int = 26379) {
            self.name = name
            self.port = port
        }

        /// `name:port`.
        public var description: String { Endpoint.host(name, port: port).description }
    }

    /// Where the sentinels are. One that answers suffices; those that are not here are not asked.
    public var hosts: [Host]
    /// What the sentinels call the master, `mymaster` in Redis' own examples.
    public var service: String
    /// The ACL user at the sentinels; nil for the default user.
    public var username: String?
    /// The password at the sentinels.
    public var password: String?

    /// Sentinels at these places, which call the master `service`.
    public init(_ hosts: [Host], service: String, username: String? = nil, password: String? = nil) {
        self.hosts = hosts
        self.service = service
        self.username = username
        self.password = password
    }

    /// `host:port,host:port/service`.
    public var description: String { hosts.map(\.description).joined(separator: ",") + "/" + service }

    /// What `dump` shows: the description, because a mirror of the stored properties would show the password.
    public var customMirror: Mirror { Mirror(self, children: ["place": description]) }
}
