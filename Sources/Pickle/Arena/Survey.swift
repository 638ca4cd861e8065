/// What has to be known about a whole pickle before anybody walks it: that its keys can be keys, how high it is, how
/// much following every reference would visit, and whether it holds itself.
struct Survey {
    let nodes: UnsafeMutablePointer<Node>
    let children: UnsafeMutablePointer<UInt32>
    let count: Int
    let limits: PickleLimits
    var hasCycles = false

    /// A node that is being walked.
    private struct Step: BitwiseCopyable {
        var node: NodeIndex
        var edges: Edges
        var size: Int
        var height: Int
    }

    /// What `sizes` has for a node that is not walked yet, and for one that is being walked.
    private static let unknown = 0
    private static let active = -1

    /// Heights, cycles and expansion, by one depth-first walk with a stack of its own. Linear.
    mutating func walk(from root: NodeIndex, endingAt offset: Int) throws(PickleError) {
        let sizes = UnsafeMutablePointer<Int>.block(count)
        defer { sizes.freeBlock() }
        sizes.initialize(repeating: Self.unknown, count: count)
        var path = RawTable<Step>(capacity: 32)
        defer { path.free() }
        let highest = min(limits.nesting, 65_000)
        path.append(Step(node: root, edges: Edges(root, nodes, children), size: 1, height: 0))
        sizes[Int(root)] = Self.active
        while path.count > 0 {
            let step = path.base + (path.count &- 1)
            guard let child = step.pointee.edges.next(nodes, children) else {
                let (node, size, height) = (Int(step.pointee.node), step.pointee.size, max(1, step.pointee.height))
                sizes[node] = size
                if height > highest {
                    throw PickleError(.nestingLimit, at: offset, "nested more than \(highest) deep")
                }
                nodes[node].height = UInt16(height)
                path.count &-= 1
                if path.count > 0 {
                    step[-1].size = saturate(step[-1].size, size)
                    step[-1].height = max(step[-1].height, height + 1)
                }
                continue
            }
            let node = nodes[Int(child)]
            if !node.tag.hasChildren {
                step.pointee.size = saturate(step.pointee.size, 1 + leafSize(node))
                continue
            }
            switch sizes[Int(child)] {
            case Self.unknown:
                sizes[Int(child)] = Self.active
                path.append(Step(node: child, edges: Edges(child, nodes, children), size: 1, height: 0))
            case Self.active:
                hasCycles = true
                step.pointee.height = max(step.pointee.height, 1)
            case let known:
                step.pointee.size = saturate(step.pointee.size, known)
                step.pointee.height = max(step.pointee.height, Int(node.height) + 1)
            }
        }
        if sizes[Int(root)] &- count > limits.expansion { throw Self.tooMuch(limits, at: offset) }
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
struct Edges: BitwiseCopyable {
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
