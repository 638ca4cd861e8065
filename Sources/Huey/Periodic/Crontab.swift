public import Pickle

/// When a periodic task is due: huey's `crontab()`, with its grammar and its leniences.
///
/// Each field is a comma-separated list of `*`, `n`, `m-n`, `m-n/step` or `*/n`; a piece of another form is ignored unless
/// `strict` is set. On the day of the week 0 and 7 are Sunday.
public struct Crontab: Sendable {
    /// Allowed values as bits, in huey's order of checking.
    private let month: UInt64
    private let day: UInt64
    private let dayOfWeek: UInt64
    private let hour: UInt64
    private let minute: UInt64

    /// - Throws: ``PickleException``, a `ValueError` with huey's text, for a field that huey would refuse.
    public init(
        minute: String = "*",
        hour: String = "*",
        day: String = "*",
        month: String = "*",
        dayOfWeek: String = "*",
        strict: Bool = false
    ) throws {
        self.month = try CrontabField(range: 1...12).parse(month, strict: strict)
        self.day = try CrontabField(range: 1...31).parse(day, strict: strict)
        self.dayOfWeek = try CrontabField(range: 0...7, isWeekday: true).parse(dayOfWeek, strict: strict)
        self.hour = try CrontabField(range: 0...23).parse(hour, strict: strict)
        self.minute = try CrontabField(range: 0...59).parse(minute, strict: strict)
    }

    private init(minute: UInt64, hour: UInt64) {
        month = .max
        day = .max
        dayOfWeek = .max
        self.hour = hour
        self.minute = minute
    }

    /// Every minute: `crontab(minute='*')`.
    public static let everyMinute = Crontab(minute: .max, hour: .max)
    /// At the full hour: `crontab.hourly()`.
    public static let hourly = Crontab(minute: 1, hour: .max)
    /// At midnight: `crontab.daily()`.
    public static let daily = Crontab(minute: 1, hour: 1)

    /// Whether the datetime's own fields, its zone disregarded, match.
    public func matches(_ moment: PickleDateTime) -> Bool {
        let days = moment.naiveMicroseconds.flooredDivision(by: 86_400_000_000).quotient
        let weekday = (days + 4).flooredDivision(by: 7).remainder
        return month.contains(moment.month) && day.contains(moment.day) && dayOfWeek.contains(weekday)
            && hour.contains(moment.hour) && minute.contains(moment.minute)
    }
}

/// One field of a crontab.
private struct CrontabField {
    let range: ClosedRange<Int>
    var isWeekday = false

    func parse(_ text: String, strict: Bool) throws -> UInt64 {
        var values: UInt64 = 0
        for piece in text.split(separator: ",", omittingEmptySubsequences: false) {
            if piece == "*" {
                for value in range { values.insert(value) }
            } else if let number = Self.number(piece) {
                guard range.contains(number) else { throw Self.error("\(number) is not a valid input") }
                values.insert(isWeekday ? number % 7 : number)
            } else if let (lower, upper, step) = Self.span(piece) {
                for value in try span(piece, lower, upper, step) { values.insert(isWeekday ? value % 7 : value) }
            } else if piece.hasPrefix("*/"), let step = Self.number(piece.dropFirst(2)) {
                if isWeekday { throw Self.error("Cannot perform this kind of matching on day-of-week.") }
                for value in try every(step, Array(range)) { values.insert(value) }
            } else if strict {
                throw Self.error("\(piece) is not a valid input")
            }
        }
        guard values != 0 else { throw Self.error("\(text) matches no values") }
        return values
    }

    private func span(_ piece: Substring, _ lower: Int, _ upper: Int, _ step: Int) throws -> [Int] {
        guard range.contains(lower), range.contains(upper) else { throw Self.error("\(piece) is not a valid input") }
        if lower <= upper { return try every(step, Array(lower...upper)) }
        // Around the end of the range; a week ends with Saturday.
        let last = isWeekday ? 6 : range.upperBound
        return try every(step, Array(lower..<max(lower, last + 1)) + Array(range.lowerBound...upper))
    }

    private func every(_ step: Int, _ values: [Int]) throws -> [Int] {
        guard step > 0 else { throw Self.error("slice step cannot be zero") }
        // A step beyond the list takes its first value, however large.
        return step >= values.count
            ? Array(values.prefix(1)) : stride(from: 0, to: values.count, by: step).map { values[$0] }
    }

    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        // More digits than an Int holds are out of every range, as the number itself would be.
        return Int(text) ?? Int.max
    }

    private static func span(_ piece: Substring) -> (lower: Int, upper: Int, step: Int)? {
        let parts = piece.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let bounds = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, let lower = number(bounds[0]), let upper = number(bounds[1]) else { return nil }
        guard parts.count == 2 else { return (lower, upper, 1) }
        guard let step = number(parts[1]) else { return nil }
        return (lower, upper, step)
    }

    private static func error(_ text: String) -> PickleException { .builtin("ValueError", text) }
}

extension UInt64 {
    fileprivate func contains(_ bit: Int) -> Bool { (0..<64).contains(bit) && self & (1 << UInt64(bit)) != 0 }

    fileprivate mutating func insert(_ bit: Int) { self |= 1 << UInt64(bit) }
}
