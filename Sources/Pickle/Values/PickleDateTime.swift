#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// `datetime.datetime`, naive or aware.
public struct PickleDateTime: Sendable, Hashable, PickleCodable {
    public var year: Int
    public var month: Int
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int
    public var microsecond: Int
    /// 1 for the second of the two equal wall times when clocks are set back.
    public var fold: Int
    /// The time zone object, carried as it is; `nil` when naive.
    public var tzinfo: PickleValue?

    public init(
        year: Int,
        month: Int,
        day: Int,
        hour: Int = 0,
        minute: Int = 0,
        second: Int = 0,
        microsecond: Int = 0,
        fold: Int = 0,
        tzinfo: PickleValue? = nil
    ) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.microsecond = microsecond
        self.fold = fold
        self.tzinfo = tzinfo
    }

    /// The naive wall time in UTC of seconds since 1970, as `datetime.utcfromtimestamp` gives it.
    public init(utcSeconds seconds: Int, microsecond: Int = 0) {
        var (days, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
        if rest < 0 { (days, rest) = (days - 1, rest + 86_400) }
        let (year, month, day) = Self.civil(days)
        self.init(
            year: year,
            month: month,
            day: day,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            microsecond: microsecond
        )
    }

    /// The naive wall time in UTC of a date, rounded to microseconds.
    public init(utc date: Date) {
        // Far beyond year 9999, so that encoding refuses it: dates may be infinite.
        let beyond = 1e15
        let given = date.timeIntervalSince1970
        let interval = given.magnitude <= beyond ? given : beyond
        var seconds = interval.rounded(.down)
        var micro = ((interval - seconds) * 1e6).rounded(.toNearestOrEven)
        if micro >= 1e6 {
            seconds += 1
            micro = 0
        }
        self.init(utcSeconds: Int(seconds), microsecond: Int(micro))
    }

    /// Seconds since 1970 of the wall time as if it were UTC, as `calendar.timegm`; without the microseconds.
    ///
    /// Fields beyond all reason, which only a value that was built here can have, count as a thousand million.
    public var secondsAsUTC: Int {
        func bounded(_ field: Int) -> Int { min(max(field, -1_000_000_000), 1_000_000_000) }
        return Self.days(bounded(year), bounded(month), bounded(day)) * 86_400 + bounded(hour) * 3600
            + bounded(minute) * 60 + bounded(second)
    }

    /// The offset from UTC, for `datetime.timezone`, pytz's UTC and fixed offsets, and zones by name; `nil` when naive or unknown.
    public var utcOffset: Duration? {
        guard let tzinfo else { return nil }
        return (try? PickleTimeZone(tzinfo))?.offset(at: self)
    }

    /// The moment in time; `nil` when naive or when the zone is unknown.
    public var date: Date? {
        guard let utcOffset else { return nil }
        let offset = Double(utcOffset.components.seconds) + Double(utcOffset.components.attoseconds) / 1e18
        return Date(second: Double(secondsAsUTC) - offset, microsecond: microsecond)
    }

    // MARK: Wire

    /// Reads all forms: protocols 0 to 5, and Python 2's.
    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "datetime", "datetime") else {
            throw PickleError.mismatch(expected: "datetime.datetime", found: pickle)
        }
        let arguments = object.arguments
        if (1...2).contains(arguments.count), let state = Self.state(arguments[0]) {
            self.init(
                year: Int(state[0]) << 8 | Int(state[1]),
                month: Int(state[2] & 0x7F),
                day: Int(state[3]),
                hour: Int(state[4]),
                minute: Int(state[5]),
                second: Int(state[6]),
                microsecond: Int(state[7]) << 16 | Int(state[8]) << 8 | Int(state[9]),
                fold: Int(state[2] >> 7)
            )
        } else if (3...8).contains(arguments.count), let parts = Self.integers(arguments.prefix(7)) {
            self.init(
                year: parts[0],
                month: parts[1],
                day: parts[2],
                hour: parts[3],
                minute: parts[4],
                second: parts[5],
                microsecond: parts[6]
            )
        } else {
            throw PickleError.mismatch(expected: "datetime.datetime", found: pickle)
        }
        let zone = arguments.count == 2 ? arguments[1] : arguments.count == 8 ? arguments[7] : nil
        if let zone, !zone.isNone { tzinfo = .view(zone) }
        guard isValid, zone?.mayBeTimeZone != false else {
            throw PickleError.mismatch(expected: "datetime.datetime", found: pickle)
        }
    }

    private var isValid: Bool {
        PickleDate(year: year, month: month, day: day).isValid
            && PickleTime.isValid(hour, minute, second, microsecond, fold)
    }

    /// Ten bytes; or a latin-1 str of ten characters, which `pickle.loads(…, encoding='latin1')` of Python 2's gives.
    private static func state(_ view: PickleView) -> [UInt8]? { view.state(of: 10) }

    private static func integers(_ views: Slice<PickleView.Elements>) -> [Int]? {
        var result: [Int] = []
        for view in views {
            guard let value = view.pythonInt else { return nil }
            result.append(value)
        }
        return result + Array(repeating: 0, count: 7 - result.count)
    }

    /// CPython 3's form.
    ///
    /// - Throws: ``PickleError`` `.notEncodable` for a moment that Python does not know.
    public func encode(to writer: inout PickleWriter) throws {
        guard isValid else { throw PickleError(.notEncodable, "no datetime.datetime: \(self)") }
        let foldBit: UInt8 = fold != 0 && writer.pickleProtocol > 3 ? 0x80 : 0
        let state: [UInt8] = [
            UInt8(year >> 8), UInt8(year & 0xFF), UInt8(month) | foldBit, UInt8(day), UInt8(hour), UInt8(minute),
            UInt8(second), UInt8(microsecond >> 16), UInt8(microsecond >> 8 & 0xFF), UInt8(microsecond & 0xFF),
        ]
        try writer.writeReduce(module: "datetime", name: "datetime", argumentCount: tzinfo == nil ? 1 : 2) { writer in
            writer.write(bytes: state)
            if let tzinfo { try tzinfo.encode(to: &writer) }
        }
    }

    // MARK: Calendar

    /// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
    static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The date that many days after 1970-01-01.
    static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex + (monthIndex < 10 ? 3 : -9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }
}

/// Python's `datetime.datetime`: written aware, in UTC; a naive one is read as UTC.
extension Date: PickleCodable {
    public init(pickle: PickleView) throws {
        let value = try PickleDateTime(pickle: pickle)
        if value.tzinfo == nil {
            self.init(second: Double(value.secondsAsUTC), microsecond: value.microsecond)
        } else if let date = value.date {
            self = date
        } else {
            throw PickleError.mismatch(expected: "datetime.datetime in a known time zone", found: pickle)
        }
    }

    public func encode(to writer: inout PickleWriter) throws {
        var value = PickleDateTime(utc: self)
        value.tzinfo = PickleTimeZone.utc.value
        try value.encode(to: &writer)
    }
}

extension Date {
    /// A moment within a second since 1970.
    fileprivate init(second: Double, microsecond: Int) {
        // Its own epoch. Far from now a Date is coarser than a microsecond, and must not become one of the next second: that may be in the
        // year 10000.
        let second = second - Self.timeIntervalBetween1970AndReferenceDate
        let moment = second + Double(microsecond) / 1e6
        self.init(timeIntervalSinceReferenceDate: moment < second + 1 ? moment : (second + 1).nextDown)
    }
}
