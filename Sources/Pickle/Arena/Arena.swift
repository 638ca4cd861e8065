/// A decoded pickle: nodes, their children, the input and a buffer for text that had escapes.
///
/// Plain memory without ownership; whoever makes one calls ``free()`` once. Nothing here checks bounds: every index was
/// checked, or made, by the decoder.
struct Arena {
    var nodes: UnsafeMutablePointer<Node>
    var children: UnsafeMutablePointer<UInt32>
    var input: UnsafePointer<UInt8>
    var side: UnsafePointer<UInt8>
    var nodeCount: Int
    var childCount: Int
    var inputCount: Int
    /// How many bytes of the input are the pickle.
    var pickleCount: Int
    var root: NodeIndex
    var pickleProtocol: Int
    /// The memory block with the input and, for small pickles, the nodes and children too; nil where they lie
    /// elsewhere.
    var slab: UnsafeMutableRawPointer?
    var ownsNodes: Bool
    var ownsChildren: Bool
    var ownsSide: Bool
    /// Whether a node holds itself, directly or not.
    var hasCycles: Bool
    var integerDigits: Int
    /// How many bytes decoding took for its tables.
    var tableBytes: Int

    func free() {
        if ownsNodes { nodes.freeBlock() }
        if ownsChildren { children.freeBlock() }
        if ownsSide { Block.free(UnsafeMutableRawPointer(mutating: side)) }
        if let slab { Block.free(slab) }
    }

    /// The bytes of a str, bytes, bytearray or big int.
    @inline(__always)
    func bytes(of node: Node) -> UnsafeBufferPointer<UInt8> {
        let base = node.has(Node.side) ? side : input
        return UnsafeBufferPointer(start: base + Int(node.a), count: Int(node.b))
    }

    /// Whether a node is a str with exactly these UTF-8 bytes.
    func isString(_ node: Node, _ string: String) -> Bool {
        guard node.tag == .string, Int(node.b) == string.utf8.count else { return false }
        var string = string
        return string.withUTF8 { equalBytes($0, bytes(of: node)) }
    }

    /// Where the bytes of a str … start; 16 more than it has may be loaded.
    @inline(__always)
    func start(of node: Node) -> UnsafePointer<UInt8> {
        (node.has(Node.side) ? side : input) + Int(node.a)
    }

    @inline(__always)
    func record(_ offset: UInt32) -> UnsafeMutablePointer<UInt32> { children + Int(offset) }
}

/// Compares bytes with a literal.
@inline(__always)
func matches(_ bytes: UnsafeBufferPointer<UInt8>, _ literal: StaticString) -> Bool {
    guard bytes.count == literal.utf8CodeUnitCount, literal.hasPointerRepresentation else { return false }
    return equalBytes(bytes, UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
}

@inline(__always)
func equalBytes(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    guard let one = left.baseAddress, let other = right.baseAddress else { return true }
    var index = 0
    while index < left.count {
        if one[index] != other[index] { return false }
        index &+= 1
    }
    return true
}
