import BigInt
import Foundation
import Pickle
import Testing

@Suite("Python's types both ways", .enabled(if: Python.isAvailable, "python3 is not on the PATH"))
struct TypeTests {
    /// Values, and the expression that makes the same in Python.
    private static let pairs: [(any PickleCodable & Equatable & Sendable, String)] = [
        (PickleMapping(.orderedDict, ["a": 1, "b": 2]), "collections.OrderedDict(a=1, b=2)"),
        (
            PickleMapping(.defaultDict(PickleGlobal(module: "builtins", name: "list")), ["a": [1]]),
            "collections.defaultdict(list, {'a': [1]})"
        ),
        (PickleMapping(.defaultDict(nil), [:]), "collections.defaultdict(None)"),
        (PickleMapping(.counter, ["ab": 2]), "collections.Counter({'ab': 2})"),
        (PickleDeque([1, "xy"], maximumLength: 5), "collections.deque([1, 'xy'], 5)"),
        (PickleDeque([1]), "collections.deque([1])"),
        (PickleDeque((0..<2001).map { .int($0) }), "collections.deque(range(2001))"),
        (PickleIPAddress(type: "IPv4Address", text: "10.0.0.255"), "ipaddress.ip_address('10.0.0.255')"),
        (PickleIPAddress(type: "IPv4Network", text: "10.0.0.0/8"), "ipaddress.ip_network('10.0.0.0/8')"),
        (PickleIPAddress(type: "IPv6Network", text: "fe80::/10"), "ipaddress.ip_network('fe80::/10')"),
        (PickleDecimal("-1.50E+7000"), "decimal.Decimal('-1.50E+7000')"),
        (PickleTimeZone.fixed(.seconds(5400)), "datetime.timezone(datetime.timedelta(minutes=90))"),
        (
            PickleTimeZone.fixed(.seconds(-3600), name: "west"),
            "datetime.timezone(datetime.timedelta(hours=-1), 'west')"
        ),
        (PickleTimeZone.named("Europe/Berlin"), "zoneinfo.ZoneInfo('Europe/Berlin')"),
        (PickleFraction(BigInt(-7), BigInt(3)), "fractions.Fraction(-7, 3)"),
        (
            PickleNamedTuple(PickleGlobal(module: "urllib.parse", name: "DefragResult"), ["u", "f"]),
            "urllib.parse.DefragResult('u', 'f')"
        ),
        (PickleEnumMember(PickleGlobal(module: "http", name: "HTTPStatus"), 404), "http.HTTPStatus(404)"),
        (PickleException(name: "KeyError", arguments: ["k"]), "KeyError('k')"),
    ]

    @Test("what Swift writes is what Python has, and what Python writes is what Swift has", arguments: 0...5)
    func bothWays(version: Int) throws {
        let expressions = Self.pairs.map(\.1)
        let theirs = try Python.pickles(expressions, protocol: version)
        let ours = try Self.pairs.map { try $0.0.pickled(protocol: version) }
        #expect(try Python.areEqual(ours, expressions) == expressions.map { _ in true })
        for (pair, pickle) in zip(Self.pairs, theirs) {
            #expect(try Self.isRead(pair.0, pickle), "\(pair.1)")
        }
    }

    private static func isRead<Value: PickleCodable & Equatable>(_ value: Value, _ pickle: [UInt8]) throws -> Bool {
        try Value(unpickling: pickle) == value
    }

    @Test("a name with dots is found by every protocol", arguments: 0...5)
    func dottedNames(version: Int) throws {
        let value = PickleValue.global(PickleGlobal(module: "collections", name: "OrderedDict.fromkeys"))
        #expect(try Python.areEqual([value.pickled(protocol: version)], ["collections.OrderedDict.fromkeys"]) == [true])
    }

    @Test("every address of IPv6 is printed as Python prints it")
    func longAddresses() throws {
        let texts = [
            "::", "::1", "1::", "1:0:0:2::3", "2001:db8::1:0:0:1", "1:2:3:4:5:6:7:8", "0:1::", "fe80::1:0:0:0",
        ]
        let expressions = texts.map { "ipaddress.IPv6Address(int(ipaddress.ip_address('\($0)')))" }
        let ours = try texts.map { text in
            var writer = PickleWriter(protocol: 4)
            return try writer.pickledAddress(Self.number(text))
        }
        #expect(try Python.areEqual(ours, expressions) == texts.map { _ in true })
        for (pickle, text) in zip(ours, texts) { #expect(try PickleIPAddress(unpickling: pickle).text == text) }
    }

    private static func number(_ text: String) -> BigInt {
        let halves = text.components(separatedBy: "::").map { $0.split(separator: ":").map(String.init) }
        let missing = 8 - halves.reduce(0) { $0 + $1.count }
        let groups = halves.count == 1 ? halves[0] : halves[0] + Array(repeating: "0", count: missing) + halves[1]
        return groups.reduce(0) { $0 << 16 | (BigInt($1, radix: 16) ?? 0) }
    }

    @Test("numpy's arrays and scalars, as numpy 1.26 and 2.4 write them, are read")
    func arrays() throws {
        for (text, scalar) in Golden.arrays {
            let root = try PickleDocument(Array(#require(Data(base64Encoded: text)))).root
            let array = try PickleArray(pickle: #require(root[0]))
            #expect(array == PickleArray(dtype: "<i4", shape: [3], bytes: [0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]))
            #expect(try PickleArray(pickle: #require(root[1])).dtype == scalar)
            #expect(try PickleArray(pickle: #require(root[1])).isScalar)
        }
        // Alone, an array is written to numpy 1's own bytes but for names that it shares.
        let scalar = PickleArray(dtype: "<f8", shape: [], isScalar: true, bytes: [0, 0, 0, 0, 0, 0, 0xF8, 0x3F])
        #expect(try PickleArray(unpickling: scalar.pickled(protocol: 2)) == scalar)
        let times = PickleArray(dtype: "<M8[25s]", shape: [1], bytes: Array(repeating: 1, count: 8))
        #expect(try PickleArray(unpickling: times.pickled()) == times)
        #expect(throws: PickleError.self) { try PickleArray(dtype: "|V12", shape: [], bytes: []).pickled() }
    }

    @Test(
        "the last moments of a second stay in it as a Date, the last of all in the year 9999",
        arguments: [1, 1970, 2026, 9999]
    )
    func lastMoments(year: Int) throws {
        for tzinfo in [nil, PickleTimeZone.utc.value] {
            var moment = PickleDateTime(
                year: year,
                month: 12,
                day: 31,
                hour: 23,
                minute: 59,
                second: 59,
                microsecond: 999_999
            )
            moment.tzinfo = tzinfo
            let date = try Date(pickle: PickleDocument(moment.pickled()).root)
            let back = try PickleDateTime(pickle: PickleDocument(date.pickled()).root)
            #expect(back.year == year)
            #expect(back.second == 59)
            #expect(back.microsecond >= 999_900)
        }
    }

    @Test("a str of Python 2 is bytes until an encoding is named", arguments: Golden.python2)
    func python2(text: String) throws {
        let bytes = try Array(#require(Data(base64Encoded: text)))
        let root = try PickleDocument(bytes).root
        #expect(root[0]?.string == "€")
        let cafe = try #require(root[1])
        #expect(cafe.isPython2String && cafe.string == nil && cafe.bytes == [0x63, 0x61, 0x66, 0xE9])
        #expect(cafe.string(python2: .latin1) == "café")
        #expect(cafe.string(python2: .ascii) == nil && cafe.string(python2: .utf8) == nil)
        #expect(root[2]?["k"]?.int == 1)
        #expect(try PickleDateTime(pickle: #require(root[3])).description == "2024-02-29 01:02:03")
    }
}

extension PickleWriter {
    /// An address as CPython 3.9 writes it: its number.
    fileprivate mutating func pickledAddress(_ number: BigInt) throws -> [UInt8] {
        writeReduce(module: "ipaddress", name: "IPv6Address", argumentCount: 1) { $0.write(number) }
        return try finish()
    }
}
