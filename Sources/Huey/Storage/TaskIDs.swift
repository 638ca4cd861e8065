/// Ids of many tasks, one behind the other in one piece of memory.
public struct TaskIDs: Sendable {
    private var bytes: [UInt8] = []
    /// Where each id ends, and the next one begins.
    private var ends: [Int] = []

    public init() {}

    public init(_ ids: some Sequence<String>) {
        for var id in ids { id.withUTF8 { append($0) } }
    }

    /// With room for so many of the usual length.
    init(reserving count: Int) {
        bytes.reserveCapacity(count * 36)
        ends.reserveCapacity(count)
    }

    /// With room for as many as others are.
    init(likely others: TaskIDs) {
        bytes.reserveCapacity(others.bytes.count)
        ends.reserveCapacity(others.count)
    }

    public var count: Int { ends.count }

    /// How many bytes all of them have.
    package var byteCount: Int { bytes.count }

    /// The id at a place, with U+FFFD for what is not UTF-8.
    public subscript(index: Int) -> String { String(decoding: bytes[range(index)], as: UTF8.self) }

    /// All of them.
    public var strings: [String] { (0..<count).map { self[$0] } }

    /// Calls `body` with each id's UTF-8, which is valid only while `body` runs.
    public func forEach(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try bytes.withUnsafeBytes { bytes in
            var start = 0
            for end in ends {
                try body(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                start = end
            }
        }
    }

    /// Adds an id by its UTF-8.
    mutating func append(_ id: UnsafeBufferPointer<UInt8>) {
        bytes += id
        ends.append(bytes.count)
    }

    mutating func append(_ id: UnsafeRawBufferPointer) {
        bytes += id
        ends.append(bytes.count)
    }

    /// Those from a place on.
    func suffix(from index: Int) -> TaskIDs {
        guard index > 0 else { return self }
        var rest = TaskIDs()
        for index in index..<count {
            bytes.withUnsafeBytes { rest.append(UnsafeRawBufferPointer(rebasing: $0[range(index)])) }
        }
        return rest
    }

    /// Whether the id at a place has this UTF-8.
    func holds(_ id: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
        let range = range(index)
        guard range.count == id.count else { return false }
        return bytes.withUnsafeBytes { bytes in
            let (one, other) = (UnsafeRawBufferPointer(rebasing: bytes[range]), UnsafeRawBufferPointer(id))
            var place = 0
            while place + 8 <= one.count {
                let isSame =
                    one.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                    == other.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                guard isSame else { return false }
                place += 8
            }
            return one[place...].elementsEqual(other[place...])
        }
    }

    private func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }
}
