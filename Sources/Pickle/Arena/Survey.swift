/// What has to be known about a whole pickle before anybody walks it: that its keys can be keys, how high it is, how
/// much following every reference would visit, and whether it holds itself.
struct Survey {
    let nodes: UnsafeMutablePointer<Node>
    let children: UnsafeMutablePointer<UInt32>
    let count: Int
    let limits: PickleLimits
    var hasCycles = false

    /// Heights, cycles and expansion, by one depth-first walk with a stack of its own. Linear.
    mutating func walk(from root: NodeIndex, endingAt offset: Int) throws(PickleError) {
        var sizes = [UInt32: Int]()
        var active = Set<UInt32>()
        var path: [(node: NodeIndex, edges: Edges, size: Int, height: Int)] = []
        path.append((root, Edges(root, nodes, children), 1, 0))
        active.insert(root)
        var plain = 0
        while var frame = path.popLast() {
            guard let child = frame.edges.next(nodes, children) else {
                active.remove(frame.node)
                sizes[frame.node] = frame.size
                plain &+= 1
                let height = max(1, frame.height)
                if height > min(limits.nesting, 65_000) {
                    throw PickleError(.nestingLimit, at: offset, "nested more than \(min(limits.nesting, 65_000)) deep")
                }
                nodes[Int(frame.node)].height = UInt16(height)
                if var parent = path.popLast() {
                    parent.size =
                        parent.size.addingReportingOverflow(frame.size).overflow ? .max : parent.size + frame.size
                    parent.height = max(parent.height, height + 1)
                    path.append(parent)
                }
                continue
            }
            let node = nodes[Int(child)]
            if !node.tag.hasChildren {
                frame.size = saturate(frame.size, 1 + leafSize(node))
            } else if let known = sizes[child] {
                frame.size = saturate(frame.size, known)
                frame.height = max(frame.height, Int(node.height) + 1)
            } else if active.contains(child) {
                hasCycles = true
                frame.height = max(frame.height, 1)
            } else {
                path.append(frame)
                active.insert(child)
                path.append((child, Edges(child, nodes, children), 1, 0))
                continue
            }
            path.append(frame)
        }
        let total = sizes[root] ?? 0
        if total &- count > limits.expansion {
            throw Self.tooMuch(limits, at: offset)
        }
    }

    static func tooMuch(_ limits: PickleLimits, at offset: Int) -> PickleError {
        PickleError(
            .expansionLimit,
            at: offset,
            "shared values expand to more than \(limits.expansion) nodes and bytes of text"
        )
    }

    private func leafSize(_ node: Node) -> Int {
        switch node.tag {
        case .string, .bytes, .bytearray, .python2String, .bigInt: Int(node.b)
        default: 0
        }
    }

    private func saturate(_ left: Int, _ right: Int) -> Int {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }
}

/// The children of a node, one after the other, whatever its tag is.
struct Edges {
    private var next: Int
    private var end: Int
    /// The object record whose fields come next, or none.
    private var record: UInt32
    private var field: Int

    init(_ index: NodeIndex, _ nodes: UnsafeMutablePointer<Node>, _ children: UnsafeMutablePointer<UInt32>) {
        let node = nodes[Int(index)]
        next = 0
        end = 0
        record = Singleton.absent
        field = 0
        switch node.tag {
        case .tuple, .list, .dict, .set, .frozenset:
            next = Int(node.a)
            end = next + Int(node.b)
        case .persistentID:
            single = node.a
        case .object:
            record = node.a
        default: break
        }
    }

    private var single: UInt32 = Singleton.absent

    mutating func next(
        _ nodes: UnsafeMutablePointer<Node>,
        _ children: UnsafeMutablePointer<UInt32>
    ) -> NodeIndex? {
        while true {
            if next < end {
                defer { next &+= 1 }
                return children[next]
            }
            if single != Singleton.absent {
                defer { single = Singleton.absent }
                return single
            }
            if record == Singleton.absent { return nil }
            let words = children + Int(record)
            switch field {
            case 0..<4:
                field += 1
                let child = words[field]
                if child != Singleton.absent { return child }
            case 4, 5:
                let range = field == 4 ? ObjectRecord.list : ObjectRecord.dict
                field += 1
                next = Int(words[range])
                end = next + Int(words[range + 1])
            default:
                record = words[ObjectRecord.next]
                field = 0
            }
        }
    }
}
