/// How long to wait between failed attempts: doubling from `minimum` to `maximum`, each shortened by a random part.
public struct RedisBackoff: Hashable, Sendable {
    /// The wait after the first failure.
    public var minimum: Duration
    /// The longest wait.
    public var maximum: Duration
    /// The part of each wait that is random, 0 to 1, so that many clients do not come back at the same moment.
    public var jitter: Double

    /// 10 ms, doubling up to 1 s, half of it random: a server that is back is found within a second.
    public init(minimum: Duration = .milliseconds(10), maximum: Duration = .seconds(1), jitter: Double = 0.5) {
        self.minimum = minimum
        self.maximum = maximum
        self.jitter = jitter
    }

    /// The wait after `failures` failures in a row (from 1), with a random number of the system.
    public func delay(afterFailures failures: Int) -> Duration {
        delay(afterFailures: failures, random: .random(in: 0..<1))
    }

    /// The wait after `failures` failures in a row, for a random number from 0 to 1.
    package func delay(afterFailures failures: Int, random: Double) -> Duration {
        let longest = max(minimum, maximum)
        // 2^20 times any useful minimum is beyond any useful maximum.
        let doubled = minimum * (1 << min(max(failures, 1) - 1, 20))
        let part = min(max(jitter, 0), 1) * random
        return min(doubled, longest) * (1 - part)
    }
}
