import Pickle

/// At most so many calls in each window of time, counted for all workers together. Mirrors huey's `RateLimit`.
public struct RateLimit: Sendable {
    let huey: Huey
    /// The limit's name.
    public let name: String
    let limit: Int
    /// The window in seconds.
    let per: Int
    let retry: Bool

    private var counterKey: String { "\(huey.name).rl.\(name)" }
    private var windowKey: String { "\(huey.name).rl.\(name).w" }

    /// Counts one call.
    ///
    /// - Throws: ``RateLimitExceeded`` when the window has had its calls, ``HueyError`` for a window that is none.
    public func acquire() async throws {
        guard per > 0 else { throw HueyError(.invalidConfiguration, "a rate limit needs a window of at least 1 s") }
        let now = Double(huey.time.microseconds()) / 1e6
        let window = Int(now) / per
        let storage = try await huey.settledStorage()
        if try await huey.get(windowKey, peek: true)?.int != window {
            try await storage.deleteCounter(counterKey)
            try await huey.put(window, forKey: windowKey)
        }
        if try await storage.increment(counterKey, by: 1) > limit {
            throw RateLimitExceeded(key: name, delay: Double((window + 1) * per) - now, retry: retry)
        }
    }

    /// How many calls the window has had.
    public func currentUsage() async throws -> Int {
        try await huey.settledStorage().increment(counterKey, by: 0)
    }

    /// Begins to count anew.
    public func reset() async throws {
        try await huey.delete(windowKey)
        try await huey.settledStorage().deleteCounter(counterKey)
    }
}

extension Huey {
    /// At most `limit` calls in each `per` seconds. Mirrors `rate_limit`.
    ///
    /// - Parameter retry: whether a task over the limit is put back until the window ends, without it counting as a retry.
    public func rateLimit(_ name: String, limit: Int, per: Int, retry: Bool = true) -> RateLimit {
        RateLimit(huey: self, name: name, limit: limit, per: per, retry: retry)
    }
}
