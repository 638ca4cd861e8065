/// The hot loop of writing.
extension GraftEngine {
    /// Writes children as long as they are plain values, references, or str of ordinary length, at protocols 4 and up,
    /// with the frame open, and with room for all of that; leaves everything else to `save`.
    ///
    /// The output's end is kept in a local, because a store through a pointer makes the compiler load fields again.
    @inline(__always)
    func leaves(_ frame: inout GraftFrame, upTo end: UInt32, _ writer: inout PickleWriter) {
        if writer.frameStart < 0 { return }
        // The longest leaf takes 258 bytes, and copies may run over by 15.
        let limit = min(writer.capacity, writer.frameStart &+ 9 &+ 65_536) &- 280
        let base = writer.base
        let nodes = arena.nodes
        let children = arena.children + Int(frame.first)
        let memo = self.memo
        var out = writer.count
        var memoCount = writer.memoCount
        var position = frame.position
        loop: while position < end, out < limit {
            let index = Int(children[Int(position)])
            let node = nodes[index]
            switch node.tag {
            case .none:
                base[out] = 0x4E
                out &+= 1
            case .bool:
                base[out] = node.a != 0 ? 0x88 : 0x89
                out &+= 1
            case .int:
                let value = Int64(bitPattern: node.bits)
                if UInt64(bitPattern: value) <= 0xFF {
                    base[out] = 0x4B
                    base[out &+ 1] = UInt8(truncatingIfNeeded: value)
                    out &+= 2
                } else if UInt64(bitPattern: value) <= 0xFFFF {
                    base[out] = 0x4D
                    store(UInt16(truncatingIfNeeded: value).littleEndian, base + out + 1)
                    out &+= 3
                } else if value == Int64(Int32(truncatingIfNeeded: value)) {
                    base[out] = 0x4A
                    store(Int32(truncatingIfNeeded: value).littleEndian, base + out + 1)
                    out &+= 5
                } else {
                    break loop
                }
            case .float:
                base[out] = 0x47
                store(node.bits.bigEndian, base + out + 1)
                out &+= 9
            default:
                let known = memo[index]
                if known != 0 {
                    if known <= 256 {
                        base[out] = 0x68
                        base[out &+ 1] = UInt8(truncatingIfNeeded: known &- 1)
                        out &+= 2
                    } else {
                        base[out] = 0x6A
                        store((known &- 1).littleEndian, base + out + 1)
                        out &+= 5
                    }
                } else if node.tag == .string, node.b > 2, node.b < 256 {
                    let count = Int(node.b)
                    base[out] = 0x8C
                    base[out &+ 1] = UInt8(truncatingIfNeeded: count)
                    copyPadded(arena.start(of: node), base + out + 2, count)
                    base[out &+ 2 &+ count] = 0x94
                    out &+= count &+ 3
                    memoCount &+= 1
                    memo[index] = memoCount
                } else {
                    break loop
                }
            }
            position &+= 1
        }
        writer.count = out
        writer.memoCount = memoCount
        frame.position = position
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
