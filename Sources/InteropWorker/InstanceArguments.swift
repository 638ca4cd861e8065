public import ArgumentParser
public import Huey
public import HueyRedis
import HueySQLite
import InMemoryTracing
import Logging
import Redis

#if Postgres
    import HueyPostgres
#endif

/// Which instance the worker consumes for, and how that instance stores things.
struct InstanceArguments: ParsableArguments {
    @Option(
        help:
            "Where the queue is: redis://, rediss://, unix://, redis+sentinel://, sqlite:///, postgresql:// or memory://."
    )
    var url = "redis://localhost:6379/0"

    @Option(help: "The Huey instance's name.")
    var name = "interop"

    @Option(help: "The kind of storage.")
    var storage = RedisStorageKind.redis

    @Option(help: "What the names of Postgres' tables begin with.")
    var tablePrefix: String?

    @Option(help: "How messages and results are written.")
    var serializer = SerializerKind.pickle

    @Option(help: "The secret of a signed serializer.")
    var secret: String?

    @Flag(help: "Store no results.")
    var noResults = false

    @Flag(help: "Store None as a result.")
    var storeNone = false

    @Flag(help: "Store no errors while retries are left.")
    var noStoreIntermediateErrors = false

    @Flag(help: "Local time inside: huey's utc=False.")
    var localTime = false

    @Flag(help: "Tell waiting producers that a result is there.")
    var notifyResult = false

    @Option(help: "Seconds until a result expires, with an expiring storage.")
    var expireTime: Int?

    @Option(help: "How the name becomes part of keys: 3, 2 or off.")
    var cleanName = CleanNameRule.huey3

    @Flag(help: "The same as --clean-name off.")
    var noCleanName = false

    @Option(help: "Which huey reads what is written: 2.0, 2.4, 3.0, 3.3 or auto.")
    var wire = WireVersion.auto

    @Option(help: "Where the plain interop:… keys are written.")
    var plainUrl: String?

    @Flag(help: "Acknowledge after execution; recover what a dead worker held.")
    var atLeastOnce = false

    @Flag(help: "Record each signal in interop:signals.")
    var recordSignals = false

    @Flag(help: "Trace tasks, and carry each trace's context behind its message.")
    var trace = false

    enum SerializerKind: String, ExpressibleByArgument, CaseIterable {
        case pickle
        case gzip
        case zlib
        case signed
        case signedGzip = "signed-gzip"
        case signedZlib = "signed-zlib"

        var isSigned: Bool { rawValue.hasPrefix("signed") }
    }

    enum CleanNameRule: String, ExpressibleByArgument, CaseIterable {
        case huey3 = "3"
        case huey2 = "2"
        case off
    }

    mutating func validate() throws {
        if serializer.isSigned, secret?.isEmpty != false {
            throw ValidationError("A signed serializer needs --secret.")
        }
    }

    private var isMemory: Bool { url.hasPrefix("memory://") }

    private var isPostgres: Bool { url.hasPrefix("postgresql://") || url.hasPrefix("postgres://") }

    private var isRedis: Bool { !isMemory && !isPostgres && sqlitePath == nil }

    /// The file of `sqlite:///FILE`; a fourth slash makes it absolute.
    private var sqlitePath: String? {
        let prefix = "sqlite:///"
        return url.hasPrefix(prefix) ? String(url.dropFirst(prefix.count)) : nil
    }

    /// Whether results are keys of their own that expire.
    var hasExpiringRedis: Bool {
        isRedis && (storage == .redisExpire || storage == .priorityRedisExpire)
    }

    /// The plain keys go where the queue is, or to the local server when that is not Redis.
    var plainKeysURL: String { plainUrl ?? (isRedis ? url : "redis://localhost:6379/0") }

    /// - Throws: an error for a URL that is none.
    func makeHuey(logger: Logger) throws -> Huey {
        guard isRedis || storage == .redis else {
            throw ValidationError(
                "--storage \(storage.rawValue) is a kind of Redis storage, and the URL is none of Redis."
            )
        }
        guard isPostgres || tablePrefix == nil else {
            throw ValidationError("--table-prefix is for Postgres, and the URL is none of Postgres.")
        }
        let storage: any Storage
        if isPostgres {
            storage = try makePostgresStorage(logger: logger)
        } else if isMemory {
            storage = MemoryStorage()
        } else if let sqlitePath {
            storage = try SQLiteStorage(path: sqlitePath)
        } else {
            storage = try RedisStorage(url: url, options: storageOptions, logger: logger)
        }
        return Huey(
            name,
            storage: storage,
            serializer: try makeSerializer(),
            options: hueyOptions,
            logger: logger
        )
    }

    private func makePostgresStorage(logger: Logger) throws -> any Storage {
        #if Postgres
            var options = PostgresStorageOptions(tablePrefix: tablePrefix ?? "huey")
            options.logger = logger
            return try PostgresStorage(url: url, options: options)
        #else
            throw ValidationError("This worker was built without Postgres.")
        #endif
    }

    /// Another instance on the same server: list storage, plain pickles.
    func makeNeighbour(_ name: String, of huey: Huey) throws -> Huey {
        let storage: any Storage =
            if let redis = huey.storage as? RedisStorage {
                redis.neighbour()
            } else if huey.storage is MemoryStorage {
                // Memory has no name: one instance, one storage, as in Python.
                MemoryStorage()
            } else {
                huey.storage
            }
        return Huey(name, storage: storage, options: hueyOptions)
    }

    private func makeSerializer() throws -> PickleSerializer {
        var result = PickleSerializer()
        switch serializer {
        case .gzip, .signedGzip: result.compression = .gzip
        case .zlib, .signedZlib: result.compression = .zlib
        case .pickle, .signed: break
        }
        if serializer.isSigned { result.signer = try MessageSigner(secret: secret ?? "") }
        return result
    }

    var hueyOptions: HueyOptions {
        HueyOptions(
            results: !noResults,
            storeNone: storeNone,
            storeIntermediateErrors: !noStoreIntermediateErrors,
            utc: !localTime,
            wire: wire,
            requiresKnownFollowUps: true,
            tracer: trace ? InMemoryTracer(recordInjections: false, recordExtractions: false) : nil
        )
    }

    private var storageOptions: RedisStorageOptions {
        var options = RedisStorageOptions()
        options.kind = storage
        if let expireTime { options.expireTime = expireTime }
        options.notifyResult = notifyResult
        options.nameCleaning =
            switch noCleanName ? .off : cleanName {
            case .huey3: .huey3
            case .huey2: .huey2
            case .off: .off
            }
        return options
    }
}

extension WireVersion: ExpressibleByArgument {}

extension RedisStorageKind: ExpressibleByArgument {}
