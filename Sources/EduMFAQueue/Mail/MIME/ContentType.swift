internal import Pickle

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

    /// `get_boundary`, its spaces at the end kept; `nil` when there is no such parameter.
    var boundary: String? {
        guard let value = parameters.first(where: { $0.name.lowercased() == "boundary" })?.value else { return nil }
        switch value {
        case .plain(let text):
            // get_param takes the quotes away, and get_boundary does so once more.
            return Self.unquote(Self.unquote(text))
        case .extended(let charset, _, let text):
            let bytes = text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
            return TextCodec.decode(bytes, charset ?? "us-ascii")?.string ?? Self.unquote(text)
        }
    }

    /// `get_param("charset")`, unquoted; `nil` when there is none.
    ///
    /// - Throws: when it is written in RFC 2231's way, with which Python fails.
    func charset() throws(MailFailure) -> String? {
        switch parameters.first(where: { $0.name.lowercased() == "charset" })?.value {
        case nil: return nil
        case .plain(let text)?: return Self.unquote(text)
        case .extended?: throw .permanent("a part of the body has a character set that is written in RFC 2231's way")
        }
    }

    /// The value with this boundary as `set_boundary` writes it.
    func settingBoundary(_ boundary: String) -> String {
        var isFound = false
        var parts: [String] = []
        for (key, value) in parameters {
            if key.lowercased() == "boundary" {
                parts.append("boundary=\"\(boundary)\"")
                isFound = true
                continue
            }
            switch value {
            case .plain(let text): parts.append(text.isEmpty ? key : "\(key)=\(text)")
            case .extended(let charset, let language, let text):
                // Python formats its tuple. No reader understands that, but it is what goes out.
                let items = [charset, language, "\"\(text)\""].map { $0.map(PickleValue.string) ?? PickleValue.none }
                parts.append("\(key)=\(PickleValue.tuple(items).repr)")
            }
        }
        if !isFound { parts.append("boundary=\"\(boundary)\"") }
        return parts.joined(separator: "; ")
    }

    /// The value with this character set as `set_param` writes it.
    ///
    /// - Throws: where a parameter does not fit the character set that it names.
    func settingCharset(_ charset: String) throws(MailFailure) -> String {
        var parts: [String] = []
        for (key, value) in parameters {
            switch value {
            case _ where key.lowercased() == "charset": parts.append("\(key)=\"\(Self.quote(charset))\"")
            case .plain(let text):
                let unquoted = Self.unquote(text)
                if unquoted.utf8.allSatisfy({ $0 < 0x80 }) {
                    parts.append(unquoted.isEmpty ? key : "\(key)=\"\(Self.quote(unquoted))\"")
                } else {
                    parts.append("\(key)*=utf-8''\(Self.escaped(Array(unquoted.utf8)))")
                }
            case .extended(let charset, let language, let text):
                guard let bytes = TextCodec.encode(PythonText(Self.unquote(text)), charset ?? "ascii") else {
                    throw .permanent("a parameter of a Content-Type does not fit its character set")
                }
                let names = charset == nil && language == nil ? "" : "\(charset ?? "None")'\(language ?? "")'"
                parts.append("\(key)*=\(names)\(Self.escaped(bytes))")
            }
        }
        return parts.joined(separator: "; ")
    }

    // MARK: Parameters

    /// A parameter's value as `email.utils.decode_params` leaves it.
    private enum Value {
        /// In quotes.
        case plain(String)
        /// Written in RFC 2231's way; each octet of the text is a character.
        case extended(charset: String?, language: String?, text: String)
    }

    /// `_get_params_preserve`: the type itself is the first, without value; then parameters, and behind them those in RFC 2231's way.
    private var parameters: [(name: String, value: Value)] {
        var found: [(name: String, value: Value)] = []
        var sections: [(name: String, parts: [Section])] = []
        var indices: [String: Int] = [:]
        for piece in pieces() {
            let cut = piece.firstIndex(of: UInt8(ascii: "="))
            let key = String(decoding: Self.strip(piece[..<(cut ?? piece.endIndex)]), as: UTF8.self)
            let text = String(decoding: cut.map { Self.strip(piece[($0 + 1)...]) } ?? [], as: UTF8.self)
            if found.isEmpty {
                found.append((key, .plain(text)))
                continue
            }
            let value = Self.unquote(text)
            guard let (name, number) = Self.section(key) else {
                found.append((key, .plain("\"\(Self.quote(value))\"")))
                continue
            }
            let part = Section(number: number, text: value, isEncoded: key.hasSuffix("*"))
            if let index = indices[name] {
                sections[index].parts.append(part)
            } else {
                indices[name] = sections.count
                sections.append((name, [part]))
            }
        }
        return found + sections.map { ($0.name, Self.joined($0.parts)) }
    }

    /// A piece of a parameter in RFC 2231's way.
    private struct Section {
        var number: Int?
        var text: String
        var isEncoded: Bool
    }

    /// The parts of a key like `name*`, `name*0` or `name*0*`; nil for any other. Python's pattern is `^(\w+)\*(([0-9]+)\*?)?$`, ASCII only.
    private static func section(_ key: String) -> (name: String, number: Int?)? {
        guard let star = key.utf8.firstIndex(of: UInt8(ascii: "*")), star > key.utf8.startIndex else { return nil }
        let isWord = { (byte: UInt8) in
            (48...57).contains(byte) || (97...122).contains(byte | 0x20) || byte == UInt8(ascii: "_")
        }
        guard key.utf8[..<star].allSatisfy(isWord) else { return nil }
        var digits = key.utf8[key.utf8.index(after: star)...]
        if digits.count > 1, digits.last == UInt8(ascii: "*") { digits = digits.dropLast() }
        guard digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return (String(key[..<star]), Int(Substring(digits)))
    }

    private static func joined(_ parts: [Section]) -> Value {
        let sorted = parts.sorted { ($0.number ?? -1, $0.text) < ($1.number ?? -1, $1.text) }
        let text = quote(sorted.map { $0.isEncoded ? unescaped($0.text) : $0.text }.joined())
        guard parts.contains(where: \.isEncoded) else { return .plain("\"\(text)\"") }
        let pieces = text.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        return pieces.count == 3
            ? .extended(charset: pieces[0], language: pieces[1], text: pieces[2])
            : .extended(charset: nil, language: nil, text: text)
    }

    /// `urllib.parse.unquote(text, encoding="latin-1")`.
    private static func unescaped(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let octet = Hex.decode(bytes[(index + 1)...(index + 2)])
            {
                result += Array(String(octet.map { Character(UnicodeScalar($0)) }).utf8)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// `urllib.parse.quote(text, safe="")` of encoded text.
    private static func escaped(_ bytes: [UInt8]) -> String {
        String(
            decoding: bytes.flatMap { byte -> [UInt8] in
                switch byte {
                case 48...57, 65...90, 97...122: [byte]
                case _ where "_.-~".utf8.contains(byte): [byte]
                default: [UInt8(ascii: "%")] + QuotedPrintable.escape(byte).dropFirst()
                }
            },
            as: UTF8.self
        )
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
