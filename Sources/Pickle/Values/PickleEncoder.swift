#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Encodes `Encodable` types as pickles: dicts with str keys, lists, and the Python counterparts of types that are
/// ``PickleEncodable`` themselves (Date, UUID, Data, BigInt …).
public struct PickleEncoder {
    /// The protocol that is written.
    public var pickleProtocol: Int

    public init(protocol version: Int = 5) { pickleProtocol = version }

    /// Encodes a value as one pickle.
    public func encode(_ value: some Encodable) throws -> [UInt8] {
        try encodeValue(value).pickled(protocol: pickleProtocol)
    }

    /// Encodes a value for use inside of another.
    public func encodeValue(_ value: some Encodable) throws -> PickleValue {
        try PickleEncodingNode.value(of: value, path: []).value
    }
}

/// What a container has been given so far; containers are filled after they were handed out, so this is a class.
final class PickleEncodingNode {
    enum Content {
        case empty
        case leaf(PickleValue)
        case keyed([(key: String, node: PickleEncodingNode)])
        case unkeyed([PickleEncodingNode])
    }

    var content = Content.empty

    init(_ content: Content = .empty) { self.content = content }

    var value: PickleValue {
        switch content {
        case .empty: .dict([:])
        case .leaf(let value): value
        case .keyed(let pairs):
            .dict(PickleDictionary(pairs.map { (key: .string($0.key), value: $0.node.value) }))
        case .unkeyed(let nodes): .list(nodes.map(\.value))
        }
    }

    static func value(of value: some Encodable, path: [any CodingKey]) throws -> PickleEncodingNode {
        if path.count > 400 { throw PickleError(.nestingLimit, "an Encodable value that nests more than 400 deep") }
        switch value {
        case let value as any (FixedWidthInteger & PickleEncodable): return try leaf(value)
        case is Bool, is String, is Double, is Float, is Date, is UUID, is Data, is Decimal, is Duration:
            if let value = value as? any PickleEncodable { return try leaf(value) }
        default: break
        }
        let node = PickleEncodingNode()
        try value.encode(to: PickleValueEncoder(node: node, codingPath: path))
        return node
    }

    private static func leaf(_ value: any PickleEncodable) throws -> PickleEncodingNode {
        switch value {
        case let value as Bool: return PickleEncodingNode(.leaf(.bool(value)))
        case let value as Int: return PickleEncodingNode(.leaf(.int(value)))
        case let value as String: return PickleEncodingNode(.leaf(.string(value)))
        case let value as Double: return PickleEncodingNode(.leaf(.float(value)))
        default: return PickleEncodingNode(.leaf(PickleValue(try PickleDocument(value.pickled()).root)))
        }
    }
}

struct PickleValueEncoder: Encoder, SingleValueEncodingContainer {
    let node: PickleEncodingNode
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .keyed = node.content {} else { node.content = .keyed([]) }
        return KeyedEncodingContainer(PickleKeyedEncoder<Key>(node: node, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .unkeyed = node.content {} else { node.content = .unkeyed([]) }
        return PickleUnkeyedEncoder(node: node, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }
    func encodeNil() { node.content = .leaf(.none) }
    func encode<T: Encodable>(_ value: T) throws {
        node.content = try PickleEncodingNode.value(of: value, path: codingPath).content
    }
}

struct PickleKeyedEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: PickleEncodingNode
    let codingPath: [any CodingKey]

    private func add(_ child: PickleEncodingNode, _ key: any CodingKey) {
        guard case .keyed(var pairs) = node.content else { return }
        node.content = .empty
        pairs.append((key.stringValue, child))
        node.content = .keyed(pairs)
    }

    private func nested(_ key: any CodingKey) -> PickleValueEncoder {
        let child = PickleEncodingNode()
        add(child, key)
        return PickleValueEncoder(node: child, codingPath: codingPath + [key])
    }

    func encodeNil(forKey key: Key) { add(PickleEncodingNode(.leaf(.none)), key) }
    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        add(try PickleEncodingNode.value(of: value, path: codingPath + [key]), key)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<Nested> { nested(key).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { nested(key).unkeyedContainer() }
    func superEncoder() -> any Encoder { nested(PickleCodingKey(stringValue: "super")) }
    func superEncoder(forKey key: Key) -> any Encoder { nested(key) }
}

struct PickleUnkeyedEncoder: UnkeyedEncodingContainer {
    let node: PickleEncodingNode
    let codingPath: [any CodingKey]

    var count: Int {
        if case .unkeyed(let nodes) = node.content { nodes.count } else { 0 }
    }

    private func add(_ child: PickleEncodingNode) {
        guard case .unkeyed(var nodes) = node.content else { return }
        node.content = .empty
        nodes.append(child)
        node.content = .unkeyed(nodes)
    }

    private func nested() -> PickleValueEncoder {
        let key = PickleCodingKey(intValue: count)
        let child = PickleEncodingNode()
        add(child)
        return PickleValueEncoder(node: child, codingPath: codingPath + [key])
    }

    func encodeNil() { add(PickleEncodingNode(.leaf(.none))) }
    func encode<T: Encodable>(_ value: T) throws {
        add(try PickleEncodingNode.value(of: value, path: codingPath + [PickleCodingKey(intValue: count)]))
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        nested().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nested().unkeyedContainer() }
    func superEncoder() -> any Encoder { nested() }
}
