extension PickleView {
    /// The elements of a list, tuple, set or frozenset, in the order of the wire.
    public struct Elements: RandomAccessCollection, Sendable {
        package let document: PickleDocument
        let first: Int
        public let count: Int

        init(_ document: PickleDocument, first: Int, count: Int) {
            self.document = document
            self.first = first
            self.count = count
        }

        public var startIndex: Int { 0 }
        public var endIndex: Int { count }

        public subscript(position: Int) -> PickleView {
            precondition(position >= 0 && position < count, "index out of range")
            return withExtendedLifetime(document) { PickleView(document, document.arena.children[first &+ position]) }
        }

        /// Whether the element at a position is None.
        package func isNone(at position: Int) -> Bool {
            precondition(position >= 0 && position < count, "index out of range")
            return withExtendedLifetime(document) { document.arena.children[first &+ position] == Singleton.none }
        }
    }

    /// The pairs of a dict, in insertion order; of equal keys the first stays and the last value wins, as in Python.
    public struct Pairs: RandomAccessCollection, Sendable {
        let document: PickleDocument
        let first: Int
        public let count: Int

        init(_ document: PickleDocument, first: Int, count: Int) {
            self.document = document
            self.first = first
            self.count = count
        }

        public var startIndex: Int { 0 }
        public var endIndex: Int { count }

        public subscript(position: Int) -> (key: PickleView, value: PickleView) {
            precondition(position >= 0 && position < count, "index out of range")
            let place = first &+ position &* 2
            return withExtendedLifetime(document) {
                let children = document.arena.children
                return (PickleView(document, children[place]), PickleView(document, children[place &+ 1]))
            }
        }
    }

    /// The elements of a list, tuple, set or frozenset.
    public var elements: Elements? {
        let node = node
        switch node.tag {
        case .list, .tuple, .set, .frozenset:
            return Elements(document, first: Int(node.a), count: Int(node.b))
        case .object:
            let kind = kind
            guard kind == .set || kind == .frozenset,
                let list = withExtendedLifetime(document, { document.arena.reduceArgument(of: index, 0) })
            else { return nil }
            return PickleView(document, list).elements
        default: return nil
        }
    }

    /// The pairs of a dict.
    public var pairs: Pairs? {
        let node = node
        guard node.tag == .dict else { return nil }
        return Pairs(document, first: Int(node.a), count: Int(node.b) / 2)
    }

    /// The value of a str key in a dict (an ASCII str of Python 2 counts too).
    ///
    /// - Complexity: O(n).
    public subscript(key: String) -> PickleView? {
        guard node.tag == .dict else { return nil }
        var key = key
        return withExtendedLifetime(document) { key.withUTF8 { find($0) } }
    }

    private func find(_ key: UnsafeBufferPointer<UInt8>) -> PickleView? {
        let node = node
        let arena = document.arena
        var place = Int(node.a)
        let end = place + Int(node.b)
        while place < end {
            let candidate = arena.nodes[Int(arena.children[place])]
            if candidate.tag == .string || candidate.tag == .python2String, equalBytes(arena.bytes(of: candidate), key)
            {
                return PickleView(document, arena.children[place + 1])
            }
            place += 2
        }
        return nil
    }

    /// The element of a list or tuple; `nil` when there is none.
    public subscript(index: Int) -> PickleView? {
        let node = node
        guard node.tag == .list || node.tag == .tuple, index >= 0, index < Int(node.b) else { return nil }
        return withExtendedLifetime(document) {
            PickleView(document, document.arena.children[Int(node.a) + index])
        }
    }
}
