import Pickle
import Synchronization

/// A lock by name that all workers share, held under a key of the result store. Mirrors huey's `TaskLock`.
public struct TaskLock: Sendable {
    let huey: Huey
    /// The lock's name.
    public let name: String
    /// Seconds until the lock opens by itself, where the server can do that.
    let ttl: Int?

    private var key: String { huey.lockKey(name) }

    /// Takes the lock.
    ///
    /// - Throws: ``TaskLocked`` when somebody has it, ``HueyError`` `.notSupported` for a time to live that the storage cannot give.
    public func acquire() async throws {
        let value = try huey.serializer.serialize("1")
        guard try await huey.flushedStorage().takeLock(value, forKey: key, ttl: ttl) else {
            throw TaskLocked(lockName: name)
        }
    }

    /// Opens the lock, whoever holds it; whether it was held.
    @discardableResult
    public func release() async throws -> Bool { try await huey.flushedStorage().openLock(key) }

    /// Whether somebody holds the lock.
    public func isLocked() async throws -> Bool { try await huey.flushedStorage().hasData(forKey: key) }

    /// Runs `body` under the lock, and opens it whatever happens.
    ///
    /// - Throws: ``TaskLocked``, or what `body` throws.
    public func withLock<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await acquire()
        let value: Value
        do {
            value = try await body()
        } catch {
            _ = try await withoutCancellation { try await release() }
            throw error
        }
        _ = try await withoutCancellation { try await release() }
        return value
    }
}

extension Huey {
    /// A lock by name. Mirrors `lock_task`.
    public func lock(_ name: String, ttl: Int? = nil) -> TaskLock {
        knownLocks.insert(name)
        return TaskLock(huey: self, name: name, ttl: ttl)
    }

    /// Whether somebody holds the lock of that name. Mirrors `is_locked`.
    public func isLocked(_ name: String) async throws -> Bool { try await lock(name).isLocked() }

    /// Opens the locks that this process knows and those named; returns the names of those that were held.
    /// Mirrors `flush_locks`.
    @discardableResult
    public func flushLocks(_ names: [String] = []) async throws -> Set<String> {
        var flushed: Set<String> = []
        for name in knownLocks.all + names.map(Self.stripped) where try await delete(lockKey(name)) {
            flushed.insert(name)
        }
        return flushed
    }

    func lockKey(_ lockName: String) -> String { "\(name).lock.\(lockName)" }

    /// Python's `str.strip()`, for the blanks that a list on the command line has.
    private static func stripped(_ text: String) -> String {
        let trimmed = text.drop { $0.isWhitespace }
        guard let last = trimmed.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(trimmed[...last])
    }
}

/// The names of the locks that this process has made.
final class KnownLocks: Sendable {
    private let names = Mutex<Set<String>>([])

    func insert(_ name: String) { names.withLock { _ = $0.insert(name) } }

    var all: [String] { names.withLock { $0.sorted() } }
}
