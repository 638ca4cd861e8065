import Huey
import HueyRedis
import HueySQLite
import Synchronization
import TestSupport

/// The storages that must all behave alike. Another one is another line here and in ``make()``.
enum StorageKind: String, CaseIterable, Sendable {
    case memory
    case sqlite
    case redis
    case redisExpire = "redis-expire"
    case priorityRedis = "priority-redis"
    case priorityRedisExpire = "priority-redis-expire"
    case valkeyGlide = "valkey-glide"

    /// Reading a result takes it away, except where results expire.
    var popRemoves: Bool { self != .redisExpire && self != .priorityRedisExpire }

    private static let server = Result { try PrivateRedis() }
    private static let count = Atomic(0)

    /// The server that all tests share.
    static func url() throws -> String { try server.get().url() }

    var isRedis: Bool { self != .memory && self != .sqlite }

    /// A name that no other test uses.
    static func freshName() -> String { "test\(count.add(1, ordering: .relaxed).newValue)" }

    /// An empty storage.
    func make(name: String = freshName(), change: (inout RedisStorageOptions) -> Void = { _ in }) throws -> any Storage
    {
        try unbound(name: name, change: change).bound(to: name)
    }

    /// The same as it is given to a ``Huey``.
    func unbound(
        name: String = freshName(),
        change: (inout RedisStorageOptions) -> Void = { _ in }
    ) throws -> any Storage {
        if self == .memory { return MemoryStorage() }
        if self == .sqlite { return try SQLiteStorage(path: Self.server.get().directory + "/\(name).db") }
        var options = RedisStorageOptions()
        options.kind = RedisStorageKind(rawValue: rawValue) ?? .redis
        change(&options)
        return try RedisStorage(url: Self.url(), options: options)
    }

    /// Runs a test with an empty storage, and closes it.
    func withStorage(
        change: (inout RedisStorageOptions) -> Void = { _ in },
        _ body: (any Storage) async throws -> Void
    ) async throws {
        let storage = try make(change: change)
        do {
            try await body(storage)
            await storage.close()
        } catch {
            await storage.close()
            throw error
        }
    }
}

/// Bytes for a short text.
func data(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The text of bytes.
func text(_ data: [UInt8]) -> String { String(decoding: data, as: UTF8.self) }
