import BigInt
import Pickle
import Testing

/// Values that CPython's own constructors refuse are refused when they are decoded, and arithmetic bears those that are built here.
@Suite("Python's domain")
struct DomainTests {
    private func call(_ module: String, _ name: String, _ arguments: PickleValue...) throws -> PickleView {
        try PickleDocument(PickleValue.call(module, name, arguments).pickled()).root
    }

    private func refuses<Value: PickleDecodable>(_ type: Value.Type, _ view: PickleView) -> Bool {
        do {
            _ = try Value(pickle: view)
            return false
        } catch {
            return (error as? PickleError)?.code == .typeMismatch
        }
    }

    @Test(
        "timedelta: at most 999,999,999 days, carried as Python carries",
        arguments: [
            ([999_999_999, 86_399, 999_999], true), ([999_999_999, 86_400, 0], false), ([-999_999_999, 0, 0], true),
            ([-999_999_999, 0, -1], false), ([1_000_000_000, 0, 0], false), ([1_000_000_000, -1, 0], true),
            ([(1 << 50) - 1, 0, 0], false), ([.max, .max, .max], false), ([.min, .min, .min], false),
            ([.min, .max, 0], false), ([0, .max, 0], false), ([0, 0, .max], true), ([0, 0, .min], true), ([], true),
        ] as [([Int], Bool)]
    )
    func timedelta(_ parts: [Int], _ isValid: Bool) throws {
        let view = try PickleDocument(
            PickleValue.call("datetime", "timedelta", parts.map { .int($0) }).pickled()
        ).root
        #expect(refuses(PickleTimeDelta.self, view) == !isValid)
        #expect(refuses(Duration.self, view) == !isValid)
        if isValid {
            let delta = try PickleTimeDelta(pickle: view)
            #expect(try PickleTimeDelta(unpickling: delta.pickled()) == delta)
        }
    }

    @Test("timedelta: ints beyond 64 bits and bools are carried, too")
    func largeTimedelta() throws {
        let micros = BigInt(999_999_999) * 86_400_000_000
        let view = try call("datetime", "timedelta", .int(0), .int(0), .bigInt(micros))
        #expect(try PickleTimeDelta(pickle: view) == PickleTimeDelta(days: 999_999_999))
        #expect(refuses(PickleTimeDelta.self, try call("datetime", "timedelta", .bigInt(BigInt(1) << 90))))
        #expect(refuses(PickleTimeDelta.self, try call("datetime", "timedelta", .bigInt(BigInt(1) << 4000))))
        #expect(try PickleTimeDelta(pickle: call("datetime", "timedelta", .bool(true))).days == 1)
    }

    @Test("spans that were built here and that Python does not know are computed with, but not written")
    func builtSpans() {
        for days in [Int.min, -1_000_000_000, 1_000_000_000, Int.max] {
            let delta = PickleTimeDelta(days: days, seconds: days, microseconds: days)
            _ = delta.duration
            #expect(throws: PickleError.self) { try delta.pickled() }
        }
        #expect(throws: PickleError.self) { try Duration.seconds(Int64.max).pickled() }
        #expect(throws: PickleError.self) { try Duration.seconds(Int64.min).pickled() }
    }

    @Test(
        "timezone: strictly within a day",
        arguments: [
            ([0, 86_399, 999_999], true), ([1, 0, 0], false), ([-1, 0, 0], false), ([-1, 0, 1], true),
            ([0, 86_400, 0], false), ([999_999_999, 0, 0], false), ([(1 << 50) - 1, 0, 0], false),
        ]
    )
    func timezone(_ parts: [Int], _ isValid: Bool) throws {
        let zone = PickleValue.call("datetime", "timezone", [.call("datetime", "timedelta", parts.map { .int($0) })])
        #expect(refuses(PickleTimeZone.self, try PickleDocument(zone.pickled()).root) == !isValid)
        let state = PickleValue.bytes([0x07, 0xEA, 1, 31, 12, 0, 0, 0, 0, 0])
        #expect(refuses(PickleDateTime.self, try call("datetime", "datetime", state, zone)) == !isValid)
        #expect(refuses(PickleTime.self, try call("datetime", "time", .bytes([1, 2, 3, 0, 0, 0]), zone)) == !isValid)
    }

    @Test("timezone: an offset of a day is not written, a name that is no str is not read")
    func zones() throws {
        #expect(throws: PickleError.self) { try PickleTimeZone.fixed(.seconds(86_400)).pickled() }
        #expect(throws: PickleError.self) { try PickleTimeZone.fixed(.seconds(Int64.min)).pickled() }
        let hour = PickleValue.call("datetime", "timedelta", [0, 3600, 0])
        #expect(refuses(PickleTimeZone.self, try call("datetime", "timezone", hour, .int(1))))
        #expect(refuses(PickleDateTime.self, try call("datetime", "datetime", 2026, 1, 1, 0, 0, 0, 0, .int(1))))
    }

    @Test(
        "datetime and date: days that the calendar has, in years 1 to 9999, in both forms",
        arguments: [
            ([1, 1, 1], true), ([9999, 12, 31], true), ([0, 1, 1], false), ([10_000, 1, 1], false),
            ([2026, 2, 29], false), ([2024, 2, 29], true), ([1900, 2, 29], false), ([2000, 2, 29], true),
            ([2026, 4, 31], false), ([2026, 0, 1], false), ([2026, 13, 1], false), ([2026, 1, 0], false),
            ([2026, 1, 32], false),
        ]
    )
    func days(_ parts: [Int], _ isValid: Bool) throws {
        let (year, month, day) = (parts[0], parts[1], parts[2])
        let state = [UInt8(year >> 8), UInt8(year & 0xFF), UInt8(month), UInt8(day)]
        let arguments = parts.map { PickleValue.int($0) }
        for form in [arguments, [.bytes(state)]] {
            let view = try PickleDocument(PickleValue.call("datetime", "date", form).pickled()).root
            #expect(refuses(PickleDate.self, view) == !isValid)
        }
        for form in [arguments, [.bytes(state + [0, 0, 0, 0, 0, 0])]] {
            let view = try PickleDocument(PickleValue.call("datetime", "datetime", form).pickled()).root
            #expect(refuses(PickleDateTime.self, view) == !isValid)
        }
        let moment = PickleDateTime(year: year, month: month, day: day)
        #expect(((try? moment.pickled()) != nil) == isValid)
    }

    @Test("time of day: every field in its range, in both forms")
    func times() throws {
        for fields in [
            [24, 0, 0, 0], [0, 60, 0, 0], [0, 0, 60, 0], [0, 0, 0, 1_000_000], [-1, 0, 0, 0], [.max, 0, 0, 0],
        ] {
            let arguments = fields.map { PickleValue.int($0) }
            let view = try PickleDocument(PickleValue.call("datetime", "time", arguments).pickled()).root
            #expect(refuses(PickleTime.self, view))
            let moment = PickleValue.call("datetime", "datetime", [2026, 1, 1] + arguments)
            #expect(refuses(PickleDateTime.self, try PickleDocument(moment.pickled()).root))
        }
        let view = try call("datetime", "time", 1, 2, 3, 4)
        #expect(try PickleTime(pickle: view) == PickleTime(hour: 1, minute: 2, second: 3, microsecond: 4))
        #expect(refuses(PickleTime.self, try call("datetime", "time", .bytes([0, 0, 0, 0x0F, 0x42, 0x40]))))
    }

    @Test("datetimes beyond all reason are computed with")
    func unreasonable() {
        for extreme in [Int.min, Int.min + 1, -1, Int.max] {
            var moment = PickleDateTime(
                year: extreme,
                month: extreme,
                day: extreme,
                hour: extreme,
                minute: extreme,
                second: extreme,
                microsecond: extreme
            )
            _ = (moment.secondsAsUTC, moment.date, moment.description, PickleDateTime(utcSeconds: extreme))
            for zone in [PickleTimeZone.fixed(.seconds(Int64.min)), .named("Europe/Berlin")] {
                moment.tzinfo = zone.value
                _ = (moment.date, moment.utcOffset, moment.description)
            }
        }
        #expect(
            PickleDateTime(utcSeconds: -1)
                == PickleDateTime(year: 1969, month: 12, day: 31, hour: 23, minute: 59, second: 59)
        )
    }

    @Test("fractions have no zero for a denominator, decimals and addresses are ones")
    func numbers() throws {
        #expect(refuses(PickleFraction.self, try call("fractions", "Fraction", 1, 0)))
        #expect(refuses(PickleFraction.self, try call("fractions", "Fraction", "1/0")))
        let fraction = try PickleFraction(pickle: call("fractions", "Fraction", 1, -3))
        #expect(fraction == PickleFraction(-1, 3))
        for text in ["", "abc", "1e", ".", "1.2.3", "--1", "infinit", "1_0e5x", "nan1x"] {
            #expect(refuses(PickleDecimal.self, try call("decimal", "Decimal", .string(text))), "\(text)")
        }
        for text in ["0", "-12.50", "1E+3", ".5", "5.", "NaN", "-sNaN12", "Infinity", "-inf", "1e999999999"] {
            #expect(try PickleDecimal(pickle: call("decimal", "Decimal", .string(text))).text == text)
        }
        for (type, text) in [
            ("IPv4Address", "1.2.3"), ("IPv4Address", "1.2.3.256"), ("IPv4Address", "01.2.3.4"),
            ("IPv4Address", "1.2.3.4/8"),
            ("IPv4Network", "10.0.0.0/33"), ("IPv6Address", ":::"), ("IPv6Address", "1::2::3"),
            ("IPv6Address", "12345::"),
            ("IPv6Network", "::/129"), ("IPv9Address", "1.2.3.4"), ("IPv6Address", "1:2:3:4:5:6:7"),
        ] {
            #expect(refuses(PickleIPAddress.self, try call("ipaddress", type, .string(text))), "\(text)")
        }
        for (type, text) in [
            ("IPv4Address", "10.0.0.1"), ("IPv4Network", "10.0.0.0/8"), ("IPv6Address", "::"), ("IPv6Address", "::1"),
            ("IPv6Address", "fe80::1%eth0"), ("IPv6Network", "2001:db8::/32"), ("IPv6Address", "1:2:3:4:5:6:7:8"),
            ("IPv6Address", "::ffff:1.2.3.4"), ("IPv6Address", "1::"), ("IPv4Interface", "10.0.0.5/24"),
        ] {
            #expect(try PickleIPAddress(pickle: call("ipaddress", type, .string(text))).text == text, "\(text)")
        }
        #expect(refuses(PickleDeque.self, try call("collections", "deque", [], -1)))
    }

    @Test("an array's bytes are those that its shape and dtype need")
    func arrays() throws {
        func array(_ dtype: String, _ shape: [Int], _ bytes: Int) -> Bool {
            let array = PickleArray(dtype: dtype, shape: shape, bytes: Array(repeating: 0, count: bytes))
            return (try? array.pickled()).map { (try? PickleArray(unpickling: $0)) != nil } ?? false
        }
        #expect(array("<f8", [2, 3], 48))
        #expect(array("<f8", [0, 3], 0))
        #expect(array("<U3", [2], 24))
        #expect(!array("<f8", [2, 3], 40))
        #expect(!array("<f8", [-1, -6], 48))
        #expect(!array("<f8", [1 << 62, 4], 0))
        #expect(!array("<f8", [1 << 32, 1 << 32], 8))
        #expect(!array("<f8", [0, 1 << 61], 0))
        #expect(!array("<f9223372036854775807", [2], 8))
        #expect(!array("<U4611686018427387904", [1], 8))
    }
}
