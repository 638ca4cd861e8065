extension String {
    /// This text, or its beginning of at most so many bytes of UTF-8 with `…` behind it: for messages and logs that quote what came from
    /// outside.
    package func bounded(_ limit: Int = 200) -> String {
        var copy = self
        let count = copy.withUTF8 { $0.count }
        guard count > limit else { return self }
        // Not through the middle of a character's bytes.
        let cut = copy.withUTF8 { bytes in
            var end = max(0, limit)
            while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
            return String(decoding: bytes[..<end], as: UTF8.self)
        }
        return cut + "…"
    }
}
