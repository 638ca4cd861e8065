import Pickle

/// At most so many calls in each window of time, counted for all workers together. Mirrors huey's `RateLimit`.
public struct RateLimit: Sendable {
    let huey: Huey
    /// The limit's name.
    public let name: String
    let limit: PythonNumber
    /// The window in seconds.
    let per: PythonNumber
    let retry: Bool

    private var counterKey: String { "\(huey.name).rl.\(name)" }
    private var windowKey: String { "\(huey.name).rl.\(name).w" }

    /// Counts one call.
    ///
    /// - Throws: ``RateLimitExceeded`` when the window has had its calls, ``PickleException``, Python's `ZeroDivisionError`, for a
    ///   window of no length; the storage's error.
    public func acquire() async throws {
        let now = Double(huey.time.microseconds()) / 1e6
        let window = try PythonNumber.int(Int(now)).flooredDivision(by: per)
        let storage = try await huey.flushedStorage()
        let stored = try await huey.get(windowKey, peek: true).flatMap { try? PythonNumber(pickle: $0) }
        if stored?.double != window.double {
            try await storage.deleteCounter(counterKey)
            try await huey.put(window, forKey: windowKey)
        }
        if Double(try await storage.increment(counterKey, by: 1)) > limit.double {
            throw RateLimitExceeded(key: name, delay: (window.double + 1) * per.double - now, retry: retry)
        }
    }

    /// How many calls the window has had.
    public func currentUsage() async throws -> Int {
        try await huey.flushedStorage().increment(counterKey, by: 0)
    }

    /// Begins to count anew.
    public func reset() async throws {
        try await huey.delete(windowKey)
        try await huey.flushedStorage().deleteCounter(counterKey)
    }
}

extension Huey {
    /// At most `limit` calls in each `per` seconds. Mirrors `rate_limit`.
    ///
    /// - Parameter retry: whether a task over the limit is put back until the window ends, without it counting as a retry.
    public func rateLimit(_ name: String, limit: Int, per: Int, retry: Bool = true) -> RateLimit {
        rateLimit(name, limit: .int(limit), per: .int(per), retry: retry)
    }

    /// The same with numbers of any of Python's types, which the keys on the storage keep.
    package func rateLimit(_ name: String, limit: PythonNumber, per: PythonNumber, retry: Bool) -> RateLimit {
        RateLimit(huey: self, name: name, limit: limit, per: per, retry: retry)
    }
}
