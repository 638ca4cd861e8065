extension Message {
    /// Where a message's id and its task's name stand on the wire, to all appearances.
    typealias LikelyPlaces = (id: Range<Int>, name: Range<Int>)

    private static let className: StaticString = "Message"
    /// Where the name of its class begins at the earliest: the name of its module comes first.
    private static let firstPlace = 13
    /// So many bytes are looked at for it.
    private static let window = 80

    /// Finds the first two texts behind the name of a message's class. A guess, made without decoding anything, for whoever compares
    /// them with the fields once those are known.
    ///
    /// - Parameter hint: where the class's name stood in the message before; 0 where that is not known.
    /// - Returns: nil where there is nothing to guess.
    static func likelyPlaces(in data: UnsafeRawBufferPointer, hint: inout Int) -> LikelyPlaces? {
        guard let start = isClassName(data, at: hint) ? hint : placeOfClassName(in: data) else { return nil }
        hint = start
        // An opcode or two, a tuple's mark, and the text; then what puts it into the memo, and the next text.
        guard let id = text(in: data, from: start + className.utf8CodeUnitCount, within: 10),
            let name = text(in: data, from: id.upperBound, within: 6)
        else { return nil }
        return (id, name)
    }

    /// The name in `\x8c\x07Message` or `chuey.registry\nMessage\n`.
    private static func placeOfClassName(in data: UnsafeRawBufferPointer) -> Int? {
        let end = min(data.count, window)
        var place = firstPlace
        while place < end {
            if isClassName(data, at: place) { return place }
            place += 1
        }
        return nil
    }

    private static func isClassName(_ data: UnsafeRawBufferPointer, at place: Int) -> Bool {
        let count = className.utf8CodeUnitCount
        guard place >= firstPlace, place + count <= min(data.count, window), data[place] == className.utf8Start[0]
        else { return false }
        for offset in 1..<count where data[place + offset] != className.utf8Start[offset] { return false }
        return true
    }

    private static func text(in data: UnsafeRawBufferPointer, from start: Int, within count: Int) -> Range<Int>? {
        var place = start
        while place < min(data.count, start + count) {
            let text: Int
            switch data[place] {
            case 0x8C: text = place + 2  // SHORT_BINUNICODE
            case 0x58: text = place + 5  // BINUNICODE, its length in four bytes
            default:
                place += 1
                continue
            }
            guard text <= data.count, data[(place + 2)..<text].allSatisfy({ $0 == 0 }) else { return nil }
            let length = Int(data[place + 1])
            guard length > 0, text + length <= data.count else { return nil }
            return text..<text + length
        }
        return nil
    }
}
