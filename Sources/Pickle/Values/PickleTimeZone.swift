#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// A time zone: `datetime.timezone`, `zoneinfo.ZoneInfo`, and read only pytz's UTC and fixed offsets.
public enum PickleTimeZone: Sendable, Hashable, PickleCodable {
    /// `datetime.timezone(offset, name)`; `datetime.timezone.utc` is an offset of zero.
    case fixed(Duration, name: String? = nil)
    /// `zoneinfo.ZoneInfo(key)`, such as `Europe/Berlin`.
    case named(String)

    /// `datetime.timezone.utc`.
    public static let utc = PickleTimeZone.fixed(.zero)

    public init(pickle: PickleView) throws {
        guard let object = pickle.object, let zone = Self.zone(object) else {
            throw PickleError.mismatch(expected: "time zone", found: pickle)
        }
        self = zone
    }

    /// The time zone of a ``PickleDateTime/tzinfo``.
    init(_ value: PickleValue) throws {
        if case .view(let carried) = value {
            try self.init(pickle: carried)
        } else {
            // A value that was built in Swift is looked at in its pickled form.
            try self.init(unpickling: value.pickled())
        }
    }

    /// Whether Python has a zone of this offset: strictly less than a day.
    private static func isOffset(_ offset: Duration) -> Bool { offset > .seconds(-86_400) && offset < .seconds(86_400) }

    private static func zone(_ object: PickleObject) -> PickleTimeZone? {
        let arguments = object.arguments
        if object.isInstance(of: "datetime", "timezone") {
            guard (1...2).contains(arguments.count), let offset = try? Duration(pickle: arguments[0]),
                isOffset(offset), arguments.count == 1 || arguments[1].kind == .string
            else { return nil }
            return .fixed(offset, name: arguments.dropFirst().first?.string)
        }
        if object.isInstance(of: "pytz", "_UTC") { return .utc }
        if object.isInstance(of: "pytz", "_FixedOffset"), let minutes = arguments.first?.int, minutes.magnitude < 1440 {
            return .fixed(.seconds(minutes * 60))
        }
        // zoneinfo.ZoneInfo._unpickle(key, from_cache), as protocol 4 may have it or by `getattr`.
        let isUnpickle =
            object.isInstance(of: "zoneinfo", "ZoneInfo._unpickle")
            || object.callable.object.map { call in
                call.isInstance(of: "builtins", "getattr") && call.arguments.count == 2
                    && call.arguments[0].isGlobal("zoneinfo", "ZoneInfo") && call.arguments[1].equals("_unpickle")
            } ?? false
        return isUnpickle ? (arguments.first?.string).map { .named($0) } : nil
    }

    /// This zone to build with, such as for ``PickleDateTime/tzinfo``.
    public var value: PickleValue {
        switch self {
        case .fixed(let offset, let name):
            let delta = PickleTimeDelta(offset)
            let parts: [PickleValue] = [.int(delta.days), .int(delta.seconds), .int(delta.microseconds)]
            return .call(
                "datetime",
                "timezone",
                [.call("datetime", "timedelta", parts)] + (name.map { [.string($0)] } ?? [])
            )
        case .named(let key): return .call("zoneinfo", "ZoneInfo._unpickle", [.string(key), .int(1)])
        }
    }

    /// - Throws: ``PickleError`` `.notEncodable` for an offset of a day or more, which Python refuses.
    public func encode(to writer: inout PickleWriter) throws {
        if case .fixed(let offset, _) = self, !Self.isOffset(offset) {
            throw PickleError(.notEncodable, "no datetime.timezone: \(offset)")
        }
        try value.encode(to: &writer)
    }

    /// The zone's offset from UTC at a wall time: the first of two equal ones with fold 0, the second with fold 1;
    /// `nil` when this system does not know the zone.
    public func offset(at moment: PickleDateTime) -> Duration? {
        switch self {
        case .fixed(let offset, _): return offset
        case .named(let key):
            guard let zone = TimeZone(identifier: key) else { return nil }
            // Foundation knows nothing of years that Python does not have either.
            let wall = min(max(Double(moment.secondsAsUTC), -62_135_596_800), 253_402_300_800)
            let before = zone.secondsFromGMT(for: Date(timeIntervalSince1970: wall - 86_400))
            let after = zone.secondsFromGMT(for: Date(timeIntervalSince1970: wall + 86_400))
            let candidates = [before, after].filter {
                zone.secondsFromGMT(for: Date(timeIntervalSince1970: wall - Double($0))) == $0
            }
            return .seconds(moment.fold == 0 ? candidates.first ?? before : candidates.last ?? after)
        }
    }
}
