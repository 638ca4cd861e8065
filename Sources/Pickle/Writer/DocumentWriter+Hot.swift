/// The loop in which nearly all values of nearly all pickles are written.
extension DocumentWriter {
    /// Goes on with the container or object that is being written and with those inside of it, at protocols 4 and up, with
    /// the frame open and with room for what comes. Stops before everything else; the frames then say how far it came.
    ///
    /// The output's end and the place among the children are kept in locals, because a store through a pointer makes the
    /// compiler load fields again.
    mutating func runHot(_ writer: inout PickleWriter) {
        if writer.frameStart < 0 { return }
        let base = writer.base
        // The longest value takes 258 bytes, copies may run over by 15, and a few more bytes end a container.
        let limit = base + (min(writer.capacity, writer.frameStart &+ 9 &+ 65_536) &- 290)
        let nodes = arena.nodes
        let frames = writer.work.base
        let deepest = writer.work.capacity &- 1
        var depth = writer.work.count &- 1
        var out = base + writer.count
        var memoCount = writer.memoCount
        containers: while depth >= 0 {
            let frame = frames[depth]
            let batch: Int
            switch frame.phase {
            case .tuple: batch = .max
            case .list: batch = 1000
            case .dict: batch = 2000
            default:
                let goesOn = other(depth, &writer, out, memoCount, limit)
                depth = writer.work.count &- 1
                out = base + writer.count
                memoCount = writer.memoCount
                if goesOn { continue containers }
                break containers
            }
            let isBatched = frame.count > (frame.phase == .list ? 1 : 2) && batch != .max
            let start = arena.children + Int(frame.first)
            let end = start + Int(frame.count)
            var next = start + Int(frame.position)
            while next < end {
                var stop = end
                if isBatched {
                    let done = next - start
                    let rest = done < batch ? done : done % batch
                    stop = min(end, next + (batch &- rest))
                    if rest == 0 {
                        if done > 0 {
                            out[0] = frame.phase == .list ? 0x65 : 0x75
                            out += 1
                        }
                        out[0] = 0x28
                        out += 1
                    }
                }
                while next < stop {
                    let index = Int(next[0])
                    let node = nodes[index]
                    if out < limit, leaf(node, index, &out, &memoCount) {
                        next += 1
                        continue
                    }
                    if out < limit, depth < deepest, visits < visitLimit,
                        let child = open(node, UInt32(truncatingIfNeeded: index), &out, &memoCount)
                    {
                        frames[depth].position = UInt32(truncatingIfNeeded: next - start) &+ 1
                        if child.count > 0 {
                            visits &+= 1
                            depth &+= 1
                            frames[depth] = child
                            continue containers
                        }
                        next += 1
                        continue
                    }
                    if out < limit, depth < deepest, visits < visitLimit, node.tag.rawValue >= Tag.set.rawValue {
                        frames[depth].position = UInt32(truncatingIfNeeded: next - start) &+ 1
                        if openOther(UInt32(truncatingIfNeeded: index), depth, &writer, out, memoCount) {
                            depth = writer.work.count &- 1
                            out = base + writer.count
                            memoCount = writer.memoCount
                            continue containers
                        }
                    }
                    // Whoever goes on begins the batch again.
                    let done = next - start
                    if isBatched, done % batch == 0 { out -= done == 0 ? 1 : 2 }
                    frames[depth].position = UInt32(truncatingIfNeeded: done)
                    break containers
                }
            }
            frames[depth].position = frame.count
            if out >= limit || !close(frame, &out, &memoCount) { break containers }
            depth &-= 1
        }
        writer.work.count = depth &+ 1
        writer.count = out - base
        writer.memoCount = memoCount
    }

    /// Writes a plain value or a reference; whether it was one.
    @inline(__always)
    func leaf(
        _ node: Node,
        _ index: Int,
        _ out: inout UnsafeMutablePointer<UInt8>,
        _ memoCount: inout UInt32
    ) -> Bool {
        switch node.tag {
        case .none:
            out[0] = 0x4E
            out += 1
        case .bool:
            out[0] = node.a != 0 ? 0x88 : 0x89
            out += 1
        case .int:
            let value = Int64(bitPattern: node.bits)
            if UInt64(bitPattern: value) <= 0xFF {
                out[0] = 0x4B
                out[1] = UInt8(truncatingIfNeeded: value)
                out += 2
            } else if UInt64(bitPattern: value) <= 0xFFFF {
                out[0] = 0x4D
                store(UInt16(truncatingIfNeeded: value).littleEndian, out + 1)
                out += 3
            } else if value == Int64(Int32(truncatingIfNeeded: value)) {
                out[0] = 0x4A
                store(Int32(truncatingIfNeeded: value).littleEndian, out + 1)
                out += 5
            } else {
                // As many bytes as the value and its sign take.
                let count = (72 &- (value ^ value &>> 63).leadingZeroBitCount) / 8
                out[0] = 0x8A
                out[1] = UInt8(truncatingIfNeeded: count)
                store(value.littleEndian, out + 2)
                out += 2 + count
            }
        case .float:
            out[0] = 0x47
            store(node.bits.bigEndian, out + 1)
            out += 9
        default:
            let known = memo[index]
            if known != 0 {
                if known <= 256 {
                    out[0] = 0x68
                    out[1] = UInt8(truncatingIfNeeded: known &- 1)
                    out += 2
                } else {
                    out[0] = 0x6A
                    store((known &- 1).littleEndian, out + 1)
                    out += 5
                }
                return true
            }
            // What is one object for all of Python may be in the memo already, if it was not this document's.
            guard node.tag == .string || node.tag == .bytes, node.b < 256, node.b > 2 || isPure else { return false }
            let count = Int(node.b)
            out[0] = node.tag == .string ? 0x8C : 0x43
            out[1] = UInt8(truncatingIfNeeded: count)
            copyPadded(arena.start(of: node), out + 2, count)
            out[2 &+ count] = 0x94
            out += count &+ 3
            memoCount &+= 1
            memo[index] = memoCount
        }
        return true
    }

    /// Begins a tuple, list or dict that is not written yet; one without children is complete with that.
    @inline(__always)
    func open(
        _ node: Node,
        _ index: NodeIndex,
        _ out: inout UnsafeMutablePointer<UInt8>,
        _ memoCount: inout UInt32
    ) -> WriteFrame? {
        switch node.tag {
        case .tuple:
            if node.b == 0 {
                out[0] = 0x29
                out += 1
            } else if node.b > 3 {
                out[0] = 0x28
                out += 1
            }
            return WriteFrame(index, .tuple, first: node.a, count: node.b)
        case .list, .dict:
            out[0] = node.tag == .list ? 0x5D : 0x7D
            out[1] = 0x94
            out += 2
            memoCount &+= 1
            memo[Int(index)] = memoCount
            return WriteFrame(index, node.tag == .list ? .list : .dict, first: node.a, count: node.b)
        default: return nil
        }
    }

    /// Ends a container all of whose children are written; not a tuple that was written meanwhile by way of them.
    @inline(__always)
    private func close(
        _ frame: WriteFrame,
        _ out: inout UnsafeMutablePointer<UInt8>,
        _ memoCount: inout UInt32
    ) -> Bool {
        switch frame.phase {
        case .list:
            out[0] = frame.count == 1 ? 0x61 : 0x65
            out += 1
        case .dict:
            out[0] = frame.count == 2 ? 0x73 : 0x75
            out += 1
            if frame.count % 2000 == 0 {
                out[0] = 0x28
                out[1] = 0x75
                out += 2
            }
        default:
            if memo[Int(frame.node)] != 0 { return false }
            out[0] = frame.count > 3 ? 0x74 : 0x84 &+ UInt8(truncatingIfNeeded: frame.count)
            out[1] = 0x94
            out += 2
            memoCount &+= 1
            memo[Int(frame.node)] = memoCount
        }
        return true
    }
}

@inline(__always)
private func store<T: BitwiseCopyable>(_ value: T, _ target: UnsafeMutablePointer<UInt8>) {
    UnsafeMutableRawPointer(target).storeBytes(of: value, as: T.self)
}

/// Copies in steps of 16 bytes; source and target have 15 bytes after their end that may be read and written.
@inline(__always)
private func copyPadded(_ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, _ count: Int) {
    let from = UnsafeRawPointer(source)
    let to = UnsafeMutableRawPointer(target)
    var index = 0
    repeat {
        to.storeBytes(
            of: from.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self),
            toByteOffset: index,
            as: SIMD16<UInt8>.self
        )
        index &+= 16
    } while index < count
}
