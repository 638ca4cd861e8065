#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Decodes `Decodable` types from pickles.
///
/// Keyed containers read dicts, instances (their state) and so dataclasses; unkeyed ones lists, tuples and sets. Types that
/// are ``PickleDecodable`` themselves (Date, UUID, Data, BigInt …) read their Python counterparts. ``PickleDecodable`` is
/// several times faster; this is for types that are Codable anyway.
public struct PickleDecoder {
    public init() {}

    /// Decodes a pickle.
    ///
    /// - Throws: ``PickleError`` or `DecodingError`.
    public func decode<T: Decodable>(
        _ type: T.Type,
        from bytes: [UInt8],
        limits: PickleLimits = .default
    ) throws -> T {
        try decode(type, from: PickleDocument(bytes, limits: limits).root)
    }

    /// Decodes a value of a pickle.
    public func decode<T: Decodable>(_ type: T.Type, from view: PickleView) throws -> T {
        try PickleValueDecoder(view: view, codingPath: []).read(type)
    }
}

struct PickleValueDecoder: Decoder {
    let view: PickleView
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// A value that knows pickles by itself, or a `Decodable` that asks for containers.
    func read<T: Decodable>(_ type: T.Type) throws -> T {
        if codingPath.count > 400 {
            throw PickleError(.nestingLimit, "a Decodable type that nests more than 400 deep")
        }
        switch type {
        case let type as any (FixedWidthInteger & PickleDecodable).Type:
            if let value = try located({ try type.init(pickle: view) }) as? T { return value }
        case is Bool.Type, is String.Type, is Double.Type, is Float.Type, is Date.Type, is UUID.Type, is Data.Type,
            is Decimal.Type, is Duration.Type:
            if let type = type as? any PickleDecodable.Type,
                let value = try located({ try type.init(pickle: view) }) as? T
            {
                return value
            }
        default: break
        }
        return try T(from: self)
    }

    private func located(_ body: () throws -> any PickleDecodable) throws -> any PickleDecodable {
        do {
            return try body()
        } catch let error as PickleError {
            throw DecodingError.typeMismatch(
                PickleView.self,
                .init(codingPath: codingPath, debugDescription: error.message, underlyingError: error)
            )
        }
    }

    func mismatch(_ expected: String) -> DecodingError {
        let error = PickleError.mismatch(expected: expected, found: view)
        return .typeMismatch(
            PickleView.self,
            .init(codingPath: codingPath, debugDescription: error.message, underlyingError: error)
        )
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let pairs = view.mapping ?? view.object?.state?.mapping else { throw mismatch("dict") }
        var fields: [String: PickleView] = [:]
        for (key, value) in pairs {
            if let name = key.string ?? key.int.map(String.init) { fields[name] = value }
        }
        return KeyedDecodingContainer(PickleKeyedDecoder<Key>(fields: fields, decoder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let elements = view.sequence else { throw mismatch("list") }
        return PickleUnkeyedDecoder(elements: elements, decoder: self)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    func child(_ view: PickleView, _ key: any CodingKey) -> PickleValueDecoder {
        PickleValueDecoder(view: view, codingPath: codingPath + [key])
    }
}

extension PickleValueDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool { view.isNone }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try read(type) }
}

struct PickleKeyedDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let fields: [String: PickleView]
    let decoder: PickleValueDecoder
    var codingPath: [any CodingKey] { decoder.codingPath }
    var allKeys: [Key] { fields.keys.compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool { fields[key.stringValue] != nil }

    private func child(_ key: some CodingKey) throws -> PickleValueDecoder {
        guard let view = fields[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key,
                .init(codingPath: codingPath, debugDescription: "no key '\(key.stringValue)'")
            )
        }
        return decoder.child(view, key)
    }

    func decodeNil(forKey key: Key) throws -> Bool { try child(key).decodeNil() }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try child(key).read(type) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try child(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try child(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try child(PickleCodingKey(stringValue: "super")) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try child(key) }
}

struct PickleUnkeyedDecoder: UnkeyedDecodingContainer {
    let elements: PickleView.Elements
    let decoder: PickleValueDecoder
    var currentIndex = 0
    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex >= elements.count }

    private mutating func next() throws -> PickleValueDecoder {
        let key = PickleCodingKey(intValue: currentIndex)
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                PickleView.self,
                .init(codingPath: codingPath + [key], debugDescription: "no more elements")
            )
        }
        defer { currentIndex += 1 }
        return decoder.child(elements[currentIndex], key)
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, elements[currentIndex].isNone else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next().read(type) }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> { try next().container(keyedBy: type) }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
    mutating func superDecoder() throws -> any Decoder { try next() }
}

struct PickleCodingKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = "Index \(intValue)"
        self.intValue = intValue
    }
}
