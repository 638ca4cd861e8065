/// A Content-Type header taken apart as `email.message.Message` does it.
struct ContentType {
    private let text: [UInt8]

    init(_ text: String) { self.text = Array(text.utf8) }

    /// `get_content_type`: main type and subtype in small letters; what is none of these is text/plain.
    var type: (main: String, sub: String) {
        let head = String(decoding: Self.strip(text.prefix { $0 != UInt8(ascii: ";") }), as: UTF8.self).lowercased()
        let parts = head.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : ("text", "plain")
    }

    /// `get_param`, unquoted; `nil` when there is no such parameter.
    ///
    /// - Throws: when it is written in RFC 2231's way, which nothing that eduMFA sends has.
    func parameter(_ name: String) throws(MailFailure) -> String? {
        for (key, value) in try parameters() where key.lowercased() == name {
            return Self.unquote(value)
        }
        return nil
    }

    /// The value with this boundary as `set_boundary` writes it.
    func settingBoundary(_ boundary: String) throws(MailFailure) -> String {
        var isFound = false
        var parts: [String] = []
        for (key, value) in try parameters() {
            if key.lowercased() == "boundary" {
                parts.append("boundary=\"\(boundary)\"")
                isFound = true
            } else {
                parts.append(value.isEmpty ? key : "\(key)=\(value)")
            }
        }
        if !isFound { parts.append("boundary=\"\(boundary)\"") }
        return parts.joined(separator: "; ")
    }

    /// The value with this character set as `set_param` writes it.
    func settingCharset(_ charset: String) throws(MailFailure) -> String {
        try parameters().map { key, value in
            let unquoted = key.lowercased() == "charset" ? charset : Self.unquote(value)
            return unquoted.isEmpty ? key : "\(key)=\"\(Self.quote(unquoted))\""
        }.joined(separator: "; ")
    }

    /// `_get_params_preserve`: names and quoted values; the type itself is the first, without value.
    private func parameters() throws(MailFailure) -> [(name: String, value: String)] {
        var found: [(name: String, value: String)] = []
        for piece in pieces() {
            let cut = piece.firstIndex(of: UInt8(ascii: "="))
            let name = Self.strip(piece[..<(cut ?? piece.endIndex)])
            let value = cut.map { Self.strip(piece[($0 + 1)...]) } ?? []
            let key = String(decoding: name, as: UTF8.self)
            let text = String(decoding: value, as: UTF8.self)
            if found.isEmpty {
                found.append((key, text))
                continue
            }
            guard !key.contains("*") else {
                throw .permanent("a Content-Type has a parameter in the way of RFC 2231")
            }
            found.append((key, "\"\(Self.quote(Self.unquote(text)))\""))
        }
        return found
    }

    /// `_parseparam`: cut at semicolons outside of quotes.
    private func pieces() -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var piece: [UInt8] = []
        // An odd number of quotes, those after a backslash not counted, keeps a semicolon; at the very start nothing does.
        var quotes = 0
        for byte in text {
            if byte == UInt8(ascii: ";"), piece.isEmpty || quotes.isMultiple(of: 2) {
                pieces.append(Self.lowercasingName(piece))
                piece = []
                quotes = 0
                continue
            }
            if byte == UInt8(ascii: "\""), piece.last != UInt8(ascii: "\\") { quotes += 1 }
            piece.append(byte)
        }
        pieces.append(Self.lowercasingName(piece))
        return pieces
    }

    private static func lowercasingName(_ piece: [UInt8]) -> [UInt8] {
        guard let cut = piece.firstIndex(of: UInt8(ascii: "=")) else { return Array(strip(piece[...])) }
        let name = String(decoding: strip(piece[..<cut]), as: UTF8.self).lowercased()
        return Array(name.utf8) + [UInt8(ascii: "=")] + strip(piece[(cut + 1)...])
    }

    private static func strip(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isSpace = { (byte: UInt8) in (9...13).contains(byte) || (28...32).contains(byte) }
        let rest = text.drop(while: isSpace)
        let length = rest.reversed().drop(while: isSpace).count
        return rest.prefix(length)
    }

    /// `email.utils.quote`.
    private static func quote(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }

    /// `email.utils.unquote`.
    static func unquote(_ text: String) -> String {
        guard text.utf8.count > 1 else { return text }
        if text.hasPrefix("\""), text.hasSuffix("\"") {
            return String(text.dropFirst().dropLast()).replacing("\\\\", with: "\\").replacing("\\\"", with: "\"")
        }
        if text.hasPrefix("<"), text.hasSuffix(">") { return String(text.dropFirst().dropLast()) }
        return text
    }
}
