internal import BigInt

/// `datetime.timedelta`.
///
/// Python knows spans of at most 999,999,999 days. A value that is decoded lies within that; one that is built here and lies beyond
/// cannot be encoded.
public struct PickleTimeDelta: Sendable, Hashable, PickleCodable {
    /// Whole days; negative for negative spans, as in Python.
    public var days: Int
    /// 0 to 86,399.
    public var seconds: Int
    /// 0 to 999,999.
    public var microseconds: Int

    /// Python's `timedelta.min` to `timedelta.max`, in days.
    static let domain = -999_999_999...999_999_999

    /// Makes a span as Python's constructor does: seconds and microseconds that are too many, or negative, are carried over.
    public init(days: Int = 0, seconds: Int = 0, microseconds: Int = 0) {
        self.init(Int128(days), Int128(seconds), Int128(microseconds))
    }

    private init(_ days: Int128, _ seconds: Int128, _ microseconds: Int128) {
        // The parts have at most 100 bits, so that no carry overflows.
        let (carriedSeconds, micro) = Self.carry(microseconds, 1_000_000)
        let (carriedDays, second) = Self.carry(seconds + carriedSeconds, 86_400)
        self.days = Int(clamping: days + carriedDays)
        self.seconds = second
        self.microseconds = micro
    }

    /// Rounds to whole microseconds, half to even, as Python does.
    public init(_ duration: Duration) {
        let (whole, attoseconds) = duration.components
        let micro = (Double(attoseconds) / 1e12).rounded(.toNearestOrEven)
        self.init(days: 0, seconds: Int(whole), microseconds: Int(micro))
    }

    /// The same span; the longest `Duration` for one that is longer.
    public var duration: Duration {
        let total = Int128(days) * 86_400 + Int128(seconds)
        return Duration(secondsComponent: Int64(clamping: total), attosecondsComponent: 0)
            + .microseconds(microseconds)
    }

    /// Divides and rounds down: what is carried, and what stays.
    private static func carry(_ value: Int128, _ unit: Int128) -> (quotient: Int128, remainder: Int) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: unit)
        return remainder < 0 ? (quotient - 1, Int(remainder + unit)) : (quotient, Int(remainder))
    }

    /// Whether Python has such a span.
    private var isValid: Bool {
        Self.domain.contains(days) && (0..<86_400).contains(seconds) && (0..<1_000_000).contains(microseconds)
    }

    /// Reads what Python's constructor takes: up to three ints, in need of carrying or not.
    ///
    /// - Throws: ``PickleError`` `.typeMismatch`, also for a span that Python does not know (its `OverflowError`).
    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "datetime", "timedelta"), object.arguments.count <= 3
        else { throw PickleError.mismatch(expected: "datetime.timedelta", found: pickle) }
        var parts: [Int128] = [0, 0, 0]
        for (position, argument) in object.arguments.enumerated() {
            guard let value = argument.boundedInteger else {
                throw PickleError.mismatch(expected: "datetime.timedelta", found: pickle)
            }
            parts[position] = value
        }
        self.init(parts[0], parts[1], parts[2])
        guard isValid else {
            throw PickleError.mismatch(expected: "datetime.timedelta of at most 999999999 days", found: pickle)
        }
    }

    /// - Throws: ``PickleError`` `.notEncodable` for a span that Python does not know.
    public func encode(to writer: inout PickleWriter) throws {
        guard isValid else { throw PickleError(.notEncodable, "no datetime.timedelta: \(self)") }
        writer.writeReduce(module: "datetime", name: "timedelta", argumentCount: 3) { writer in
            writer.write(days)
            writer.write(seconds)
            writer.write(microseconds)
        }
    }
}

extension PickleView {
    /// An int or a bool of at most 100 bits, which leaves room to compute with.
    fileprivate var boundedInteger: Int128? {
        if let value = pythonInt { return Int128(value) }
        guard let large = bigInt(bits: 100) else { return nil }
        return Int128(exactly: large)
    }

    /// An int that fits. A bool is an int in Python.
    var pythonInt: Int? { int ?? bool.map { $0 ? 1 : 0 } }

    /// An int of at most so many bits. A longer one is not looked at.
    func bigInt(bits: Int) -> BigInt? {
        let node = node
        if node.tag == .bigInt, Int(node.b) > bits / 8 + 1 { return nil }
        return bigInt.flatMap { $0.bitWidth <= bits + 1 ? $0 : nil }
    }
}

/// Python's `datetime.timedelta`.
extension Duration: PickleCodable {
    public init(pickle: PickleView) throws { self = try PickleTimeDelta(pickle: pickle).duration }

    public func encode(to writer: inout PickleWriter) throws { try PickleTimeDelta(self).encode(to: &writer) }
}
