import Pickle

/// What Python's `*` and `**` make of a task's arguments, as far as a pickle tells: Python's containers, those of its standard library, and
/// named tuples.
enum Unpacking {
    /// So many arguments are made of what does not have them one by one: a few bytes may claim any number, and a character becomes a value.
    private static let most = 1 << 16
    /// Modules of which every class is known: one that is not understood here is no container.
    private static let knownModules: Set<String> = [
        "_codecs", "_decimal", "array", "builtins", "collections", "copyreg", "datetime", "decimal", "fractions",
        "functools", "ipaddress",
        "operator", "pathlib", "re", "time", "types", "uuid", "zoneinfo",
    ]

    /// The pairs of a mapping: a dict, a subclass of one that holds anything, OrderedDict, defaultdict, Counter, UserDict, ChainMap.
    ///
    /// - Returns: nil for what is no mapping.
    /// - Throws: ``UnknownContainer`` for an object of which that cannot be told.
    static func mapping(_ view: PickleView) throws -> PickleView.Pairs? {
        if let pairs = view.mapping { return pairs }
        guard let object = view.object else { return nil }
        if object.isInstance(of: "collections", "OrderedDict") {
            // Python 2's: OrderedDict([[key, value] …]).
            let items = object.arguments.first?.elements?.compactMap(\.elements) ?? []
            try check(items.count)
            return try dictionary(items.filter { $0.count == 2 }.map { ($0[0], $0[1]) }).pairs
        }
        // Neither is looked into twice: it may hold itself.
        if object.isInstance(of: "collections", "UserDict") { return object.state?["data"]?.mapping }
        if object.isInstance(of: "collections", "ChainMap") {
            // The keys of the last mapping first, the values of the first that has them.
            guard let maps = object.state?["maps"]?.elements?.map(\.mapping), !maps.contains(where: { $0 == nil })
            else {
                throw UnknownContainer(name: "collections.ChainMap")
            }
            var pairs: [(PickleView, PickleView)] = []
            for map in maps.reversed().compactMap(\.self) {
                try check(pairs.count + map.count)
                pairs += map.map { ($0.key, $0.value) }
            }
            return try dictionary(pairs).pairs
        }
        try requireKnown(object)
        return nil
    }

    /// The elements of what can be iterated, and a view that has them.
    ///
    /// - Returns: nil for what cannot.
    /// - Throws: ``UnknownContainer`` for an object of which that cannot be told, ``HueyError`` `.tooLarge` for too many elements.
    static func iterable(_ view: PickleView) throws -> (view: PickleView, elements: PickleView.Elements)? {
        if let elements = view.sequence { return (view, elements) }
        switch view.kind {
        case .string:
            // No character has more than four bytes.
            try check((view.withUTF8(\.count) ?? 0) / 4)
            return try tuple(view.string?.unicodeScalars.map { String($0) } ?? [])
        case .bytes, .bytearray:
            let bytes = view.bytes ?? []
            try check(bytes.count)
            return try tuple(bytes.map { Int($0) })
        default: break
        }
        if let values = try view.object.flatMap(standard) { return try tuple(values) }
        if let pairs = try? mapping(view) { return try tuple(pairs.map(\.key)) }
        guard let object = view.object else { return nil }
        if let elements = self.tuple(view) { return try tuple(elements.map { $0 }) }
        try requireKnown(object)
        return nil
    }

    /// The elements of a tuple or of a named tuple. That is an object made of its fields: nothing else is likely to be made by `__new__` of two
    /// values or more and to have no state.
    static func tuple(_ view: PickleView) -> PickleView.Elements? {
        if view.kind == .tuple { return view.elements }
        guard let object = view.object, object.isNew, object.arguments.count > 1, object.state == nil else {
            return nil
        }
        return object.listItems.isEmpty && object.dictItems.isEmpty ? object.arguments : nil
    }

    /// Iterable objects of the standard library that are no sequences on the wire.
    private static func standard(_ object: PickleObject) throws -> [TaskArguments.Value]? {
        if object.isInstance(of: "builtins", "range") { return try range(object.arguments) }
        if object.isInstance(of: "collections", "UserList") { return object.state?["data"]?.elements.map { Array($0) } }
        if object.isInstance(of: "array", "_array_reconstructor") { return try numbers(object.arguments) }
        if object.isInstance(of: "array", "array") {
            return object.arguments.dropFirst().first?.elements.map { Array($0) }
        }
        return nil
    }

    private static func range(_ arguments: PickleView.Elements) throws -> [TaskArguments.Value]? {
        guard arguments.count == 3, let start = arguments[0].int, let stop = arguments[1].int,
            let step = arguments[2].int, step != 0
        else { return nil }
        var values: [TaskArguments.Value] = []
        var (value, isOver) = (start, false)
        while !isOver, step > 0 ? value < stop : value > stop {
            try check(values.count + 1)
            values.append(value)
            (value, isOver) = value.addingReportingOverflow(step)
        }
        return values
    }

    /// `_array_reconstructor(array, typecode, machine format, bytes)`; see `Modules/arraymodule.c`.
    private static func numbers(_ arguments: PickleView.Elements) throws -> [TaskArguments.Value]? {
        guard arguments.count == 4, let format = arguments[2].int, let bytes = arguments[3].bytes else { return nil }
        // No number has more than eight bytes.
        try check(bytes.count / 8)
        func integers<Number: FixedWidthInteger & PickleEncodable & Sendable>(
            _ type: Number.Type
        ) -> [TaskArguments.Value] {
            words(of: bytes, type).map { (format & 1 == 0) ? Number(littleEndian: $0) : Number(bigEndian: $0) }
        }
        switch format {
        case 0: return bytes.map { Int($0) }
        case 1: return bytes.map { Int(Int8(bitPattern: $0)) }
        case 2, 3: return integers(UInt16.self)
        case 4, 5: return integers(Int16.self)
        case 6, 7: return integers(UInt32.self)
        case 8, 9: return integers(Int32.self)
        case 10, 11: return integers(UInt64.self)
        case 12, 13: return integers(Int64.self)
        case 14, 15:
            return words(of: bytes, UInt32.self).map {
                Double(Float(bitPattern: format == 14 ? UInt32(littleEndian: $0) : UInt32(bigEndian: $0)))
            }
        case 16, 17:
            return words(of: bytes, UInt64.self).map {
                Double(bitPattern: format == 16 ? UInt64(littleEndian: $0) : UInt64(bigEndian: $0))
            }
        case 18, 19:
            // Two bytes a character, as wchar_t has on Windows: surrogates stay what they are.
            return nil
        case 20, 21:
            let scalars = words(of: bytes, UInt32.self).map {
                UnicodeScalar(format == 20 ? UInt32(littleEndian: $0) : UInt32(bigEndian: $0))
            }
            return scalars.contains(nil) ? nil : scalars.compactMap { $0.map { String($0) } }
        default: return nil
        }
    }

    private static func words<Word: FixedWidthInteger>(of bytes: [UInt8], _ type: Word.Type) -> [Word] {
        let size = MemoryLayout<Word>.size
        return bytes.withUnsafeBytes { bytes in
            (0..<bytes.count / size).map { bytes.loadUnaligned(fromByteOffset: $0 * size, as: Word.self) }
        }
    }

    private static func check(_ count: Int) throws {
        guard count > most else { return }
        throw HueyError(.tooLarge, "more than \(most) arguments in a container that has to be unpacked")
    }

    private static func tuple(
        _ values: [TaskArguments.Value]
    ) throws -> (view: PickleView, elements: PickleView.Elements)? {
        try check(values.count)
        let view = try TaskArguments(positional: values, keywords: []).views().args
        return view.elements.map { (view, $0) }
    }

    private static func dictionary(_ pairs: [(PickleView, PickleView)]) throws -> PickleView {
        try TaskArguments(positional: [], keywords: pairs.map { (key: $0.0, value: $0.1) }).views().kwargs
    }

    private static func requireKnown(_ object: PickleObject) throws {
        guard let name = object.className, !knownModules.contains(name.module) else { return }
        throw UnknownContainer(name: "\(name.module).\(name.name)")
    }
}

/// A task's arguments are an object of a class that only its own module knows: whether it can be unpacked, and to what, cannot be told.
struct UnknownContainer: DeadLetterExplaining, PythonExceptionConvertible {
    /// The class.
    let name: String

    var deadLetterReason: DeadLetter.Reason { .undecodable }
    var deadLetterDetail: String { "its arguments are a \(name), a class that is not known here" }
    var pythonException: PickleException { .builtin("TypeError", deadLetterDetail.bounded(1000)) }
}
