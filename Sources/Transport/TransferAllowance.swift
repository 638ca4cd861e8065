/// How much longer than usual a peer may be silent after much was written to it.
///
/// What the operating system has taken is not at the other end yet: megabytes wait in the buffers of both ends and of what lies between,
/// and no progress is to be seen until they are through.
package enum TransferAllowance {
    /// As much as such buffers hold.
    private static let mostBuffered = 8 << 20
    /// Bytes a second of the slowest connection that is of use: 1 Mbit/s.
    private static let slowestRate = 128 << 10
    /// So much goes through at once.
    private static let negligible = 64 << 10

    /// The time for `bytes` that were written and not answered; none for few.
    package static func time(forBytes bytes: Int) -> Duration {
        guard bytes > negligible else { return .zero }
        return .milliseconds(min(bytes, mostBuffered) * 1000 / slowestRate)
    }
}
