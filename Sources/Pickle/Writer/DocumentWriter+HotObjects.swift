/// What the hot loop does with objects and sets. Each function takes where that loop is and leaves in the writer how far it came,
/// so that the loop's locals can stay in registers.
extension DocumentWriter {
    /// Begins a set, or an object that is a call of a global, or NEWOBJ of one, that the pickle already has; whether it did.
    @inline(never)
    mutating func openOther(
        _ index: NodeIndex,
        _ depth: Int,
        _ writer: inout PickleWriter,
        _ end: UnsafeMutablePointer<UInt8>,
        _ memoEnd: UInt32
    ) -> Bool {
        var (out, memoCount) = (end, memoEnd)
        guard let child = opened(arena.nodes[Int(index)], index, &out, &memoCount) else { return false }
        var depth = depth
        if child.count > 0 {
            visits &+= 1
            depth &+= 1
            writer.work.base[depth] = child
        }
        leave(&writer, depth, out, memoCount)
        return true
    }

    @inline(__always)
    private func leave(
        _ writer: inout PickleWriter,
        _ depth: Int,
        _ out: UnsafeMutablePointer<UInt8>,
        _ memoCount: UInt32
    ) {
        writer.work.count = depth &+ 1
        writer.count = out - writer.base
        writer.memoCount = memoCount
    }

    /// Begins anything that has children; complete with that if it turns out to have none.
    @inline(__always)
    private func opened(
        _ node: Node,
        _ index: NodeIndex,
        _ out: inout UnsafeMutablePointer<UInt8>,
        _ memoCount: inout UInt32
    ) -> WriteFrame? {
        switch node.tag {
        case .set:
            out[0] = 0x8F
            out[1] = 0x94
            out += 2
            memoCount &+= 1
            memo[Int(index)] = memoCount
            return WriteFrame(index, .set, first: node.a, count: node.b)
        case .frozenset:
            if node.b == 0 { return nil }
            out[0] = 0x28
            out += 1
            return WriteFrame(index, .frozenset, first: node.a, count: node.b)
        case .object:
            let words = arena.record(node.a)
            let callable = words[ObjectRecord.callable]
            guard !arena.hasCycles, isCall(words), arena.nodes[Int(callable)].tag == .global,
                // Others may be calls by which lower protocols write plain values.
                arena.nodes[Int(callable)].c == KnownGlobal.other.rawValue, memo[Int(callable)] != 0
            else { return nil }
            _ = leaf(arena.nodes[Int(callable)], Int(callable), &out, &memoCount)
            return WriteFrame(index, .arguments, count: 1, record: node.a)
        default: return open(node, index, &out, &memoCount)
        }
    }

    @inline(__always)
    private func isCall(_ words: UnsafeMutablePointer<UInt32>) -> Bool {
        words[ObjectRecord.operation] <= ObjectRecord.Operation.newObject.rawValue
    }

    /// Goes on with an object, a set or a frozenset; not where that is for the functions of one step.
    @inline(never)
    mutating func other(
        _ start: Int,
        _ writer: inout PickleWriter,
        _ end: UnsafeMutablePointer<UInt8>,
        _ memoEnd: UInt32,
        _ limit: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        let deepest = writer.work.capacity &- 1
        let frames = writer.work.base
        var (depth, out, memoCount) = (start, end, memoEnd)
        while out < limit, depth >= 0 {
            let frame = frames + depth
            switch frame.pointee.phase {
            case .set, .frozenset:
                guard let next = elements(depth, frames, deepest, limit, &out, &memoCount) else {
                    leave(&writer, depth, out, memoCount)
                    return false
                }
                depth = next
            case .arguments, .state:
                let next: WritePhase = frame.pointee.phase == .state ? .built : .construct
                guard let index = part(of: frame.pointee) else {
                    leave(&writer, depth, out, memoCount)
                    return false
                }
                let node = arena.nodes[Int(index)]
                if leaf(node, Int(index), &out, &memoCount) {
                    frame.pointee.phase = next
                    continue
                }
                guard depth < deepest, visits < visitLimit, let child = opened(node, index, &out, &memoCount) else {
                    leave(&writer, depth, out, memoCount)
                    return false
                }
                frame.pointee.phase = next
                if child.count == 0 { continue }
                visits &+= 1
                depth &+= 1
                frames[depth] = child
            case .construct, .built:
                guard let next = finish(frame.pointee, &out, &memoCount) else {
                    leave(&writer, depth, out, memoCount)
                    return false
                }
                frame.pointee.phase = next
                if next == .done { depth &-= 1 }
            case .tuple, .list, .dict:
                leave(&writer, depth, out, memoCount)
                return true
            default:
                leave(&writer, depth, out, memoCount)
                return false
            }
        }
        leave(&writer, depth, out, memoCount)
        return depth < 0
    }

    /// Goes on with the elements of a set or frozenset, and returns the depth at which to go on then.
    @inline(__always)
    private mutating func elements(
        _ depth: Int,
        _ frames: UnsafeMutablePointer<WriteFrame>,
        _ deepest: Int,
        _ limit: UnsafeMutablePointer<UInt8>,
        _ out: inout UnsafeMutablePointer<UInt8>,
        _ memoCount: inout UInt32
    ) -> Int? {
        let frame = frames[depth]
        let isFrozen = frame.phase == .frozenset
        let first = arena.children + Int(frame.first)
        var position = frame.position
        // Where the next batch begins; in a frozenset there are none.
        var next = isFrozen ? frame.count : position == 0 ? 0 : (position &+ 999) / 1000 &* 1000
        while position < frame.count {
            let before = out
            if position == next {
                out[0] = 0x90
                out += position > 0 ? 1 : 0
                out[0] = 0x28
                out += 1
                next &+= 1000
            }
            let index = first[Int(position)]
            let node = arena.nodes[Int(index)]
            if out < limit, leaf(node, Int(index), &out, &memoCount) {
                position &+= 1
            } else if out < limit, depth < deepest, visits < visitLimit,
                let child = opened(node, index, &out, &memoCount)
            {
                position &+= 1
                if child.count == 0 { continue }
                visits &+= 1
                frames[depth].position = position
                frames[depth &+ 1] = child
                return depth &+ 1
            } else {
                // Whoever goes on begins the batch again.
                out = before
                frames[depth].position = position
                return nil
            }
        }
        frames[depth].position = position
        if out >= limit || isFrozen && memo[Int(frame.node)] != 0 { return nil }
        out[0] = isFrozen ? 0x91 : 0x90
        out[1] = isFrozen ? 0x94 : 0x28
        out[2] = 0x90
        if isFrozen {
            out += 2
            memoCount &+= 1
            memo[Int(frame.node)] = memoCount
        } else {
            out += frame.count % 1000 == 0 ? 3 : 1
        }
        return depth &- 1
    }

    /// The arguments or the state of the object that a frame is about.
    @inline(__always)
    private func part(of frame: WriteFrame) -> NodeIndex? {
        let words = arena.record(frame.record)
        if frame.phase == .state {
            return words[ObjectRecord.state] == Singleton.absent ? nil : words[ObjectRecord.state]
        }
        return isCall(words) && !frame.isAgain ? words[ObjectRecord.arguments] : nil
    }

    /// Writes the opcode after an object's arguments or state, and says which phase comes next, if it is one that is known here.
    @inline(__always)
    private func finish(
        _ frame: WriteFrame,
        _ out: inout UnsafeMutablePointer<UInt8>,
        _ memoCount: inout UInt32
    ) -> WritePhase? {
        let words = arena.record(frame.record)
        let isLast = words[ObjectRecord.next] == Singleton.absent
        if frame.phase == .built {
            if !isLast { return nil }
            out[0] = 0x62
            out += 1
            return .done
        }
        // What has items is for the functions of one step.
        guard !arena.hasCycles, isCall(words), isLast, words[ObjectRecord.list + 1] == 0,
            words[ObjectRecord.dict + 1] == 0
        else { return nil }
        out[0] = words[ObjectRecord.operation] == ObjectRecord.Operation.reduce.rawValue ? 0x52 : 0x81
        out[1] = 0x94
        out += 2
        memoCount &+= 1
        memo[Int(frame.node)] = memoCount
        return words[ObjectRecord.state] == Singleton.absent ? .done : .state
    }
}
