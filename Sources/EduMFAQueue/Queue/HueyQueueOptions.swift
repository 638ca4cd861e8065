package import Huey
package import HueyRedis
package import Pickle
package import Redis

/// The keywords of Python's `RedisHuey`, as the settings `EDUMFA_JOB_QUEUE_X` give them.
package struct HueyQueueOptions: Sendable {
    package private(set) var name = "huey"
    package private(set) var redis = RedisConfiguration()
    package private(set) var storage: RedisStorageOptions
    package private(set) var huey = HueyOptions(
        results: false,
        storeNone: false,
        // A mail with a text of 20 MB is sent as eduMFA sends it.
        maximumMessageSize: 32 << 20
    )
    package private(set) var serializer = PickleSerializer()
    /// Keywords that change nothing here.
    package private(set) var ignored: [String] = []

    /// redis-py's, which are about how Python connects.
    private static let withoutEffect: Set<String> = [
        "retry_on_timeout", "retry_on_error", "socket_keepalive", "socket_read_size", "health_check_interval",
        "encoding", "encoding_errors", "lib_name", "lib_version", "protocol",
    ]

    /// - Throws: ``QueueError`` naming the option, never its value.
    package init(_ options: [String: PickleValue], storage: RedisStorageOptions = RedisStorageOptions()) throws {
        self.storage = storage
        var reader = OptionReader(options)
        if let name = try reader.text("name") { self.name = name }
        try readRedis(&reader)
        huey.utc = try reader.bool("utc") ?? true
        huey.immediate = try reader.bool("immediate") ?? false
        // What huey 2 called it before.
        if let eager = try reader.bool("always_eager") { huey.immediate = eager }
        huey.immediateUsesMemory = try reader.bool("immediate_use_memory") ?? true
        let usesZlib = try reader.bool("use_zlib") ?? false
        if try reader.bool("compression") ?? false { serializer.compression = usesZlib ? .zlib : .gzip }
        try readStorage(&reader)
        ignored = reader.names.filter { Self.withoutEffect.contains($0) }
        if let name = reader.names.sorted().first(where: { !Self.withoutEffect.contains($0) }) {
            throw QueueError("the job queue has no option '\(name)'")
        }
    }

    private mutating func readRedis(_ reader: inout OptionReader) throws {
        let url = try reader.text("url").flatMap { $0.isEmpty ? nil : $0 }
        let parts = reader.names.filter {
            [
                "host", "port", "db", "username", "password", "socket_timeout", "socket_connect_timeout",
                "max_connections",
            ].contains($0)
        }
        if let url {
            // The text of huey's own ConfigurationError, and its cause.
            guard parts.isEmpty else {
                throw QueueError(
                    "The connection configuration is over-determined: 'url' and '\(parts.sorted()[0])' exclude each other"
                )
            }
            redis = try RedisConfiguration(url: url)
        } else {
            redis.address = .host(
                try reader.text("host") ?? "localhost",
                port: try reader.int("port", in: 1...65535) ?? 6379
            )
            redis.database = try reader.int("db", in: 0...Int(Int32.max)) ?? 0
            redis.username = try reader.text("username")
            redis.password = try reader.text("password")
            if let limit = try reader.int("max_connections", in: 1...Int(Int32.max)) {
                redis.maximumConnections = max(2, limit)
            }
            if let timeout = try reader.duration("socket_timeout") { redis.commandTimeout = timeout }
            if let timeout = try reader.duration("socket_connect_timeout") { redis.connectTimeout = timeout }
        }
        if let name = try reader.text("client_name") { redis.clientName = name }
    }

    private mutating func readStorage(_ reader: inout OptionReader) throws {
        if let blocking = try reader.bool("blocking") { storage.blocking = blocking }
        if let timeout = try reader.duration("read_timeout") { storage.readTimeout = timeout }
        if let notifies = try reader.bool("notify_result") { storage.notifyResult = notifies }
        if let ttl = try reader.duration("notify_result_ttl") { storage.notifyResultTTL = ttl }
        if let cleaning = try reader.cleaning("clean_name") { storage.nameCleaning = cleaning }
    }
}

/// Takes typed options out of a dictionary. None is the same as nothing, as with huey's own parameters.
private struct OptionReader {
    private var options: [String: PickleValue]

    init(_ options: [String: PickleValue]) {
        self.options = options.filter { $0.value != .none }
    }

    /// What nobody has taken yet.
    var names: [String] { Array(options.keys) }

    mutating func text(_ name: String) throws -> String? {
        switch options.removeValue(forKey: name) {
        case nil: return nil
        case .string(let text)?: return text
        case .int(let number)?: return String(number)
        case .bytes(let bytes)?: return String(decoding: bytes, as: UTF8.self)
        default: throw refusal(name, "a string")
        }
    }

    /// An int, or a string that reads as one, which is what redis-py makes of it too.
    mutating func int(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        let number: Int?
        switch options.removeValue(forKey: name) {
        case nil: return nil
        case .int(let value)?: number = value
        case .string(let text)?: number = Int(text)
        default: number = nil
        }
        guard let number, range.contains(number) else { throw refusal(name, "an int in its range") }
        return number
    }

    /// What Python's `bool()` says.
    mutating func bool(_ name: String) throws -> Bool? {
        switch options.removeValue(forKey: name) {
        case nil: return nil
        case .bool(let value)?: return value
        case .int(let value)?: return value != 0
        case .float(let value)?: return value != 0
        case .string(let text)?: return !text.isEmpty
        default: throw refusal(name, "a bool")
        }
    }

    /// How the name is cleaned: huey's own False (3.4 and later), or the generation of huey at the other end, 2 or 3, which
    /// Python's option has not.
    mutating func cleaning(_ name: String) throws -> NameCleaning? {
        switch options[name] {
        case .int(2)?, .string("2")?:
            options[name] = nil
            return .huey2
        case .int(3)?, .string("3")?:
            options[name] = nil
            return .huey3
        case .string("off")?:
            options[name] = nil
            return .off
        default: return try bool(name) == false ? .off : nil
        }
    }

    mutating func duration(_ name: String) throws -> Duration? {
        let seconds: Double?
        switch options.removeValue(forKey: name) {
        case nil: return nil
        case .int(let value)?: seconds = Double(value)
        case .float(let value)?: seconds = value
        case .string(let text)?: seconds = Double(text)
        default: seconds = nil
        }
        guard let seconds, seconds > 0, seconds.isFinite else { throw refusal(name, "a positive number of seconds") }
        return .seconds(min(seconds, 1e6))
    }

    private func refusal(_ name: String, _ wanted: String) -> QueueError {
        QueueError("the job queue's option '\(name)' must be \(wanted)")
    }
}
