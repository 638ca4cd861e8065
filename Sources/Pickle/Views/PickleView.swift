public import BigInt

/// One value of a decoded pickle, by identity. Cheap to copy; keeps its document alive.
///
/// Accessors are exact: each answers only for the Python type it names, and `nil` for any other.
public struct PickleView: Sendable {
    /// The document this value belongs to.
    public let document: PickleDocument
    let index: NodeIndex

    @inline(__always)
    init(_ document: PickleDocument, _ index: NodeIndex) {
        self.document = document
        self.index = index
    }

    /// What a value is in Python.
    public enum Kind: Sendable, Hashable {
        case none, bool, int, float
        /// str.
        case string
        /// bytes, and Python 2's str.
        case bytes
        case bytearray, list, tuple, dict, set, frozenset
        /// A class or function, by name.
        case global
        /// What a call or a class built: an instance of anything else.
        case object
        /// A persistent id, meant for the application that pickled it.
        case persistentID
        /// A code of `copyreg`'s extension registry.
        case extensionCode
        /// An out-of-band buffer of protocol 5.
        case buffer
    }

    /// Plain pointers: whoever reads through them keeps the document alive until that is done.
    @inline(__always)
    var arena: Arena { _read { yield document.arena } }

    @inline(__always)
    var node: Node { withExtendedLifetime(document) { document.arena.nodes[Int(index)] } }

    /// What the value is. Below protocol 4, sets and bytearrays (and below 3, bytes) are calls on the wire; this sees
    /// through them.
    public var kind: Kind {
        switch node.tag {
        case .none: .none
        case .bool: .bool
        case .int, .bigInt: .int
        case .float: .float
        case .string: .string
        case .bytes, .python2String: .bytes
        case .bytearray: .bytearray
        case .list: .list
        case .tuple: .tuple
        case .dict: .dict
        case .set: .set
        case .frozenset: .frozenset
        case .global: .global
        case .persistentID: .persistentID
        case .extensionCode: .extensionCode
        case .buffer: .buffer
        case .object: withExtendedLifetime(document) { document.arena.plainKind(of: index) }
        }
    }

    /// Whether both are the same Python object, not merely equal.
    public func isIdentical(to other: PickleView) -> Bool {
        document === other.document && index == other.index
    }

    /// Whether it is None.
    public var isNone: Bool { index == Singleton.none }

    /// A bool.
    public var bool: Bool? { node.tag == .bool ? node.a != 0 : nil }

    /// An int that fits; never a bool.
    public var int: Int? { node.int }

    /// An int of any size; never a bool.
    public var bigInt: BigInt? {
        let node = node
        switch node.tag {
        case .int: return BigInt(Int64(bitPattern: node.bits))
        case .bigInt: return withExtendedLifetime(document) { bigInteger(document.arena.bytes(of: node)) }
        default: return nil
        }
    }

    /// A float.
    public var double: Double? { node.double }

    /// A str; `nil` too when it has lone surrogates, see ``surrogateUTF8``.
    public var string: String? {
        let node = node
        guard node.isText else { return nil }
        return withExtendedLifetime(document) { String(decoding: document.arena.bytes(of: node), as: UTF8.self) }
    }

    /// How many bytes a str or bytes has where it lies; 0 for anything else.
    package var textLength: Int { node.tag.hasText ? Int(node.b) : 0 }

    /// An int in decimal, as Python's `str()`; `nil` for any other value, and for more digits than ``PickleLimits/integerDigits``,
    /// which Python's `str()` refuses too: the conversion takes quadratic time.
    public var decimal: String? {
        if let int { return String(int) }
        let node = node
        guard node.tag == .bigInt else { return nil }
        return withExtendedLifetime(document) {
            decimalText(document.arena.bytes(of: node), digits: document.arena.integerDigits)
        }
    }

    /// A str's UTF-8, lone surrogates included (three bytes each, Python's `surrogatepass`).
    public var surrogateUTF8: [UInt8]? {
        let node = node
        guard node.tag == .string else { return nil }
        return withExtendedLifetime(document) { Array(document.arena.bytes(of: node)) }
    }

    /// bytes, bytearray, or Python 2's str.
    public var bytes: [UInt8]? {
        let node = node
        switch node.tag {
        case .bytes, .bytearray, .python2String:
            return withExtendedLifetime(document) { Array(document.arena.bytes(of: node)) }
        case .object: return withExtendedLifetime(document) { document.arena.plainBytes(of: index) }
        default: return nil
        }
    }

    /// Whether this is a Python 2 str: bytes or text, as its reader decides.
    public var isPython2String: Bool { node.tag == .python2String }

    /// Calls `body` with a str's UTF-8 where it lies; `nil` for anything else.
    public func withUTF8<R>(_ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R? {
        let node = node
        guard node.tag == .string else { return nil }
        return try withExtendedLifetime(document) { try body(document.arena.bytes(of: node)) }
    }

    /// Whether this is a str with exactly these characters. Allocates nothing.
    public func equals(_ string: StaticString) -> Bool {
        let node = node
        return node.tag == .string
            && withExtendedLifetime(document) { matches(document.arena.bytes(of: node), string) }
    }

    /// Whether this is a str with exactly these UTF-8 bytes. (Swift's `==` of strings equates more.)
    @_disfavoredOverload
    public func equals(_ string: String) -> Bool {
        withExtendedLifetime(document) { document.arena.isString(node, string) }
    }

    /// The names of a class or function as they stand on the wire.
    public var global: PickleGlobal? {
        let node = node
        guard node.tag == .global else { return nil }
        return PickleGlobal(module: text(node.a), name: text(node.b))
    }

    /// Whether this is the class or function of these names. Allocates nothing.
    public func isGlobal(_ module: StaticString, _ name: StaticString) -> Bool {
        let node = node
        guard node.tag == .global else { return false }
        return withExtendedLifetime(document) {
            let arena = document.arena
            return matches(arena.bytes(of: arena.nodes[Int(node.b)]), name)
                && matches(arena.bytes(of: arena.nodes[Int(node.a)]), module)
        }
    }

    private func text(_ index: NodeIndex) -> String {
        withExtendedLifetime(document) {
            String(decoding: document.arena.bytes(of: document.arena.nodes[Int(index)]), as: UTF8.self)
        }
    }

    /// The id of a persistent reference.
    public var persistentID: PickleView? {
        node.tag == .persistentID ? PickleView(document, node.a) : nil
    }

    /// A code of `copyreg`'s extension registry.
    public var extensionCode: Int? { node.tag == .extensionCode ? Int(node.a) : nil }

    /// The ordinal of an out-of-band buffer, from 0.
    public var bufferIndex: Int? { node.tag == .buffer ? Int(node.a) : nil }
}

/// The name of a Python class or function.
public struct PickleGlobal: Sendable, Hashable, CustomStringConvertible {
    /// The module, such as `huey.utils`.
    public var module: String
    /// The qualified name in it, such as `Error` or `Outer.Inner`.
    public var name: String

    public init(module: String, name: String) {
        self.module = module
        self.name = name
    }

    /// `module.name`.
    public var description: String { "\(module).\(name)" }

    /// The names as Python 3 has them: `__builtin__` becomes `builtins`, `exceptions.X` `builtins.X` and so on.
    public var inPython3: PickleGlobal {
        let (module, name) = CompatibleNames.python3(module, name)
        return PickleGlobal(module: module, name: name)
    }
}
