internal import SMTP

/// RFC 2047's encoded words as `email.charset.Charset.header_encode_lines` writes them without a limit of length.
enum EncodedWord {
    /// - Returns: the word; nothing for nothing; `nil` when the text does not fit the character set.
    static func encode(_ text: PythonText, _ charset: MailCharset) -> [UInt8]? {
        let codec = charset.outputCodec ?? "us-ascii"
        guard let bytes = TextCodec.encode(text, codec) else { return nil }
        guard !bytes.isEmpty else { return [] }
        var isBase64 = charset.headerEncoding == .base64
        if charset.headerEncoding == .shortest { isBase64 = (bytes.count + 2) / 3 * 4 < quotedLength(bytes) }
        let payload = isBase64 ? Base64.encode(bytes) : quote(bytes)
        return Array("=?\(codec)?\(isBase64 ? "b" : "q")?".utf8) + payload + Array("?=".utf8)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        case UInt8(ascii: "-"), UInt8(ascii: "!"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "/"): true
        default: false
        }
    }

    private static func quotedLength(_ bytes: [UInt8]) -> Int {
        bytes.reduce(0) { $0 + (isPlain($1) || $1 == 0x20 ? 1 : 3) }
    }

    private static func quote(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for byte in bytes {
            if isPlain(byte) {
                result.append(byte)
            } else if byte == 0x20 {
                result.append(UInt8(ascii: "_"))
            } else {
                result += QuotedPrintable.escape(byte)
            }
        }
        return result
    }
}

/// Quoted-printable bodies as `email.quoprimime.body_encode` writes them.
enum QuotedPrintable {
    private static let digits = Array("0123456789ABCDEF".utf8)
    private static let longestLine = 76

    static func escape(_ byte: UInt8) -> [UInt8] {
        [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    /// Lines end with LF.
    static func encode(_ body: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < body.count {
            var line: [UInt8] = []
            while index < body.count, body[index] != 0x0A, body[index] != 0x0D {
                let byte = body[index]
                let isSafe = byte == 0x09 || ((0x20...0x7E).contains(byte) && byte != UInt8(ascii: "="))
                if isSafe { line.append(byte) } else { line += escape(byte) }
                index += 1
            }
            append(line, to: &result)
            guard index < body.count else { break }
            index += body[index] == 0x0D && index + 1 < body.count && body[index + 1] == 0x0A ? 2 : 1
            result.append(0x0A)
        }
        return result
    }

    /// Breaks one line softly where it is too long.
    private static func append(_ line: [UInt8], to result: inout [UInt8]) {
        let equals = UInt8(ascii: "=")
        let lastStart = line.count - 1 - longestLine
        var start = 0
        while start <= lastStart {
            // Space for the soft break, and no escape sequence in two.
            var stop = start + longestLine - 1
            if line[stop - 2] == equals {
                result += line[start..<stop - 1]
                stop -= 2
            } else if line[stop - 1] == equals {
                result += line[start..<stop]
                stop -= 1
            } else {
                result += line[start..<stop]
                result.append(equals)
            }
            result.append(0x0A)
            start = stop
        }
        guard let last = line.last, last == 0x20 || last == 0x09 else {
            result += line[start...]
            return
        }
        result += line[start..<line.count - 1]
        switch start - lastStart {
        case 3...: result += escape(last)
        case 2: result += [last, equals, 0x0A]
        default: result += [equals, 0x0A] + escape(last)
        }
    }
}
