public import Pickle

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Python's arithmetic on naive datetimes, and the C library's view of local time, as huey uses them.
extension PickleDateTime {
    /// The moment as a naive datetime in UTC.
    ///
    /// - Throws: ``HueyError`` `.dateOutOfRange` outside the years 1 to 9999.
    public init(microsecondsSinceEpoch: Int) throws { try self.init(naiveMicroseconds: microsecondsSinceEpoch) }

    /// The naive datetime that lies this many microseconds after 1970-01-01 00:00 on the same clock.
    ///
    /// - Throws: ``HueyError`` `.dateOutOfRange` outside the years 1 to 9999.
    package init(naiveMicroseconds total: Int) throws {
        let (seconds, microsecond) = total.flooredDivision(by: 1_000_000)
        guard Self.yearsOneTo9999.contains(seconds) else { throw HueyError(.dateOutOfRange, "date value out of range") }
        self.init(utcSeconds: seconds, microsecond: microsecond)
    }

    /// Python's `datetime.min` to `datetime.max`, in seconds since 1970.
    private static let yearsOneTo9999 = -62_135_596_800..<253_402_300_800

    /// Microseconds since 1970-01-01 00:00 on this datetime's own clock, its zone disregarded; the largest number there is for what does
    /// not fit, which is beyond Python's years.
    package var naiveMicroseconds: Int {
        secondsAsUTC.saturatingMultiplied(by: 1_000_000).saturatingAdded(to: microsecond)
    }

    /// Seconds since the epoch of this naive datetime read as local time: `time.mktime(ts.timetuple())`.
    ///
    /// - Throws: ``HueyError`` `.dateOutOfRange` when the C library has no answer.
    package func mktime() throws -> Int {
        var fields = tm()
        fields.tm_year = Int32(clamping: year.saturatingAdded(to: -1900))
        fields.tm_mon = Int32(clamping: month.saturatingAdded(to: -1))
        fields.tm_mday = Int32(clamping: day)
        fields.tm_hour = Int32(clamping: hour)
        fields.tm_min = Int32(clamping: minute)
        fields.tm_sec = Int32(clamping: second)
        fields.tm_isdst = -1
        // mktime answers -1 for an error and for one second of 1969; only an error leaves the weekday alone.
        fields.tm_wday = -1
        #if canImport(Glibc)
            let seconds = Glibc.mktime(&fields)
        #elseif canImport(Musl)
            let seconds = Musl.mktime(&fields)
        #else
            let seconds = Darwin.mktime(&fields)
        #endif
        guard seconds != -1 || fields.tm_wday != -1 else {
            throw HueyError(.dateOutOfRange, "mktime argument out of range")
        }
        return seconds
    }

    /// The schedule's score on Redis: `mktime` of the naive value plus its microseconds. Mirrors `RedisStorage.convert_ts`.
    ///
    /// - Throws: ``HueyError`` `.dateOutOfRange`.
    package func redisScore() throws -> Double {
        Double(try mktime()) + Double(microsecond) * 1e-6
    }

    /// Seconds since the epoch of this naive datetime read as local time, by Python's own rules for the hour that occurs twice and the
    /// one that does not: `datetime.timestamp()`, `local_to_seconds` in CPython's `_datetimemodule.c`.
    ///
    /// - Throws: ``HueyError`` `.dateOutOfRange` at the ends of time.
    public func pythonTimestamp() throws -> Double {
        Double(localToSeconds()) + Double(microsecond) / 1e6
    }

    private func localToSeconds() -> Int {
        let day = 24 * 3600
        func offset(_ seconds: Int) -> Int { Self.localOffset(at: seconds) }
        let wall = secondsAsUTC
        let before = offset(wall)
        let first = wall - before
        let firstWall = first + offset(first)
        var other: Int
        if firstWall == wall {
            other = offset(first + (fold == 0 ? -day : day))
            if other == before { return first }
        } else {
            other = firstWall - first
        }
        let second = wall - other
        if second + offset(second) == wall { return second }
        if firstWall == wall { return first }
        return fold == 0 ? max(first, second) : min(first, second)
    }

    /// Now, naive: UTC or local.
    package static func now(_ source: TimeSource, utc: Bool) -> PickleDateTime {
        let total = source.microseconds()
        let offset = utc ? 0 : localOffset(at: total.flooredDivision(by: 1_000_000).quotient)
        let local = total.saturatingAdded(to: offset * 1_000_000)
        // A clock beyond the year 9999 is no clock; the epoch is a time that everything compares with.
        return (try? PickleDateTime(naiveMicroseconds: local)) ?? PickleDateTime(year: 1970, month: 1, day: 1)
    }

    /// Seconds that local time is ahead of UTC at a moment, which is given in seconds since 1970.
    private static func localOffset(at moment: Int) -> Int {
        var seconds = time_t(moment)
        var fields = tm()
        localtime_r(&seconds, &fields)
        return fields.tm_gmtoff
    }

    /// The naive datetime some seconds later, rounded as `datetime.timedelta(seconds=…)` rounds.
    ///
    /// - Throws: ``HueyError`` `.dateOutOfRange`, ``PickleException`` for what is no number; both with Python's words.
    package func adding(seconds: Double) throws -> PickleDateTime {
        if seconds.isNaN { throw PickleException.builtin("ValueError", "cannot convert float NaN to integer") }
        guard seconds.isFinite else { throw HueyError(.dateOutOfRange, "cannot convert float infinity to integer") }
        let days = (seconds / 86_400).rounded(.down)
        guard days.magnitude <= Double(Int32.max) else {
            throw HueyError(.dateOutOfRange, "Python int too large to convert to C int")
        }
        guard days.magnitude <= 999_999_999 else {
            throw HueyError(.dateOutOfRange, "days=\(Int(days)); must have magnitude <= 999999999")
        }
        let micros = (seconds * 1e6).rounded(.toNearestOrEven)
        guard micros.magnitude < 9e18 else { throw HueyError(.dateOutOfRange, "date value out of range") }
        return try adding(microseconds: Int(micros))
    }

    package func adding(microseconds: Int) throws -> PickleDateTime {
        let (sum, overflow) = naiveMicroseconds.addingReportingOverflow(microseconds)
        guard !overflow else { throw HueyError(.dateOutOfRange, "date value out of range") }
        return try PickleDateTime(naiveMicroseconds: sum)
    }

    /// The naive datetime that huey stores for a moment. Mirrors `normalize_time(eta=…)`: a naive value is local time and
    /// loses its microseconds on the way to UTC, an aware one keeps them; without `utc`, it is the other way round.
    ///
    /// - Throws: ``HueyError`` `.dateOutOfRange`, or `.invalidConfiguration` for a zone whose offset cannot be known.
    package func normalized(utc: Bool) throws -> PickleDateTime {
        guard tzinfo != nil else {
            return utc ? try PickleDateTime(naiveMicroseconds: try mktime().saturatingMultiplied(by: 1_000_000)) : self
        }
        guard let offset = utcOffset?.wholeMicroseconds else {
            throw HueyError(.invalidConfiguration, "the offset of the datetime's time zone is unknown here")
        }
        let absolute = naiveMicroseconds.saturatingAdded(to: offset.saturatingNegated)
        if utc { return try PickleDateTime(naiveMicroseconds: absolute) }
        let seconds = absolute.flooredDivision(by: 1_000_000).quotient
        let local = seconds + Self.localOffset(at: seconds)
        return try PickleDateTime(naiveMicroseconds: local.saturatingMultiplied(by: 1_000_000))
    }

    /// Python's `<=` between two datetimes of one kind; an aware one is compared by its UTC value.
    package func isNotAfter(_ other: PickleDateTime) -> Bool { comparable <= other.comparable }

    private var comparable: Int {
        guard tzinfo != nil else { return naiveMicroseconds }
        return naiveMicroseconds.saturatingAdded(to: (utcOffset?.wholeMicroseconds ?? 0).saturatingNegated)
    }
}

extension Int {
    /// Python's `divmod`: the remainder is never negative for a positive divisor.
    func flooredDivision(by divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// The sum, or the nearest number that there is: for numbers from outside.
    package func saturatingAdded(to other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (self < 0 ? .min : .max) : sum
    }

    /// The product, or the nearest number that there is: for numbers from outside.
    package func saturatingMultiplied(by factor: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? ((self < 0) == (factor < 0) ? .max : .min) : product
    }

    /// The negative, or the largest number for the smallest.
    var saturatingNegated: Int { self == .min ? .max : -self }
}

extension Duration {
    /// So many seconds, but not less than none and not more than thirty years: a number from outside may be anything.
    package static func bounded(seconds: Double) -> Duration {
        // NaN compares with nothing, and ends as none.
        .seconds(seconds > 0 ? min(seconds, 1e9) : 0)
    }

    /// The duration in microseconds; the largest there is for what does not fit.
    var wholeMicroseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds).saturatingMultiplied(by: 1_000_000)
            .saturatingAdded(to: Int(attoseconds / 1_000_000_000_000))
    }

    /// This pause times a factor that somebody chose, but no longer than the longest: what grows without end overflows one day.
    package func grown(by factor: Double, atMost longest: Duration) -> Duration {
        let seconds = inSeconds * factor
        // NaN compares with nothing.
        return seconds < longest.inSeconds ? .seconds(max(0, seconds)) : longest
    }
}
