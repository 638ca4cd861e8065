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

/// A numpy array or scalar, contiguous: its dtype, shape and bytes.
public struct PickleArray: Sendable, Hashable, PickleDecodable {
    /// Byte order and type as numpy writes them: `<f8`, `|u1`, `>i4`.
    public var dtype: String
    /// The lengths of its dimensions; empty for a scalar.
    public var shape: [Int]
    /// Whether the first index varies fastest.
    public var isFortranOrder: Bool
    /// The elements, one after the other.
    public var bytes: [UInt8]

    public init(dtype: String, shape: [Int], isFortranOrder: Bool = false, bytes: [UInt8]) {
        self.dtype = dtype
        self.shape = shape
        self.isFortranOrder = isFortranOrder
        self.bytes = bytes
    }

    /// Reads the forms of numpy 1 and 2: `_reconstruct` with a state, `_frombuffer` with its bytes in band, and `scalar`.
    public init(pickle: PickleView) throws {
        guard let object = pickle.object, let function = object.className,
            function.module.hasPrefix("numpy.core.") || function.module.hasPrefix("numpy._core."),
            let array = Self.array(function.name, object)
        else { throw PickleError.mismatch(expected: "numpy array", found: pickle) }
        self = array
    }

    private static func array(_ function: String, _ object: PickleObject) -> PickleArray? {
        let arguments = object.arguments
        switch function {
        case "_reconstruct":
            // State: version, shape, dtype, is Fortran order, bytes.
            guard let state = object.state?.elements, state.count == 5, let shape = shape(state[1]),
                let dtype = dtype(state[2]), let order = state[3].bool, let bytes = state[4].bytes
            else { return nil }
            return PickleArray(dtype: dtype, shape: shape, isFortranOrder: order, bytes: bytes)
        case "_frombuffer":
            guard arguments.count == 4, let bytes = arguments[0].bytes, let dtype = dtype(arguments[1]),
                let shape = shape(arguments[2])
            else { return nil }
            return PickleArray(
                dtype: dtype,
                shape: shape,
                isFortranOrder: arguments[3].equals("F" as StaticString),
                bytes: bytes
            )
        case "scalar":
            guard arguments.count == 2, let dtype = dtype(arguments[0]), let bytes = arguments[1].bytes else {
                return nil
            }
            return PickleArray(dtype: dtype, shape: [], bytes: bytes)
        default: return nil
        }
    }

    private static func shape(_ view: PickleView) -> [Int]? {
        guard view.kind == .tuple, let elements = view.elements, elements.count <= 64 else { return nil }
        let lengths = elements.compactMap(\.int)
        return lengths.count == elements.count ? lengths : nil
    }

    /// `numpy.dtype('f8', False, True)` with the byte order in its state.
    private static func dtype(_ view: PickleView) -> String? {
        guard let object = view.object, object.isInstance(of: "numpy", "dtype"),
            let code = object.arguments.first?.string
        else { return nil }
        let order = object.state?.elements?.dropFirst().first?.string ?? ""
        return order + code
    }
}
