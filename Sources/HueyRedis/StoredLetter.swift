import Redis

/// A dead letter as it lies on the server: somewhat larger than its message, and so perhaps larger than what the server takes in one string
/// (`proto-max-bulk-len`, 1 MB at the least). It is sent in parts that a script joins.
struct StoredLetter {
    private static let partSize = 1 << 19

    let bytes: [UInt8]

    private var isLarge: Bool { bytes.count > Self.partSize }

    /// How many there are comes first.
    var parts: [RedisArgument] {
        let parts = stride(from: 0, to: bytes.count, by: Self.partSize).map {
            RedisArgument(Array(bytes[$0..<min($0 + Self.partSize, bytes.count)]))
        }
        return [.init(parts.count)] + parts
    }

    /// Adds the letter to the head of a list.
    func push(to key: String, _ batch: inout RedisBatch) {
        guard isLarge else { return batch.append("LPUSH", .init(key), .init(bytes)) }
        let parts = Array(parts.dropFirst())
        if batch.isForScript {
            batch.append("LPUSH+", [.init(key)] + parts)
        } else {
            batch.evaluate(sourceOf: Self.pushScript, keys: [.init(key)], arguments: parts)
        }
    }

    private static let pushScript = RedisScript("return redis.call('LPUSH', KEYS[1], table.concat(ARGV))")

    /// The function `letter()`, which joins what ``parts`` gives as the first arguments, and `rest`, the place of the first argument behind them.
    static let joining = """
        local rest = tonumber(ARGV[1]) + 2
        local function letter() return table.concat({unpack(ARGV, 2, rest - 1)}) end

        """
}
