public import BigInt

/// Python's `complex`.
public struct PickleComplex: Sendable, Hashable, PickleCodable {
    public var real: Double
    public var imaginary: Double

    public init(real: Double, imaginary: Double) {
        self.real = real
        self.imaginary = imaginary
    }

    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "builtins", "complex"), object.arguments.count == 2,
            let real = object.arguments[0].double, let imaginary = object.arguments[1].double
        else { throw PickleError.mismatch(expected: "complex", found: pickle) }
        self.init(real: real, imaginary: imaginary)
    }

    public func encode(to writer: inout PickleWriter) {
        writer.writeReduce(module: "builtins", name: "complex", argumentCount: 2) { writer in
            writer.write(real)
            writer.write(imaginary)
        }
    }
}

/// `fractions.Fraction`. Written with two ints as CPython 3.12 and later do; every release reads that.
public struct PickleFraction: Sendable, Hashable, PickleCodable {
    public var numerator: BigInt
    public var denominator: BigInt

    public init(_ numerator: BigInt, _ denominator: BigInt) {
        self.numerator = numerator
        self.denominator = denominator
    }

    /// Reads two ints, and the text that releases before 3.12 write. The sign is the numerator's, as in Python.
    ///
    /// - Throws: ``PickleError`` `.typeMismatch`, also for a denominator of zero (Python's `ZeroDivisionError`).
    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "fractions", "Fraction"),
            let (numerator, denominator) = Self.parts(object.arguments), denominator.signum() != 0
        else { throw PickleError.mismatch(expected: "fractions.Fraction", found: pickle) }
        let isNegative = denominator.signum() < 0
        self.init(isNegative ? -numerator : numerator, isNegative ? -denominator : denominator)
    }

    private static func parts(_ arguments: PickleView.Elements) -> (BigInt, BigInt)? {
        if arguments.count == 2, let numerator = arguments[0].bigInt, let denominator = arguments[1].bigInt {
            return (numerator, denominator)
        }
        // Until 3.11 its str: "1/3", or "2".
        guard arguments.count == 1, arguments[0].textLength <= 10_000 else { return nil }
        let parts = (arguments[0].string ?? "").split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let numerator = integer(parts[0]),
            let denominator = parts.count == 2 ? integer(parts[1]) : 1
        else { return nil }
        return (numerator, denominator)
    }

    /// A decimal integer of no more digits than Python reads.
    private static func integer(_ text: Substring) -> BigInt? {
        text.utf8.count <= PickleLimits.default.integerDigits ? BigInt(text) : nil
    }

    public func encode(to writer: inout PickleWriter) {
        writer.writeReduce(module: "fractions", name: "Fraction", argumentCount: 2) { writer in
            writer.write(numerator)
            writer.write(denominator)
        }
    }
}
