/// Which releases of huey can read what is written: how many fields a message has.
///
/// A consumer whose `Message` class has fewer fields than a message cannot read it at all.
public enum WireVersion: String, Sendable, CaseIterable {
    /// Exactly 10 fields: huey 2.0 to 2.3, which has no defaults for missing or empty ones.
    case v2_0 = "2.0"
    /// 12 fields: huey 2.4 to 2.6.
    case v2_4 = "2.4"
    /// 14 fields: huey 3.0 to 3.2.
    case v3_0 = "3.0"
    /// 15 fields: huey 3.3 and later.
    case v3_3 = "3.3"
    /// The fewest fields that carry the message, at least 10: only a trailing None is left out.
    case auto

    /// How many fields every message has; nil for ``auto``.
    var fieldCount: Int? {
        switch self {
        case .v2_0: 10
        case .v2_4: 12
        case .v3_0: 14
        case .v3_3: 15
        case .auto: nil
        }
    }
}
