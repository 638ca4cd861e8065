extension Message {
    /// Where a message's id stands on the wire, to all appearances: the first text behind the name of its class. A guess, made without
    /// decoding anything, for whoever compares it with the id once that is known; nil where there is nothing to guess.
    static func likelyID(in data: [UInt8]) -> Range<Int>? {
        // `\x8c\x07Message` or `chuey.registry\nMessage\n`; an opcode or two, a tuple's mark, and the text.
        let name: StaticString = "Message"
        let window = 80
        return data.withUnsafeBytes { data in
            let count = name.utf8CodeUnitCount
            // The name of its module comes first.
            var start = 13
            while start + count <= min(data.count, window) {
                let isName =
                    data[start] == name.utf8Start[0]
                    && UnsafeRawBufferPointer(rebasing: data[start..<start + count]).elementsEqual(name)
                if isName { break }
                start += 1
            }
            guard start + count <= min(data.count, window) else { return nil }
            for place in start + count..<min(data.count, start + count + 10) {
                let text: Int
                switch data[place] {
                case 0x8C: text = place + 2  // SHORT_BINUNICODE
                case 0x58: text = place + 5  // BINUNICODE, its length in four bytes
                default: continue
                }
                guard text <= data.count, data[(place + 2)..<text].allSatisfy({ $0 == 0 }) else { return nil }
                let length = Int(data[place + 1])
                guard length > 0, text + length <= data.count else { return nil }
                return text..<text + length
            }
            return nil
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func elementsEqual(_ text: StaticString) -> Bool {
        elementsEqual(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
