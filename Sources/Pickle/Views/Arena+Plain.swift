/// Plain values that lower protocols write as calls.
extension Arena {
    /// The record of a node that is one REDUCE of a global and nothing else.
    private func plainCall(_ index: NodeIndex) -> (known: KnownGlobal, arguments: Node)? {
        let node = nodes[Int(index)]
        guard node.tag == .object else { return nil }
        let words = record(node.a)
        guard words[ObjectRecord.operation] == ObjectRecord.Operation.reduce.rawValue,
            words[ObjectRecord.state] == Singleton.absent, words[ObjectRecord.next] == Singleton.absent,
            words[ObjectRecord.list + 1] == 0, words[ObjectRecord.dict + 1] == 0
        else { return nil }
        let callable = nodes[Int(words[ObjectRecord.callable])]
        guard callable.tag == .global, let known = KnownGlobal(rawValue: callable.c), known != .other else {
            return nil
        }
        let arguments = nodes[Int(words[ObjectRecord.arguments])]
        guard arguments.tag == .tuple else { return nil }
        return (known, arguments)
    }

    /// The nth positional argument of an object's construction.
    func reduceArgument(of index: NodeIndex, _ place: Int) -> NodeIndex? {
        let words = record(nodes[Int(index)].a)
        let arguments = nodes[Int(words[ObjectRecord.arguments])]
        guard arguments.tag == .tuple, place < Int(arguments.b) else { return nil }
        return children[Int(arguments.a) + place]
    }

    /// What a call makes, if it is one of those by which lower protocols write plain values.
    func plainKind(of index: NodeIndex) -> PickleView.Kind {
        guard let (known, arguments) = plainCall(index) else { return .object }
        func argument(_ place: Int) -> Node { nodes[Int(children[Int(arguments.a) + place])] }
        switch known {
        case .codecsEncode where arguments.b == 2:
            return isLatin1Text(argument(0), argument(1)) ? .bytes : .object
        case .bytes where arguments.b == 0: return .bytes
        case .bytearray:
            if arguments.b == 0 { return .bytearray }
            if arguments.b == 1 {
                let source = children[Int(arguments.a)]
                let node = nodes[Int(source)]
                if node.tag == .bytes || node.tag == .object && plainKind(ofCallAtMostOnce: source) == .bytes {
                    return .bytearray
                }
            }
            return arguments.b == 2 && isLatin1Text(argument(0), argument(1)) ? .bytearray : .object
        case .set, .frozenset:
            guard arguments.b == 1, argument(0).tag == .list || argument(0).tag == .tuple else { return .object }
            return known == .set ? .set : .frozenset
        default: return .object
        }
    }

    private func plainKind(ofCallAtMostOnce index: NodeIndex) -> PickleView.Kind {
        guard let (known, arguments) = plainCall(index) else { return .object }
        if known == .bytes, arguments.b == 0 { return .bytes }
        guard known == .codecsEncode, arguments.b == 2 else { return .object }
        let first = nodes[Int(children[Int(arguments.a)])]
        return isLatin1Text(first, nodes[Int(children[Int(arguments.a) + 1])]) ? .bytes : .object
    }

    private func isLatin1Text(_ text: Node, _ encoding: Node) -> Bool {
        guard text.tag == .string, encoding.tag == .string,
            matches(bytes(of: encoding), "latin1") || matches(bytes(of: encoding), "latin-1")
        else { return false }
        return !text.has(Node.nonASCII) || latin1(bytes(of: text)) != nil
    }

    /// The bytes of a call that makes bytes or a bytearray.
    func plainBytes(of index: NodeIndex) -> [UInt8]? {
        let kind = plainKind(of: index)
        guard kind == .bytes || kind == .bytearray else { return nil }
        guard let source = reduceArgument(of: index, 0) else { return [] }
        let node = nodes[Int(source)]
        switch node.tag {
        case .string: return latin1(bytes(of: node))
        case .bytes: return Array(bytes(of: node))
        case .object: return plainBytes(of: source)
        default: return nil
        }
    }
}

/// Text as latin-1 bytes; `nil` when a character is beyond U+00FF.
func latin1(_ utf8: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(utf8.count)
    var index = 0
    while index < utf8.count {
        let byte = utf8[index]
        if byte < 0x80 {
            result.append(byte)
            index += 1
        } else if byte == 0xC2 || byte == 0xC3, index + 1 < utf8.count {
            result.append((byte & 0x03) << 6 | (utf8[index + 1] & 0x3F))
            index += 2
        } else {
            return nil
        }
    }
    return result
}
