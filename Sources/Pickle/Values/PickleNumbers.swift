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

    public init(pickle: PickleView) throws {
        guard let object = pickle.object, object.isInstance(of: "fractions", "Fraction") else {
            throw PickleError.mismatch(expected: "fractions.Fraction", found: pickle)
        }
        let arguments = object.arguments
        if arguments.count == 2, let numerator = arguments[0].bigInt, let denominator = arguments[1].bigInt {
            self.init(numerator, denominator)
            return
        }
        // Until 3.11 its str: "1/3", or "2".
        let parts = (arguments.first?.string ?? "").split(separator: "/", omittingEmptySubsequences: false)
        guard arguments.count == 1, (1...2).contains(parts.count), parts.allSatisfy({ (1...4300).contains($0.count) }),
            let numerator = BigInt(parts[0]), let denominator = parts.count == 2 ? BigInt(parts[1]) : 1
        else { throw PickleError.mismatch(expected: "fractions.Fraction", found: pickle) }
        self.init(numerator, denominator)
    }

    public func encode(to writer: inout PickleWriter) {
        writer.writeReduce(module: "fractions", name: "Fraction", argumentCount: 2) { writer in
            writer.write(numerator)
            writer.write(denominator)
        }
    }
}
