/// The fields of a namedtuple where they lie, for whoever looks at a few of them: no references are counted.
///
/// Whoever has them from ``PickleView/fields(of:_:)`` keeps the document alive as long as they are used.
package struct PickleFields {
    private let document: Unmanaged<PickleDocument>
    private let first: Int
    /// How many there are.
    package let count: Int

    fileprivate init(_ document: PickleDocument, first: Int, count: Int) {
        self.document = Unmanaged.passUnretained(document)
        self.first = first
        self.count = count
    }

    private func index(at position: Int) -> NodeIndex {
        precondition(position >= 0 && position < count, "index out of range")
        return document._withUnsafeGuaranteedRef { $0.arena.children[first &+ position] }
    }

    private func node(at position: Int) -> Node {
        let index = Int(index(at: position))
        return document._withUnsafeGuaranteedRef { $0.arena.nodes[index] }
    }

    /// Whether it is None.
    package func isNone(at position: Int) -> Bool { index(at: position) == Singleton.none }

    /// ``PickleView/int``
    package func int(at position: Int) -> Int? { node(at: position).int }

    /// ``PickleView/double``
    package func double(at position: Int) -> Double? { node(at: position).double }

    /// ``PickleView/string``
    package func string(at position: Int) -> String? { utf8(at: position).map { String(decoding: $0, as: UTF8.self) } }

    /// The UTF-8 of what ``string(at:)`` is, where it lies.
    package func utf8(at position: Int) -> UnsafeBufferPointer<UInt8>? {
        let node = node(at: position)
        guard node.isText else { return nil }
        return document._withUnsafeGuaranteedRef { $0.arena.bytes(of: node) }
    }

    /// Whether it is a str with exactly these UTF-8 bytes.
    package func equals(_ string: String, at position: Int) -> Bool {
        let node = node(at: position)
        return document._withUnsafeGuaranteedRef { $0.arena.isString(node, string) }
    }

    /// Whether it is a tuple, not an instance of a subclass.
    package func isTuple(at position: Int) -> Bool { node(at: position).tag == .tuple }

    /// Whether it is a dict, not an instance of a subclass.
    package func isDict(at position: Int) -> Bool { node(at: position).tag == .dict }

    /// Whether it is a dict without any items.
    package func isEmptyDict(at position: Int) -> Bool {
        let node = node(at: position)
        return node.tag == .dict && node.b == 0
    }

    /// All of them, to be kept.
    package var elements: PickleView.Elements {
        PickleView.Elements(document.takeUnretainedValue(), first: first, count: count)
    }

    /// The elements of a tuple, which may be kept.
    package func tuple(at position: Int) -> PickleView.Elements? {
        let node = node(at: position)
        guard node.tag == .tuple else { return nil }
        return PickleView.Elements(document.takeUnretainedValue(), first: Int(node.a), count: Int(node.b))
    }
}

extension PickleView.Elements {
    /// The same without a reference: whoever uses it keeps the elements.
    package var fields: PickleFields { PickleFields(document, first: first, count: count) }
}

extension PickleView {
    /// The constructor's positional arguments of an instance of this class; nil for anything else.
    package func fields(of module: StaticString, _ name: StaticString) -> PickleFields? {
        withExtendedLifetime(document) {
            range(ofFieldsOf: module, name).map { PickleFields(document, first: $0.first, count: $0.count) }
        }
    }

    /// Where the fields are. What is called is mostly the class itself, by its own name, with a tuple.
    private func range(ofFieldsOf module: StaticString, _ name: StaticString) -> (first: Int, count: Int)? {
        let arena = document.arena
        let node = arena.nodes[Int(index)]
        guard node.tag == .object else { return nil }
        let record = arena.record(node.a)
        let callable = arena.nodes[Int(record[ObjectRecord.callable])]
        if callable.tag == .global, record[ObjectRecord.arguments] != Singleton.absent,
            matches(arena.bytes(of: arena.nodes[Int(callable.b)]), name),
            matches(arena.bytes(of: arena.nodes[Int(callable.a)]), module)
        {
            let arguments = arena.nodes[Int(record[ObjectRecord.arguments])]
            if arguments.tag == .tuple { return (Int(arguments.a), Int(arguments.b)) }
        }
        guard let object, object.isInstance(of: module, name) else { return nil }
        let fields = object.arguments
        return (fields.first, fields.count)
    }
}
