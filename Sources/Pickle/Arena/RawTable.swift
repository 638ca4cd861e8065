/// A growing array of trivial elements without reference counts or bounds checks.
///
/// It may start in memory that belongs to somebody else; then the first growth moves it to memory of its own. After its
/// capacity there is always room for `padding` elements that mean nothing, so that copies may be made of whole vectors.
struct RawTable<Element: BitwiseCopyable> {
    private(set) var base: UnsafeMutablePointer<Element>
    var count = 0
    private(set) var capacity: Int
    private(set) var isOwned: Bool
    /// How many bytes may still be taken, for all tables that share it; below zero once that was too little. Not there where nothing is
    /// counted.
    private var meter: UnsafeMutablePointer<Int>?

    static var padding: Int { 4 }

    init(capacity: Int, meter: UnsafeMutablePointer<Int>? = nil) {
        self.meter = meter
        let room = max(capacity, 16)
        base = .block(room + Self.padding)
        self.capacity = room
        isOwned = true
    }

    /// Starts in borrowed memory, of which the end is the padding.
    init(
        borrowing base: UnsafeMutablePointer<Element>,
        capacity: Int,
        meter: UnsafeMutablePointer<Int>? = nil
    ) {
        self.meter = meter
        self.base = base
        self.capacity = max(0, capacity - Self.padding)
        isOwned = false
    }

    /// A table in borrowed memory, or in its own where there is none.
    static func start(
        _ base: UnsafeMutablePointer<Element>?,
        _ capacity: Int,
        _ meter: UnsafeMutablePointer<Int>
    ) -> Self {
        base.map { Self(borrowing: $0, capacity: capacity, meter: meter) } ?? Self(capacity: capacity, meter: meter)
    }

    /// The same table, whose growth is counted.
    func counted(by meter: UnsafeMutablePointer<Int>) -> Self {
        var copy = self
        copy.meter = meter
        return copy
    }

    @inline(__always)
    mutating func append(_ element: Element) {
        if count == capacity { grow(by: 1) }
        base[count] = element
        count &+= 1
    }

    /// Makes room for `extra` more elements.
    @inline(__always)
    mutating func reserve(_ extra: Int) {
        if capacity &- count < extra { grow(by: extra) }
    }

    @inline(never)
    mutating func grow(by extra: Int) {
        let room = max(charged(capacity * 2, atLeast: count + extra), 32)
        let new = UnsafeMutablePointer<Element>.block(room + Self.padding)
        new.update(from: base, count: count)
        if isOwned { base.freeBlock() }
        base = new
        capacity = room
        isOwned = true
    }

    /// How many elements to make room for, which are counted. Where twice as many are too much it is fewer, so that the limit is
    /// reached and not only half of it.
    private func charged(_ wanted: Int, atLeast needed: Int) -> Int {
        guard let meter else { return max(wanted, needed) }
        let stride = MemoryLayout<Element>.stride
        let affordable = capacity + max(0, meter.pointee) / (2 * stride)
        let room = max(min(wanted, affordable), needed)
        meter.pointee -= (room - (isOwned ? capacity : 0)) * stride
        // A table that grows by a few elements at a time is copied too often.
        if room < wanted, room < capacity + capacity / 8 { meter.pointee = min(meter.pointee, -1) }
        return room
    }

    func free() {
        if isOwned { base.freeBlock() }
    }
}
