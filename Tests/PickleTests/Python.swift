import Foundation
import Testing

/// CPython beside the tests: the oracle of everything.
enum Python {
    /// Whether there is a python3 at all; without one the differential tests are skipped.
    static let isAvailable = (try? run(["-c", "pass"])) != nil

    /// `interop/pickle` of this repository.
    static let scripts = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("interop/pickle")

    struct Failure: Error {
        let status: Int32
    }

    /// Runs python3 with these arguments and returns what it wrote.
    static func run(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3"] + arguments
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        try process.run()
        stdin.fileHandleForWriting.write(Data(input))
        try stdin.fileHandleForWriting.close()
        let output = [UInt8](stdout.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(status: process.terminationStatus) }
        return output
    }

    private static let imports = """
        import collections, datetime, decimal, fractions, http, ipaddress, pathlib, pickle, struct, sys, urllib.parse, uuid
        import zoneinfo
        """

    /// Whether pickles load as what expressions give: by type, and by `==` or, for exceptions, by `repr`.
    static func areEqual(_ pickles: [[UInt8]], _ expressions: [String]) throws -> [Bool] {
        let script = """
            \(imports)
            for text, expression in zip(sys.stdin.read().split(), sys.argv[1:]):
                a, b = pickle.loads(bytes.fromhex(text)), eval(expression)
                same = type(a) is type(b) and (a == b or isinstance(a, Exception) and repr(a) == repr(b))
                print(1 if same and getattr(a, 'maxlen', 0) == getattr(b, 'maxlen', 0) else 0)
            """
        let input = pickles.map { $0.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
        let output = try run(["-c", script] + expressions, input: Array(input.joined(separator: " ").utf8))
        return String(decoding: output, as: UTF8.self).split(separator: "\n").map { $0 == "1" }
    }

    /// What Python's expressions give, each pickled at a protocol; one process for all.
    static func pickles(_ expressions: [String], protocol version: Int) throws -> [[UInt8]] {
        let script = """
            \(imports)
            for expression in sys.argv[1:]:
                data = pickle.dumps(eval(expression), \(version))
                sys.stdout.buffer.write(struct.pack('>I', len(data)) + data)
            """
        let output = try run(["-c", script] + expressions)
        var result: [[UInt8]] = []
        var place = 0
        while place + 4 <= output.count {
            let length = output[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
            result.append(Array(output[place + 4..<place + 4 + length]))
            place += 4 + length
        }
        return result
    }

    /// The cases that `values.py` makes: protocol and pickle.
    static func cases(_ count: Int, seed: Int, fresh: Bool) throws -> [(version: Int, pickle: [UInt8])] {
        let script = scripts.appendingPathComponent("values.py").path
        let output = try run([script, "\(count)", "\(seed)"] + (fresh ? ["fresh"] : []))
        var result: [(Int, [UInt8])] = []
        var place = 0
        while place + 5 <= output.count {
            let length = output[place + 1..<place + 5].reduce(0) { $0 << 8 | Int($1) }
            result.append((Int(output[place]), Array(output[place + 5..<place + 5 + length])))
            place += 5 + length
        }
        return result
    }

    /// The reprs of pickles, by CPython.
    static func reprs(_ pickles: [[UInt8]]) throws -> [String] {
        let script = """
            import sys, pickle, struct
            data = sys.stdin.buffer
            while True:
                head = data.read(4)
                if not head: break
                text = repr(pickle.loads(data.read(struct.unpack('>I', head)[0])))
                sys.stdout.buffer.write((text + '\\0').encode('utf-8', 'backslashreplace'))
            """
        var input: [UInt8] = []
        for pickle in pickles {
            input += (0..<4).map { UInt8(truncatingIfNeeded: pickle.count >> (24 - 8 * $0)) }
            input += pickle
        }
        return try run(["-c", script], input: input).split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
