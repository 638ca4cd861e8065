/// A growing array of trivial elements without reference counts or bounds checks.
///
/// It may start in memory that belongs to somebody else; then the first growth moves it to memory of its own. After its
/// capacity there is always room for `padding` elements that mean nothing, so that copies may be made of whole vectors.
struct RawTable<Element: BitwiseCopyable> {
    private(set) var base: UnsafeMutablePointer<Element>
    var count = 0
    private(set) var capacity: Int
    private(set) var isOwned: Bool

    static var padding: Int { 4 }

    init(capacity: Int) {
        let room = max(capacity, 16)
        base = .block(room + Self.padding)
        self.capacity = room
        isOwned = true
    }

    /// Starts in borrowed memory, of which the end is the padding.
    init(borrowing base: UnsafeMutablePointer<Element>, capacity: Int) {
        self.base = base
        self.capacity = max(0, capacity - Self.padding)
        isOwned = false
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
        let room = max(capacity * 2, count + extra, 32)
        let new = UnsafeMutablePointer<Element>.block(room + Self.padding)
        new.update(from: base, count: count)
        if isOwned { base.freeBlock() }
        base = new
        capacity = room
        isOwned = true
    }

    func free() {
        if isOwned { base.freeBlock() }
    }
}
