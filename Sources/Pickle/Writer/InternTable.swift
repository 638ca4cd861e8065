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

    func memo(_ space: Space, _ bytes: UnsafeBufferPointer<UInt8>) -> UInt32? {
        if entries.isEmpty { return nil }
        let hash = KeyCheck.mix(bytes)
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != .max {
            let entry = entries[Int(slots[slot])]
            if entry.hash == hash, entry.space == space, Int(entry.count) == bytes.count, same(entry, bytes) {
                return entry.memo
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private func same(_ entry: Entry, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        store.withUnsafeBufferPointer {
            equalBytes(UnsafeBufferPointer(rebasing: $0[Int(entry.start)..<Int(entry.start + entry.count)]), bytes)
        }
    }

    mutating func insert(_ space: Space, _ bytes: UnsafeBufferPointer<UInt8>, memo: UInt32) {
        if (entries.count + 1) * 2 > slots.count { rehash() }
        let hash = KeyCheck.mix(bytes)
        place(UInt32(entries.count), hash)
        entries.append(
            Entry(
                hash: hash,
                start: UInt32(store.count),
                count: UInt32(bytes.count),
                memo: memo,
                space: space
            )
        )
        store.append(contentsOf: bytes)
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
