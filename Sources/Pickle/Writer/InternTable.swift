/// Memo numbers of what is shared by content, as Python shares interned strings, one-character strings and globals.
struct InternTable {
    /// What an entry is; equal bytes of different spaces are different things.
    enum Space: UInt8 {
        case string, global, bytes
    }

    private struct Entry {
        var hash: UInt32
        var start: UInt32
        var count: UInt32
        /// How many of the bytes are the first part: of a global, its module.
        var split: UInt32
        var memo: UInt32
        var space: Space
    }

    private var slots: [UInt32] = []
    private var entries: [Entry] = []
    private var store: [UInt8] = []

    var isEmpty: Bool { entries.isEmpty }

    mutating func removeAll() {
        if entries.isEmpty { return }
        for index in slots.indices { slots[index] = .max }
        entries.removeAll(keepingCapacity: true)
        store.removeAll(keepingCapacity: true)
    }

    typealias Bytes = UnsafeBufferPointer<UInt8>

    private func hash(_ first: Bytes, _ second: Bytes?) -> UInt32 {
        let hash = KeyCheck.mix(first)
        return second.map { hash &* 31 ^ KeyCheck.mix($0) } ?? hash
    }

    /// The memo number of a str or bytes, or with two parts that of a global: its module and its name.
    func memo(_ space: Space, _ first: Bytes, _ second: Bytes? = nil) -> UInt32? {
        if entries.isEmpty { return nil }
        let hash = hash(first, second)
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != .max {
            let entry = entries[Int(slots[slot])]
            if entry.hash == hash, entry.space == space, Int(entry.split) == first.count,
                Int(entry.count) == first.count + (second?.count ?? 0), isSame(entry, first, second)
            {
                return entry.memo
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private func isSame(_ entry: Entry, _ first: Bytes, _ second: Bytes?) -> Bool {
        store.withUnsafeBufferPointer {
            let start = Int(entry.start)
            let split = start + Int(entry.split)
            guard equalBytes(Bytes(rebasing: $0[start..<split]), first) else { return false }
            guard let second else { return true }
            return equalBytes(Bytes(rebasing: $0[split..<start + Int(entry.count)]), second)
        }
    }

    mutating func insert(_ space: Space, _ first: Bytes, _ second: Bytes? = nil, memo: UInt32) {
        if (entries.count + 1) * 2 > slots.count { rehash() }
        let hash = hash(first, second)
        place(UInt32(entries.count), hash)
        entries.append(
            Entry(
                hash: hash,
                start: UInt32(truncatingIfNeeded: store.count),
                count: UInt32(truncatingIfNeeded: first.count + (second?.count ?? 0)),
                split: UInt32(truncatingIfNeeded: first.count),
                memo: memo,
                space: space
            )
        )
        store.append(contentsOf: first)
        if let second { store.append(contentsOf: second) }
    }

    private mutating func place(_ entry: UInt32, _ hash: UInt32) {
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != .max { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = entry
    }

    private mutating func rehash() {
        slots = Array(repeating: .max, count: max(32, slots.count * 2))
        for (index, entry) in entries.enumerated() { place(UInt32(index), entry.hash) }
    }
}
