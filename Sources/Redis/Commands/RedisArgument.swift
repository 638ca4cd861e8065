/// One argument of a command: Redis only knows bytes, and numbers are written as redis-py's `Encoder` writes them.
public struct RedisArgument: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    enum Value: Sendable, Hashable {
        case string(String)
        case bytes([UInt8])
        case int(Int)
        case double(Double)
    }

    let value: Value

    /// A string, as UTF-8.
    public init(_ string: String) { value = .string(string) }

    /// Bytes, as they are.
    public init(_ bytes: [UInt8]) { value = .bytes(bytes) }

    /// An integer, in decimal.
    public init(_ int: Int) { value = .int(int) }

    /// A number, as Python's `repr` writes it: the shortest decimal that reads back as the same number.
    public init(_ double: Double) { value = .double(double) }

    /// A string, as UTF-8.
    public init(stringLiteral string: String) { self.init(string) }

    /// An integer, in decimal.
    public init(integerLiteral int: Int) { self.init(int) }
}
