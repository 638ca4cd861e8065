import NIOCore
import Testing

@testable import Redis

@Suite struct EncodingTests {
    private func encoded(_ batch: RedisBatch) -> String {
        batch.buffer.withUnsafeReadableBytes { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `commands are RESP arrays of bulk strings`() {
        var batch = RedisBatch()
        batch.append(
            "SET",
            "k\u{e9}",
            RedisArgument([0x78, 0x0D, 0x0A]),
            -9_223_372_036_854_775_808,
            RedisArgument(0.5)
        )
        batch.command("PING", argumentCount: 0)
        #expect(
            encoded(batch) == "*5\r\n$3\r\nSET\r\n$3\r\nk\u{e9}\r\n$3\r\nx\r\n\r\n$20\r\n-9223372036854775808\r\n"
                + "$3\r\n0.5\r\n*1\r\n$4\r\nPING\r\n"
        )
        #expect(batch.count == 2)
        #expect(batch.byteCount == encoded(batch).utf8.count)
    }

    /// The right-hand sides are CPython's `repr`.
    @Test(arguments: [
        (0.0, "0.0"), (-0.0, "-0.0"), (1.0, "1.0"), (0.1, "0.1"), (1e15, "1000000000000000.0"), (1e16, "1e+16"),
        (1.2345678901234568e16, "1.2345678901234568e+16"), (-17976931348623156.0, "-1.7976931348623156e+16"),
        (9_999_999_999_999_998.0, "9999999999999998.0"), (18_014_398_509_481_982.0, "1.8014398509481982e+16"),
        (18_014_398_509_481_984.0, "1.8014398509481984e+16"), (1e17, "1e+17"),
        (9_007_199_254_740_994.0, "9007199254740994.0"),
        (-9_007_199_254_740_990.0, "-9007199254740990.0"), (1.5e300, "1.5e+300"),
        (0.0001, "0.0001"), (0.00001, "1e-05"), (1.5e-7, "1.5e-07"), (.leastNonzeroMagnitude, "5e-324"),
        (1_700_000_000.123456, "1700000000.123456"), (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"),
        (1.7976931348623157e308, "1.7976931348623157e+308"), (12_345_678_901_234_560.0, "1.234567890123456e+16"),
    ])
    func `a number is written as Python's repr`(number: Double, text: String) {
        #expect(number.pythonText == text)
    }

    @Test func `batches join, and start anew`() {
        var first = RedisBatch()
        first.append("GET", "a")
        var second = RedisBatch(reservingCapacity: 100)
        second.append("GET", "b")
        second.append(contentsOf: first)
        #expect(second.count == 2)
        #expect(encoded(second).hasSuffix(encoded(first)))
        second.removeAll()
        #expect(second.isEmpty && second.byteCount == 0 && second.fault == nil)
    }

    @Test func `an unfinished command spoils its batch`() {
        var batch = RedisBatch()
        batch.command("GET", argumentCount: 1)
        #expect(batch.fault == .argumentCount)
        batch.argument("k")
        #expect(batch.fault == nil)
        batch.argument("l")
        #expect(batch.fault == .argumentCount)
        batch.append("PING")
        #expect(batch.fault == .argumentCount)
    }

    /// The digests are those of `sha1sum`.
    @Test(arguments: [
        ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (String(repeating: "a", count: 55), "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
        (String(repeating: "a", count: 56), "c2db330f6083854c99d4b5bfb6e8f29f201be699"),
        (String(repeating: "a", count: 64), "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
        (String(repeating: "a", count: 1_000), "291e9a6c66994949b57ba5e650361e98fc36b1ba"),
    ])
    func `a script's name is its SHA-1`(text: String, digest: String) {
        #expect(SHA1.hexadecimal(Array(text.utf8)) == digest)
    }
}
