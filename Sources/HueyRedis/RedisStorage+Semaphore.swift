public import Huey
import Logging
import Redis

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A lock that several may hold at once, for tasks of which only so many may run side by side, in Python and Swift together.
/// Mirrors `huey.contrib.helpers.RedisSemaphore`.
///
/// Nobody waits: who finds all permits taken is told so. A permit that is not renewed ends after the timeout, so that a
/// worker that dies does not keep it.
public struct RedisSemaphore: Sendable {
    let huey: Huey
    /// The semaphore's name.
    public let name: String
    /// How many may hold a permit at once.
    public let permits: Int
    /// How long a permit lasts that is not renewed.
    public let timeout: Duration

    private var key: String { "\(huey.name).lock.\(name)" }

    /// Takes a permit, or renews the one that `holder` has.
    ///
    /// - Parameter holder: who takes it; a random UUID when nil.
    /// - Returns: the holder, or nil when all permits are taken.
    /// - Throws: ``HueyError`` `.invalidConfiguration` on an instance without Redis, the storage's error.
    public func acquire(_ holder: String? = nil) async throws -> String? {
        let holder = holder ?? UUID().uuidString.lowercased()
        let reply = try await client().eval(
            Self.acquireScript,
            keys: [.init(key)],
            arguments: [seconds, .init(permits), .init(holder)]
        )
        return reply.integer == 1 ? holder : nil
    }

    /// Begins a holder's timeout anew; false when the holder has no permit any more.
    ///
    /// - Throws: as ``acquire(_:)``.
    @discardableResult
    public func renew(_ holder: String) async throws -> Bool {
        try await client().eval(Self.renewScript, keys: [.init(key)], arguments: [.init(holder)]).integer == 1
    }

    /// Gives a permit back; whether the holder had one.
    ///
    /// - Throws: as ``acquire(_:)``.
    @discardableResult
    public func release(_ holder: String) async throws -> Bool {
        try await client().command("ZREM", .init(key), .init(holder)).integer == 1
    }

    /// Runs `body` with a permit, which is renewed as long as it runs and given back whatever happens.
    /// Mirrors `lock_task_semaphore`.
    ///
    /// - Throws: ``TaskLocked`` when all permits are taken, what `body` throws, or as ``acquire(_:)``.
    public func withPermit<Value>(_ body: () async throws -> Value) async throws -> Value {
        guard let holder = try await acquire() else { throw TaskLocked(lockName: name) }
        let renewal = Task(executorPreference: try client().executor) { await keep(holder) }
        let value: Value
        do {
            value = try await body()
        } catch {
            try await end(holder, renewal)
            throw error
        }
        try await end(holder, renewal)
        return value
    }

    private func end(_ holder: String, _ renewal: Task<Void, Never>) async throws {
        renewal.cancel()
        // A renewal under way must not bring back what is released.
        await renewal.value
        _ = try await withoutCancellation { try await release(holder) }
    }

    private func keep(_ holder: String) async {
        while (try? await Task.sleep(for: timeout / 3)) != nil {
            do {
                try await renew(holder)
            } catch is CancellationError {
                return
            } catch {
                huey.logger.error("Semaphore \(name) could not be renewed.", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// A whole number as Python's `300`, another as Python's float.
    private var seconds: RedisArgument {
        timeout.components.attoseconds == 0 ? .init(Int(timeout.components.seconds)) : .init(timeout.inSeconds)
    }

    private func client() throws -> RedisClient {
        guard let storage = huey.storage as? RedisStorage else {
            throw HueyError(.invalidConfiguration, "Semaphore requires a Redis storage.")
        }
        return storage.client
    }
}

extension Huey {
    /// A semaphore by name. Mirrors `RedisSemaphore(huey, name, value, timeout)` of huey's `contrib.helpers`.
    ///
    /// - Parameters:
    ///   - name: the name, the same as on Python's side.
    ///   - permits: how many may hold it at once.
    ///   - timeout: how long a permit lasts that is not renewed.
    public func semaphore(_ name: String, permits: Int = 1, timeout: Duration = .seconds(300)) -> RedisSemaphore {
        rememberLock(name)
        return RedisSemaphore(huey: self, name: name, permits: permits, timeout: timeout)
    }
}

// MARK: the scripts

extension RedisSemaphore {
    /// The time is the server's. Holders whose time is over go; a holder that is there already only moves.
    private static let acquireScript = RedisScript(
        """
        local t = redis.call('TIME')
        local now = t[1] + t[2] / 1e6
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
        if not redis.call('ZSCORE', KEYS[1], ARGV[3]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
            return 0
        end
        redis.call('ZADD', KEYS[1], now, ARGV[3])
        return 1
        """
    )

    private static let renewScript = RedisScript(
        """
        if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
        local t = redis.call('TIME')
        redis.call('ZADD', KEYS[1], t[1] + t[2] / 1e6, ARGV[1])
        return 1
        """
    )
}
