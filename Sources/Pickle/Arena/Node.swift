/// What a node is. The order matters: what comes from `persistentID` on has children.
enum Tag: UInt8 {
    case none, bool, int, float, bigInt, string, bytes, bytearray, python2String, buffer, extensionCode, global
    case persistentID, tuple, list, dict, set, frozenset, object

    @inline(__always)
    var hasChildren: Bool { rawValue >= Tag.persistentID.rawValue }

    /// Whether being pushed again is nothing to remember.
    @inline(__always)
    var isPlain: Bool { rawValue <= Tag.python2String.rawValue }

    /// Whether its bytes lie in the input or in the side buffer.
    @inline(__always)
    var hasText: Bool { rawValue &- Tag.bigInt.rawValue <= Tag.python2String.rawValue &- Tag.bigInt.rawValue }
}

/// Index of a node in its arena: a Python object's identity.
typealias NodeIndex = UInt32

/// One value, 16 trivial bytes.
///
/// | tag | a | b | c |
/// | --- | --- | --- | --- |
/// | bool, int, float | low half | high half | |
/// | bigInt, string, bytes … | offset in input or side buffer | length | hash of a str, once known |
/// | tuple, list, dict, set, frozenset | first child | number of children | room for children |
/// | global | node of the module | node of the name | `KnownGlobal` |
/// | object | first word of its `ObjectRecord` | | |
/// | persistentID | node of the id | | |
/// | extensionCode, buffer | code or ordinal | | |
struct Node: BitwiseCopyable {
    var a: UInt32
    var b: UInt32
    var c: UInt32
    var tag: Tag
    var flags: UInt8
    /// 0 for a leaf, else one more than its highest child.
    var height: UInt16

    /// The bytes are in the side buffer, not in the input.
    static let side: UInt8 = 1
    /// Something holds this node already.
    static let adopted: UInt8 = 2
    /// A str with characters beyond ASCII.
    static let nonASCII: UInt8 = 4
    /// A dict or set whose keys are going to be checked.
    static let listed: UInt8 = 4
    /// A str with lone surrogates: no Swift `String`.
    static let surrogates: UInt8 = 8
    /// Came from a text opcode (GLOBAL, INST, PERSID).
    static let textual: UInt8 = 16
    /// The arguments of a `getattr` by which a name with dots is written, and that are not in the memo: CPython 3.13.
    static let bare: UInt8 = 16
    /// Was pushed again by GET or DUP.
    static let fetched: UInt8 = 32
    /// An out-of-band buffer that was made read-only.
    static let readOnly: UInt8 = 64
    /// `c` holds the str's hash.
    static let hashed: UInt8 = 128

    @inline(__always)
    init(_ tag: Tag, a: UInt32 = 0, b: UInt32 = 0, c: UInt32 = 0, flags: UInt8 = 0, height: UInt16 = 0) {
        self.a = a
        self.b = b
        self.c = c
        self.tag = tag
        self.flags = flags
        self.height = height
    }

    @inline(__always)
    init(_ tag: Tag, bits: UInt64) {
        self.init(tag, a: UInt32(truncatingIfNeeded: bits), b: UInt32(truncatingIfNeeded: bits &>> 32))
    }

    @inline(__always)
    var bits: UInt64 { UInt64(b) &<< 32 | UInt64(a) }

    /// An int that fits; nil for anything else.
    @inline(__always)
    var int: Int? { tag == .int ? Int(truncatingIfNeeded: Int64(bitPattern: bits)) : nil }

    /// A float; nil for anything else.
    @inline(__always)
    var double: Double? { tag == .float ? Double(bitPattern: bits) : nil }

    /// Whether it is a str that a Swift `String` can hold.
    @inline(__always)
    var isText: Bool { tag == .string && !has(Node.surrogates) }

    @inline(__always)
    func has(_ flag: UInt8) -> Bool { flags & flag != 0 }
}

/// Nodes that every arena starts with: Python's singletons.
enum Singleton {
    static let none: NodeIndex = 0
    static let `true`: NodeIndex = 1
    static let `false`: NodeIndex = 2
    static let emptyTuple: NodeIndex = 3
    static let count = 4
    /// No node.
    static let absent: NodeIndex = .max
}

/// What stands in the memo: a node, and whether more is to be done than to push it again.
enum MemoEntry {
    static let node: UInt32 = 0x7FFF_FFFF
    static let special: UInt32 = 0x8000_0000
}

/// Globals that the codec itself looks through.
enum KnownGlobal: UInt32 {
    case other, codecsEncode, bytes, bytearray, set, frozenset, reconstructor, newobj, newobjEx, object
    case getattr
}

/// How the words of an object's record are laid out in the table of children.
///
/// What an object gets after its construction comes in the order of CPython's pickler (list items, dict items, state).
/// Anything that comes in another order starts a further record of kind `segment`, so that it is written back in order.
enum ObjectRecord {
    static let operation = 0
    static let callable = 1
    static let arguments = 2
    static let keywords = 3
    static let state = 4
    /// Offset, count and room of the list's items, in the table of children.
    static let list = 5
    /// Offset, count (keys and values) and room of the dict's items.
    static let dict = 8
    static let next = 11
    static let words = 12

    enum Operation: UInt32 {
        /// `callable(*arguments)`.
        case reduce
        /// `callable.__new__(callable, *arguments)`.
        case newObject
        /// The same with `keywords`.
        case newObjectEx
        /// OBJ and INST: Python 2's classic instances.
        case instance
        /// `callable` is any node that BUILD, APPENDS … were applied to.
        case wrap
        /// `callable` is a buffer-like node that READONLY_BUFFER was applied to.
        case readOnly
        /// STACK_GLOBAL of `callable` (the module) and `arguments` (the name), of which one is not a plain str.
        case stackGlobal
        /// Continues an object: list items, dict items, state.
        case segment
        /// Continues an object: its list range holds what ADDITEMS added.
        case additions
        /// Continues an object: `callable` is the REDUCE of a state setter, whose result was dropped.
        case setter
    }
}
