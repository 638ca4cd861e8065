import Pickle
import TestSupport
import Testing

@testable import Huey

/// `Fixtures/crontab.json` is what huey's `crontab()` makes of each; `interop/crontab.py` writes it.
@Suite("A crontab is huey's crontab")
struct CrontabTests {
    struct Document: Decodable {
        var moments: [Fields]
        var helpers: [String: String]
        var cases: [Case]
    }

    struct Case: Decodable, Sendable {
        var fields: [String: String]
        var strict: Bool
        /// A one, then a bit for each moment, in hexadecimal.
        var matches: String?
        var error: String?

        func make() throws -> Crontab {
            try Crontab(
                minute: fields["minute"] ?? "*",
                hour: fields["hour"] ?? "*",
                day: fields["day"] ?? "*",
                month: fields["month"] ?? "*",
                dayOfWeek: fields["day_of_week"] ?? "*",
                strict: strict
            )
        }
    }

    static let document = Result { try Fixture.load("crontab.json", as: Document.self) }

    private static func matches(_ crontab: Crontab, _ moments: [Fields]) -> String {
        var bits = [true] + moments.map { crontab.matches($0.moment) }
        bits = Array(repeating: false, count: (4 - bits.count % 4) % 4) + bits
        return stride(from: 0, to: bits.count, by: 4).map { start in
            String(bits[start..<start + 4].reduce(0) { $0 * 2 + ($1 ? 1 : 0) }, radix: 16)
        }.joined()
    }

    @Test("it matches the same moments, and refuses the same fields in the same words", arguments: [false, true])
    func parses(strict: Bool) throws {
        let document = try Self.document.get()
        let cases = document.cases.filter { $0.strict == strict }
        try #require(cases.count > 400)
        for test in cases {
            do {
                let matches = Self.matches(try test.make(), document.moments)
                #expect(matches == test.matches, "\(test.fields), \(test.error ?? "no error") expected")
            } catch let error as PickleException {
                #expect(error == test.error.map { .builtin("ValueError", $0) }, "\(test.fields)")
            }
        }
    }

    @Test("every minute, hourly and daily are huey's")
    func helpers() throws {
        let document = try Self.document.get()
        #expect(Self.matches(.everyMinute, document.moments) == document.helpers["everyMinute"])
        #expect(Self.matches(.hourly, document.moments) == document.helpers["hourly"])
        #expect(Self.matches(.daily, document.moments) == document.helpers["daily"])
    }
}

/// A datetime as fixtures hold it: year, month, day, hour, minute, second, microsecond.
struct Fields: Decodable, Sendable, Equatable {
    var values: [Int]

    init(_ moment: PickleDateTime) {
        values = [
            moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond,
        ]
    }

    init(from decoder: any Decoder) throws { values = try decoder.singleValueContainer().decode([Int].self) }

    var moment: PickleDateTime {
        PickleDateTime(
            year: values[0],
            month: values[1],
            day: values[2],
            hour: values[3],
            minute: values[4],
            second: values[5],
            microsecond: values[6]
        )
    }
}
