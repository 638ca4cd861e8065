import Pickle
import TestSupport
import Testing

@testable import Huey

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// `Fixtures/times.json` is Python's and huey's arithmetic; `interop/times.py` writes it.
@Suite("Times are Python's")
struct TimeTests {
    struct Document: Decodable {
        var zones: [Zone]
        var base: Fields
        var sums: [Sum]
    }

    struct Zone: Decodable {
        var zone: String
        var naive: [Naive]
        var aware: [Aware]
        var now: [Now]
    }

    struct Naive: Decodable {
        var moment: Fields
        /// All that C answers, whatever it was asked before.
        var scores: [Double?]
        var utc: [Fields?]
        var local: Fields
    }

    struct Aware: Decodable {
        var moment: Fields
        /// Minutes ahead of UTC.
        var offset: Int
        var utc: Fields
        var local: Fields
    }

    struct Now: Decodable {
        var seconds: Int
        var local: Fields
    }

    struct Sum: Decodable {
        var delay: Double
        var sum: Fields?
    }

    // The process's time zone is global: each zone gets a process of its own.
    @Test("in UTC") func utc() async {
        await #expect(processExitsWith: .success) { try Self.compare(in: "UTC") }
    }

    @Test("in Berlin") func berlin() async {
        await #expect(processExitsWith: .success) { try Self.compare(in: "Europe/Berlin") }
    }

    @Test("in New York") func newYork() async {
        await #expect(processExitsWith: .success) { try Self.compare(in: "America/New_York") }
    }

    @Test("on Lord Howe, where daylight saving is half an hour") func lordHowe() async {
        await #expect(processExitsWith: .success) { try Self.compare(in: "Australia/Lord_Howe") }
    }

    static func compare(in name: String) throws {
        setenv("TZ", name, 1)
        tzset()
        let document = try Fixture.load("times.json", as: Document.self)
        let zone = try #require(document.zones.first { $0.zone == name })
        try #require(zone.naive.count > 100)
        for test in zone.naive {
            let moment = test.moment.moment
            let score = try? moment.redisScore()
            #expect(test.scores.contains { $0 == score }, "the score of \(moment) in \(name)")
            let utc = (try? moment.normalized(utc: true)).map(Fields.init)
            #expect(test.utc.contains { $0 == utc }, "\(moment) in \(name) as UTC")
            #expect(Fields(try moment.normalized(utc: false)) == test.local)
        }
        for test in zone.aware {
            var moment = test.moment.moment
            moment.tzinfo = .call(
                "datetime",
                "timezone",
                [.call("datetime", "timedelta", [0, .int(test.offset * 60), 0])]
            )
            #expect(Fields(try moment.normalized(utc: true)) == test.utc, "\(moment) as UTC")
            #expect(Fields(try moment.normalized(utc: false)) == test.local, "\(moment) in \(name)")
        }
        for test in zone.now {
            let time = ManualTime(test.seconds * 1_000_000 + 7)
            var local = Fields(.now(time.source, utc: false))
            #expect(local.values.removeLast() == 7)
            #expect(local.values == Array(test.local.values.dropLast()), "now in \(name) at \(test.seconds)")
        }
    }

    @Test("a delay is added as a timedelta of so many seconds")
    func sums() throws {
        let document = try Fixture.load("times.json", as: Document.self)
        for test in document.sums {
            let sum = (try? document.base.moment.adding(seconds: test.delay)).map(Fields.init)
            #expect(sum == test.sum, "+ \(test.delay)")
        }
    }

    @Test("a moment beyond the year 9999 is an error", arguments: [Double.infinity, -.infinity, 1e300, 3e11])
    func outOfRange(delay: Double) throws {
        let moment = PickleDateTime(year: 2026, month: 1, day: 1)
        let error = #expect(throws: HueyError.self) { try moment.adding(seconds: delay) }
        #expect(error?.code == .dateOutOfRange)
    }

    @Test("a delay that is no number is Python's ValueError")
    func notANumber() throws {
        let moment = PickleDateTime(year: 2026, month: 1, day: 1)
        let error = #expect(throws: PickleException.self) { try moment.adding(seconds: .nan) }
        #expect(error?.repr == "ValueError('cannot convert float NaN to integer')")
    }

    @Test("the machine's clock is this century's")
    func system() {
        #expect((2025..<2200).contains(PickleDateTime.now(.system, utc: true).year))
    }
}
