import Foundation
import Pickle
import Testing

@Suite("Beside CPython", .enabled(if: Python.isAvailable, "python3 is not on the PATH"))
struct DifferentialTests {
    @Test("random pickles are written again byte for byte at their own protocol")
    func recodes() throws {
        let cases = try Python.cases(60, seed: 11, fresh: false)
        #expect(cases.count > 300)
        for (version, pickle) in cases {
            let document = try PickleDocument(pickle)
            #expect(document.pickleProtocol <= version)
            let isSame = try document.encoded(protocol: version) == pickle
            #expect(isSame, "\(version): \(document.root.repr(limit: 300))")
        }
    }

    @Test("values without sharing are written afresh byte for byte, instances in them carried")
    func freshValues() throws {
        let cases = try Python.cases(250, seed: 12, fresh: true)
        #expect(cases.count > 200)
        for (version, pickle) in cases {
            let root = try PickleDocument(pickle).root
            let isSame = try PickleValue(root).pickled(protocol: version) == pickle
            #expect(isSame, "\(version): \(root.repr(limit: 300))")
        }
    }

    @Test("reprs are Python's")
    func reprs() throws {
        let expressions = [
            "None", "True", "-5", "10**30", "1.5", "1e16", "1e-5", "-0.0", "float('inf')", "123456789012345680.0",
            "5e-324",
            "'it\\'s'", "'say \"it\\'s\"'", "'é€\\n\\x00\\u200b'", "b'\\x00a\\'\"'", "bytearray(b'x')",
            "[1, (2,), (), {3}]",
            "{'a': {1: frozenset([2])}, 'b': set(), 'c': frozenset()}", "ValueError('boom', 1)", "'\\ud800'",
        ]
        let pickles = try Python.pickles(expressions, protocol: 4)
        let expected = try Python.reprs(pickles)
        for (pickle, expected) in zip(pickles, expected) {
            #expect(try PickleDocument(pickle).root.repr == expected)
        }
    }

    @Test("INT reads every short line as the C unpickler does")
    func integerLines() throws {
        let alphabet = [UInt8]("\0\t +-012x_L".utf8)
        var lines = alphabet.map { [$0] }
        for _ in 0..<2 { lines += lines.flatMap { line in alphabet.map { line + [$0] as [UInt8] } } }
        let script = """
            import pickle, sys
            for line in sys.stdin.buffer.read().split(b'\\n')[:-1]:
                try: print(repr(pickle.loads(b'I' + line + b'\\n.')))
                except ValueError: print('error')
            """
        let input = lines.flatMap { $0 + [0x0A] as [UInt8] }
        let output = String(decoding: try Python.run(["-c", script], input: input), as: UTF8.self)
        let expected = output.split(separator: "\n")
        try #require(expected.count == lines.count)
        for (line, expected) in zip(lines, expected) {
            let found = (try? PickleDocument([0x49] + line + [0x0A, 0x2E]).root.repr) ?? "error"
            #expect(found == expected, "\(line)")
        }
    }

    @Test("standard types are written as CPython writes them", arguments: [2, 3, 4, 5])
    func standardTypes(version: Int) throws {
        let uuid = try #require(UUID(uuidString: "12345678-1234-5678-1234-567812345678"))
        let pairs: [(any PickleEncodable, String)] = [
            (
                PickleDateTime(year: 2024, month: 2, day: 29, hour: 1, minute: 2, second: 3, microsecond: 4),
                "datetime.datetime(2024, 2, 29, 1, 2, 3, 4)"
            ),
            (PickleDate(year: 2024, month: 2, day: 29), "datetime.date(2024, 2, 29)"),
            (PickleTime(hour: 1, minute: 2, second: 3), "datetime.time(1, 2, 3)"),
            (Duration.milliseconds(-1500), "datetime.timedelta(seconds=-1.5)"),
            (
                Date(timeIntervalSince1970: 0.5),
                "datetime.datetime(1970,1,1,0,0,0,500000,tzinfo=datetime.timezone.utc)"
            ),
            (PickleComplex(real: 1, imaginary: -2.5), "complex(1, -2.5)"),
            (uuid, "uuid.UUID('12345678-1234-5678-1234-567812345678')"),
            (PickleException(name: "ValueError", arguments: ["boom"]), "ValueError('boom')"),
            (PickleBytes([]), "b''"), (Set([7]), "{7}"), (["a": [1, 2]], "{'a': [1, 2]}"), ("é", "'é'"),
        ]
        let pickles = try Python.pickles(pairs.map(\.1), protocol: version)
        for ((value, expression), theirs) in zip(pairs, pickles) {
            let ours = try value.pickled(protocol: version)
            if expression.contains("timezone") || expression.contains("uuid") {
                // Which of the names are one string is up to how the module was compiled.
                let reprs = try Python.reprs([ours, theirs])
                #expect(reprs.first == reprs.last)
            } else {
                #expect(ours == theirs, "\(expression)")
            }
        }
    }

    @Test("standard types are read from every protocol", arguments: 0...5)
    func readsStandardTypes(version: Int) throws {
        let expressions = [
            "datetime.datetime(2024, 2, 29, 1, 2, 3, 4)",
            "datetime.datetime(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin'))",
            "datetime.timedelta(-1, 5, 6)", "uuid.UUID(int=2**127 + 5)", "decimal.Decimal('-12.50')",
            "fractions.Fraction(-1, 3)", "complex(1, 2)", "{1, 2, 3}", "b'\\x00\\xff'", "bytearray(b'ab')",
            "collections.Counter('aab')", "collections.deque([1, 2])", "pathlib.PurePosixPath('/usr/bin')",
        ]
        let roots = try Python.pickles(expressions, protocol: version).map { try PickleDocument($0).root }
        try #require(roots.count == expressions.count)
        #expect(try PickleDateTime(pickle: roots[0]).description == "2024-02-29 01:02:03.000004")
        #expect(try PickleDateTime(pickle: roots[1]).utcOffset == .seconds(7200))
        #expect(try Duration(pickle: roots[2]) == .seconds(-86_395) + .microseconds(6))
        #expect(try UUID(pickle: roots[3]).uuidString == "80000000-0000-0000-0000-000000000005")
        #expect(try Decimal(pickle: roots[4]) == Decimal(string: "-12.5"))
        let fraction = try PickleFraction(pickle: roots[5])
        #expect("\(fraction.numerator)/\(fraction.denominator)" == "-1/3")
        #expect(try PickleComplex(pickle: roots[6]) == PickleComplex(real: 1, imaginary: 2))
        #expect(try Set<Int>(pickle: roots[7]) == [1, 2, 3])
        #expect(try Data(pickle: roots[8]) == Data([0, 255]))
        #expect(try PickleBytes(pickle: roots[9]) == PickleBytes([97, 98]))
        #expect(roots[10].mapping?.map { "\($0.key)\($0.value)" } == ["'a'2", "'b'1"])
        #expect(roots[11].sequence?.map(\.int) == [1, 2])
        #expect(roots[12].path == "/usr/bin")
    }
}
