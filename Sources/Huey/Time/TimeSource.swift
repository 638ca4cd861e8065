#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where the time comes from, so that tests can set it.
public struct TimeSource: Sendable {
    /// Microseconds since 1970-01-01 00:00 UTC.
    public var microseconds: @Sendable () -> Int

    public init(microseconds: @escaping @Sendable () -> Int) { self.microseconds = microseconds }

    /// The machine's clock.
    public static let system = TimeSource {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int(now.tv_sec) * 1_000_000 + Int(now.tv_nsec) / 1000
    }
}
