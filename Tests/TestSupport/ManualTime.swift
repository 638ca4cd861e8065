public import Huey
import Synchronization

/// A time that only a test moves.
public final class ManualTime: Sendable {
    private let value: Mutex<Int>

    /// Microseconds since the epoch.
    public init(_ microseconds: Int = 1_767_323_045_678_901) { value = Mutex(microseconds) }

    public var microseconds: Int { value.withLock { $0 } }

    public var source: TimeSource { TimeSource { self.microseconds } }

    public func set(_ microseconds: Int) { value.withLock { $0 = microseconds } }

    public func advance(seconds: Double) { value.withLock { $0 += Int(seconds * 1e6) } }
}
