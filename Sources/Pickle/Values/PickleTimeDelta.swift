/// `datetime.timedelta`.
public struct PickleTimeDelta: Sendable, Hashable, PickleCodable {
    /// Whole days; negative for negative spans, as in Python.
    public var days: Int
    /// 0 to 86,399.
    public var seconds: Int
    /// 0 to 999,999.
    public var microseconds: Int

    public init(days: Int = 0, seconds: Int = 0, microseconds: Int = 0) {
        self.days = days
        self.seconds = seconds
        self.microseconds = microseconds
        normalize()
    }

    /// Rounds to whole microseconds, half to even, as Python does.
    public init(_ duration: Duration) {
        let (whole, attoseconds) = duration.components
        let micro = (Double(attoseconds) / 1e12).rounded(.toNearestOrEven)
        self.init(days: 0, seconds: Int(whole), microseconds: Int(micro))
    }

    /// The same span.
    public var duration: Duration {
        .seconds(days) * 86_400 + .seconds(seconds) + .microseconds(microseconds)
    }

    private mutating func normalize() {
        func carry(_ low: inout Int, _ unit: Int, _ high: inout Int) {
            var quotient = low / unit
            if low % unit < 0 { quotient -= 1 }
            low = low &- quotient &* unit
            high = high.addingReportingOverflow(quotient).partialValue
        }
        carry(&microseconds, 1_000_000, &seconds)
        carry(&seconds, 86_400, &days)
    }

    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "datetime", "timedelta"), object.arguments.count <= 3
        else { throw PickleError.mismatch(expected: "datetime.timedelta", found: pickle) }
        var parts = [0, 0, 0]
        for (place, argument) in object.arguments.enumerated() {
            guard let value = argument.int, value.magnitude < 1 << 50 else {
                throw PickleError.mismatch(expected: "datetime.timedelta", found: pickle)
            }
            parts[place] = value
        }
        self.init(days: parts[0], seconds: parts[1], microseconds: parts[2])
    }

    public func encode(to writer: inout PickleWriter) {
        writer.writeReduce(module: "datetime", name: "timedelta", argumentCount: 3) { writer in
            writer.write(days)
            writer.write(seconds)
            writer.write(microseconds)
        }
    }
}

/// Python's `datetime.timedelta`.
extension Duration: PickleCodable {
    public init(pickle: PickleView) throws { self = try PickleTimeDelta(pickle: pickle).duration }

    public func encode(to writer: inout PickleWriter) { PickleTimeDelta(self).encode(to: &writer) }
}
