extension RedisConfiguration {
    /// Reads a URL exactly as redis-py's `ConnectionPool.from_url` (`parse_url`) does.
    ///
    ///     redis://[[username]:[password]]@localhost:6379/0
    ///     rediss://localhost:6379?db=1&ssl_cert_reqs=none
    ///     unix://[username:password@]/path/to/redis.sock?db=0
    ///     redis+sentinel://[username:password@]host:26379,host:26379/service/0?sentinel_password=…
    ///
    /// User, password, host, path and the query's values may be percent-encoded. A `db` in the query comes before the
    /// path's, user and password of the authority before the query's. As in redis-py, a path that is no number is
    /// ignored. Of the query `db`, `username`, `password`, `client_name`, `socket_timeout`,
    /// `socket_connect_timeout`, `max_connections` and redis-py's `ssl_` options count; the rest is in
    /// ``ignoredOptions``.
    ///
    /// The last form (also `rediss+sentinel://`, for TLS to master and sentinels) is not redis-py's; it is what others
    /// agree on, the Python package `redis-sentinel-url` among them. Of its query `sentinel_username` and
    /// `sentinel_password` count too.
    ///
    /// - Throws: ``RedisError/Code/invalidURL`` for what is not a URL, another scheme, a bad port, number or option.
    ///   The error never shows the URL.
    public init(url: String) throws(RedisError) {
        guard Self.schemes.contains(where: { url.utf8.starts(with: $0.utf8) }) else {
            throw PythonURL.error("it must begin with \(Self.schemes.joined(separator: ", "))")
        }
        let parsed = try PythonURL(url)
        self.init()
        var options = URLOptions(parsed.query)
        try options.validate()
        username = nonEmpty(parsed.username).map(PythonURL.unquote) ?? options.take("username")
        password = nonEmpty(parsed.password).map(PythonURL.unquote) ?? options.take("password")
        let queryDatabase = try options.takeInt("db")
        if parsed.scheme == "unix" {
            let path = parsed.path.isEmpty ? options.take("path") : PythonURL.unquote(parsed.path)
            guard let path, !path.isEmpty else { throw PythonURL.error("a unix:// URL needs the socket's path") }
            guard !path.utf8.contains(0) else { throw PythonURL.error("the socket's path has a zero byte") }
            address = .unixSocket(path: path)
            database = queryDatabase ?? 0
        } else if parsed.scheme.hasSuffix("+sentinel") {
            let parts = parsed.path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
                .map(PythonURL.unquote)
            let service = parts.first.flatMap { $0.isEmpty ? nil : $0 }
            address = .sentinels(try Self.sentinels(parsed, service: service, &options))
            guard parts.count < 3 else { throw PythonURL.error("nothing may follow the database's number") }
            let pathDatabase = parts.count > 1 ? PythonNumberText.int(parts[1]) : 0
            guard let pathDatabase else { throw PythonURL.error("the database is not a number") }
            database = queryDatabase ?? pathDatabase
        } else {
            let host = parsed.hostname.map(PythonURL.unquote) ?? options.take("host") ?? "localhost"
            let queryPort = try options.takePort()
            let port = parsed.port == 0 ? nil : parsed.port
            address = .host(host, port: port ?? queryPort ?? 6379)
            database = queryDatabase ?? Self.database(path: parsed.path) ?? 0
        }
        try take(&options, tls: parsed.scheme.hasPrefix("rediss"))
    }

    private static let schemes = ["redis://", "rediss://", "unix://", "redis+sentinel://", "rediss+sentinel://"]

    private static func sentinels(
        _ url: PythonURL,
        service: String?,
        _ options: inout URLOptions
    ) throws(RedisError) -> RedisSentinels {
        guard let service = options.take("service") ?? service else {
            throw PythonURL.error("a sentinel URL needs the service's name")
        }
        var hosts: [RedisSentinels.Host] = []
        for (name, port) in url.hosts {
            guard let name else { throw PythonURL.error("a sentinel's host is missing") }
            hosts.append(RedisSentinels.Host(PythonURL.unquote(name), port: port ?? 26379))
        }
        return RedisSentinels(
            hosts,
            service: service,
            username: options.take("sentinel_username"),
            password: options.take("sentinel_password")
        )
    }

    /// The number of a URL's path, without any of its slashes, or nil.
    private static func database(path: String) -> Int? {
        PythonNumberText.int(PythonURL.unquote(path).replacing("/", with: ""))
    }

    private mutating func take(_ options: inout URLOptions, tls: Bool) throws(RedisError) {
        clientName = options.take("client_name")
        if let timeout = try options.takeDuration("socket_timeout") {
            commandTimeout = timeout
            connectTimeout = timeout
        }
        if let timeout = try options.takeDuration("socket_connect_timeout") { connectTimeout = timeout }
        if let maximum = try options.takeInt("max_connections") {
            guard maximum >= 0 else { throw URLOptions.invalid("max_connections") }
            if maximum > 0 { maximumConnections = maximum }
        }
        if tls { self.tls = try options.takeTLS() }
        ignoredOptions = options.names
    }

    private func nonEmpty(_ text: String?) -> String? { text?.isEmpty == true ? nil : text }
}

/// The options of a URL's query that nobody has taken yet.
private struct URLOptions {
    private var values: [(name: String, value: String)]

    init(_ values: [(name: String, value: String)]) { self.values = values }

    var names: [String] { values.map(\.name) }

    static func invalid(_ name: String) -> RedisError { PythonURL.error("invalid value for '\(name)'") }

    /// redis-py parses every number it knows, whether it then matters or not.
    func validate() throws(RedisError) {
        for (name, value) in values {
            let isValid =
                switch name {
                case "db", "socket_read_size", "max_connections", "health_check_interval", "ssl_min_version",
                    "protocol":
                    PythonNumberText.int(value) != nil
                case "socket_timeout", "socket_connect_timeout", "timeout": PythonNumberText.float(value) != nil
                default: true
                }
            if !isValid { throw Self.invalid(name) }
        }
    }

    mutating func take(_ name: String) -> String? {
        guard let index = values.firstIndex(where: { $0.name == name }) else { return nil }
        return values.remove(at: index).value
    }

    mutating func takeInt(_ name: String) throws(RedisError) -> Int? {
        guard let text = take(name) else { return nil }
        guard let number = PythonNumberText.int(text) else { throw Self.invalid(name) }
        return number
    }

    mutating func takePort() throws(RedisError) -> Int? {
        guard let text = take("port") else { return nil }
        guard let port = PythonNumberText.int(text), (1...65535).contains(port) else { throw Self.invalid("port") }
        return port
    }

    /// Seconds. What Python's sockets would refuse or never wait for (0, negative, NaN) is an error.
    mutating func takeDuration(_ name: String) throws(RedisError) -> Duration? {
        guard let text = take(name) else { return nil }
        guard let seconds = PythonNumberText.float(text), seconds > 0 else { throw Self.invalid(name) }
        return .seconds(min(seconds, 1_000_000))
    }

    /// redis-py's `to_bool`.
    mutating func takeBool(_ name: String) -> Bool? {
        take(name).map { !["0", "F", "FALSE", "N", "NO"].contains($0.uppercased()) }
    }

    mutating func takeTLS() throws(RedisError) -> RedisTLSConfiguration {
        var tls = RedisTLSConfiguration()
        if let text = take("ssl_cert_reqs") {
            guard let requirement = RedisTLSConfiguration.CertificateRequirement(rawValue: text) else {
                throw Self.invalid("ssl_cert_reqs")
            }
            tls.certificateRequirement = requirement
        }
        tls.checksHostname = takeBool("ssl_check_hostname") ?? true
        tls.certificateAuthorityFile = take("ssl_ca_certs")
        tls.certificateAuthorityDirectory = take("ssl_ca_path")
        tls.certificateAuthorityData = take("ssl_ca_data")
        tls.certificateFile = take("ssl_certfile")
        tls.privateKeyFile = take("ssl_keyfile")
        tls.privateKeyPassword = take("ssl_password")
        tls.minimumVersion = try takeInt("ssl_min_version")
        tls.cipherSuites = take("ssl_ciphers")
        // Ignoring these would make a connection weaker than the URL asks for.
        for name in names where name.hasPrefix("ssl_validate_ocsp") || name.hasSuffix("_verify_flags") {
            throw PythonURL.error("the option '\(name)' is not supported")
        }
        return tls
    }
}
