/// A numpy array or scalar, contiguous: its dtype, shape and bytes. Not of objects, and not of records.
public struct PickleArray: Sendable, Hashable, PickleCodable {
    /// Byte order and type as numpy writes them: `<f8`, `|u1`, `>i4`, `<M8[ns]`.
    public var dtype: String
    /// The lengths of its dimensions.
    public var shape: [Int]
    /// Whether the first index varies fastest.
    public var isFortranOrder: Bool
    /// Whether it is a scalar, such as `numpy.float64(1.5)`, and no array.
    public var isScalar: Bool
    /// The elements, one after the other.
    public var bytes: [UInt8]

    public init(
        dtype: String,
        shape: [Int],
        isFortranOrder: Bool = false,
        isScalar: Bool = false,
        bytes: [UInt8]
    ) {
        self.dtype = dtype
        self.shape = shape
        self.isFortranOrder = isFortranOrder
        self.isScalar = isScalar
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
                let dtype = dtype(state[2]), let order = state[3].bool, let bytes = bytes(state[4])
            else { return nil }
            guard Self.size(shape, dtype) == bytes.count else { return nil }
            return PickleArray(dtype: dtype, shape: shape, isFortranOrder: order, bytes: bytes)
        case "_frombuffer":
            guard arguments.count == 4, let bytes = bytes(arguments[0]), let dtype = dtype(arguments[1]),
                let shape = shape(arguments[2])
            else { return nil }
            guard Self.size(shape, dtype) == bytes.count else { return nil }
            let isFortran = arguments[3].equals("F" as StaticString)
            return PickleArray(dtype: dtype, shape: shape, isFortranOrder: isFortran, bytes: bytes)
        case "scalar":
            guard arguments.count == 2, let dtype = dtype(arguments[0]), let bytes = bytes(arguments[1]),
                let size = Self.size([], dtype), size <= bytes.count
            else { return nil }
            return PickleArray(dtype: dtype, shape: [], isScalar: true, bytes: bytes)
        default: return nil
        }
    }

    /// In band as bytes, a bytearray, or around one of those a read-only buffer.
    private static func bytes(_ view: PickleView) -> [UInt8]? { view.latin1Bytes }

    private static func shape(_ view: PickleView) -> [Int]? {
        guard view.kind == .tuple, let elements = view.elements, elements.count <= 64 else { return nil }
        let lengths = elements.compactMap(\.int)
        return lengths.count == elements.count && lengths.allSatisfy { $0 >= 0 } ? lengths : nil
    }

    /// How many bytes such an array has; nil where no address space holds it, or for what is no dtype of plain elements. As in numpy, a
    /// length of zero does not make the other lengths harmless.
    private static func size(_ shape: [Int], _ dtype: String) -> Int? {
        guard var size = (try? DataType(dtype))?.itemSize else { return nil }
        for length in shape where length > 0 {
            let (product, overflow) = size.multipliedReportingOverflow(by: length)
            if overflow { return nil }
            size = product
        }
        return shape.contains(0) ? 0 : size
    }

    /// `numpy.dtype('f8', False, True)` with byte order, fields and the unit of times in its state.
    private static func dtype(_ view: PickleView) -> String? {
        guard let object = view.object, object.isInstance(of: "numpy", "dtype"), let code = object.arguments.first,
            code.textLength <= 100, let name = code.string(python2: .ascii), !name.hasPrefix("O"), !name.hasPrefix("V")
        else { return nil }
        guard let state = object.state?.elements else { return name }
        guard state.count >= 8, state[1].textLength <= 1, let order = state[1].string(python2: .ascii) else {
            return nil
        }
        guard state.count > 8 else { return order + name }
        // ({}, (b'ns', 1, 1, 1)): unit, number of units, denominator, events.
        guard let unit = state[8][1], let letters = unit[0]?.bytes, let number = unit[1]?.int,
            letters.count <= 8, number > 0
        else { return nil }
        return "\(order)\(name)[\(number == 1 ? "" : "\(number)")\(String(decoding: letters, as: UTF8.self))]"
    }

    // MARK: Writing

    /// The form that numpy 1 writes and every numpy reads.
    public func encode(to writer: inout PickleWriter) throws {
        let type = try DataType(dtype)
        let module = "numpy.core.multiarray"
        if isScalar {
            try writer.writeReduce(module: module, name: "scalar", argumentCount: 2) { writer in
                try type.value.encode(to: &writer)
                writer.write(bytes: bytes)
            }
            return
        }
        try writer.writeReduce(
            module: module,
            name: "_reconstruct",
            argumentCount: 3,
            state: { writer in
                try writer.writeTuple(count: 5) { writer in
                    writer.write(1)
                    try PickleValue.tuple(shape.map { .int($0) }).encode(to: &writer)
                    try type.value.encode(to: &writer)
                    writer.write(isFortranOrder)
                    writer.write(bytes: bytes)
                }
            }
        ) { writer in
            writer.writeGlobal(module: "numpy", name: "ndarray")
            writer.writeTuple(count: 1) { $0.write(0) }
            writer.write(bytes: [0x62])
        }
    }

    /// The parts of a dtype's text.
    private struct DataType {
        var order: String
        var code: String
        /// `ns` of `<M8[ns]`, and how many of them.
        var unit: (name: String, count: Int)?

        init(_ text: String) throws {
            var rest = Substring(text)
            order = rest.first.map { "<>|=".contains($0) } == true ? String(rest.removeFirst()) : "|"
            if let bracket = rest.firstIndex(of: "["), rest.last == "]" {
                let inside = rest[rest.index(after: bracket)...].dropLast()
                let digits = inside.prefix { $0.isASCII && $0.isNumber }
                unit = (String(inside.dropFirst(digits.count)), Int(digits) ?? 1)
                rest = rest[..<bracket]
            }
            code = String(rest)
            guard let kind = code.first, "biufcSUmM".contains(kind), Int(code.dropFirst()) != nil else {
                throw PickleError(.notEncodable, "no dtype of plain elements: \(text)")
            }
        }

        /// Bytes of one element; nil for more than there can be.
        var itemSize: Int? {
            guard let count = Int(code.dropFirst()), count >= 0 else { return nil }
            let (size, overflow) = count.multipliedReportingOverflow(by: code.hasPrefix("U") ? 4 : 1)
            return overflow ? nil : size
        }

        var value: PickleValue {
            // Strings have a size and an alignment, and those of characters a flag, that the others do not tell.
            let length = Int(code.dropFirst()) ?? 0
            var sizes: [PickleValue] = [-1, -1, 0]
            if code.hasPrefix("S") { sizes = [.int(length), 1, 0] }
            if code.hasPrefix("U") { sizes = [.int(length &* 4), 4, 8] }
            var state: [PickleValue] = [unit == nil ? 3 : 4, .string(order), nil, nil, nil] + sizes
            if let unit {
                state.append(.tuple([[:], .tuple([.bytes(Array(unit.name.utf8)), .int(unit.count), 1, 1])]))
            }
            return .reduce(
                PickleGlobal(module: "numpy", name: "dtype"),
                [.string(code), false, true],
                state: .tuple(state)
            )
        }
    }
}
