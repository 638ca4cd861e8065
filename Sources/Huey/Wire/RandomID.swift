import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Random UUIDs (version 4) as Python's `str(uuid.uuid4())` spells them.
///
/// The system's random numbers come 256 bytes at a time: asking for each id alone costs more than writing its message.
enum RandomID {
    private struct Pool {
        private var words: [UInt64] = []
        private var used = 0

        mutating func next() -> UInt64 {
            if used == words.count {
                words = Self.fresh()
                used = 0
            }
            used += 1
            return words[used - 1]
        }

        private static func fresh() -> [UInt64] {
            // As many bytes as getentropy gives at once.
            var words = [UInt64](repeating: 0, count: 32)
            let isFull = words.withUnsafeMutableBytes { buffer in
                buffer.baseAddress.map { getentropy($0, buffer.count) == 0 } ?? false
            }
            if isFull { return words }
            var generator = SystemRandomNumberGenerator()
            return words.map { _ in generator.next() }
        }
    }

    private static let pool = Mutex(Pool())
    private static let digits = Array("0123456789abcdef".utf8)

    static func make() -> String {
        var (high, low) = pool.withLock { ($0.next(), $0.next()) }
        high = high & ~0xF000 | 0x4000
        low = low & ~(0b11 << 62) | 0b10 << 62
        return String(unsafeUninitializedCapacity: 36) { buffer in
            var place = 0
            for index in 0..<32 {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    buffer[place] = UInt8(ascii: "-")
                    place += 1
                }
                let word = index < 16 ? high : low
                buffer[place] = digits[Int(word >> (60 - 4 * UInt64(index % 16)) & 0xF)]
                place += 1
            }
            return place
        }
    }
}
