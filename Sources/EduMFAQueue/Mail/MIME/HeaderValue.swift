import Huey
internal import Pickle

/// The value of a header, as `email.message.Message` holds it.
enum HeaderValue: Sendable {
    /// None, which prints as nothing.
    case none
    case text(PythonText)
    case header(HeaderObject)

    init(_ view: PickleView, name: String) throws(MailFailure) {
        guard Self.size(of: view) <= MailLimits.headerSize else {
            throw .permanent("the header \(SafeText.escaped(name, limit: 100)) is too long")
        }
        if view.isNone {
            self = .none
        } else if let text = PythonText(view) {
            self = .text(text)
        } else if let header = HeaderObject(view) {
            self = .header(header)
        } else if let object = view.object, object.isInstance(of: "email.headerregistry", "_reconstruct_header"),
            let text = object.arguments.dropFirst(2).first.flatMap({ PythonText($0) })
        {
            // What messages of the newer kind hold: a str with more about it.
            self = .text(text)
        } else {
            throw .permanent("the header \(name) is of a class that cannot be used")
        }
    }

    /// How many bytes of text it has, before any of it is copied.
    private static func size(of view: PickleView) -> Int {
        if let count = view.withUTF8(\.count) { return count }
        guard let object = view.object else { return 0 }
        var size = 0
        for text in object.arguments { size += text.withUTF8(\.count) ?? 0 }
        let chunks = object.state?["_chunks"]?.elements
        for chunk in chunks.map({ Array($0.prefix(MailLimits.headerSize)) }) ?? [] {
            // Each chunk costs more than its text.
            size += 100 + (chunk[0]?.withUTF8(\.count) ?? 0)
            if size > MailLimits.headerSize { break }
        }
        return size
    }

    /// Python's `str(value)`, undecodable bytes replaced.
    var string: String {
        switch self {
        case .none: "None"
        case .text(let text): text.string
        case .header(let header): header.string
        }
    }

    /// Whether it brings a line of its own. A line break at the very end does not, nor one that white space follows: it folds.
    var holdsLineBreak: Bool {
        let texts: [PythonText] =
            switch self {
            case .none: []
            case .text(let text): [text]
            case .header(let header): header.chunks.map(\.text)
            }
        return texts.contains { text in
            let end = text.points.lastIndex { $0 != 0x0A && $0 != 0x0D } ?? -1
            return zip(text.points.prefix(max(end, 0)), text.points.dropFirst()).contains { point, next in
                // Of CRLF, the second half decides.
                (point == 0x0A || point == 0x0D && next != 0x0A) && next != 0x20 && next != 0x09
            }
        }
    }

    /// The line or lines `name: value` with a line break, as `email.policy.compat32` folds them when there is no longest line.
    ///
    /// - Throws: where Python raises, and where the value would end the header it is in.
    func line(_ name: String) throws(MailFailure) -> [UInt8] {
        var line = Array("\(name): ".utf8)
        switch self {
        case .none: break
        case .text(let text):
            var header = HeaderObject(nameLength: name.utf8.count)
            if text.hasSurrogates {
                header.chunks = [(text, MailCharset(MailCharset.unknown8Bit))]
            } else {
                header.chunks = [(text, text.isASCII ? .usASCII : .utf8)]
            }
            line += try header.encoded(name)
        case .header(let header): line += try header.encoded(name)
        }
        return line + [0x0A]
    }
}

/// `email.header.Header`: text in several character sets.
struct HeaderObject: Sendable {
    var chunks: [(text: PythonText, charset: MailCharset)] = []
    private var continuation: [UInt8] = [0x20]
    /// The length of `Name: `, if it was made for a header of that name.
    private var headerLength = 0

    init(nameLength: Int) { headerLength = nameLength + 2 }

    /// A pickled one; `nil` for anything else.
    init?(_ view: PickleView) {
        guard let object = view.object, object.isInstance(of: "email.header", "Header"), let state = object.state,
            let pairs = state["_chunks"]?.elements
        else { return nil }
        for pair in pairs {
            guard let text = pair[0].flatMap({ PythonText($0) }), let charset = pair[1].flatMap({ MailCharset($0) })
            else { return nil }
            chunks.append((text, charset))
        }
        if let space = state["_continuation_ws"]?.string { continuation = Array(space.utf8) }
        headerLength = min(max(state["_headerlen"]?.int ?? 0, 0), MailLimits.headerSize)
    }

    /// `Header._normalize`: neighbours in one character set become one.
    private var joined: [(text: PythonText, charset: MailCharset)] {
        var result: [(text: PythonText, charset: MailCharset)] = []
        for (text, charset) in chunks {
            if let last = result.last, last.charset.name.lowercased() == charset.name.lowercased() {
                result[result.count - 1].text.points += [0x20] + text.points
            } else {
                result.append((text, charset))
            }
        }
        return result
    }

    /// `Header.__str__`.
    var string: String {
        var result = PythonText("")
        var last: (charset: MailCharset, endsInSpace: Bool)?
        for (text, charset) in joined {
            if let last {
                let hasSpace = text.points.first.map(Self.isNotText) ?? false
                if !last.charset.isASCII {
                    if charset.isASCII, !hasSpace { result.points.append(0x20) }
                } else if !charset.isASCII, !last.endsInSpace {
                    result.points.append(0x20)
                }
            }
            last = (charset, text.points.last.map(Self.isNotText) ?? false)
            result.points += text.points
        }
        return result.string
    }

    /// White space, parentheses and backslash, which are no text of a comment.
    private static func isNotText(_ point: UInt32) -> Bool {
        PythonText.isSpace(point) || point == 0x28 || point == 0x29 || point == 0x5C
    }

    /// `Header.encode(maxlinelen=0)`: lines are broken only where the text has line breaks.
    func encoded(_ name: String) throws(MailFailure) -> [UInt8] {
        var lines = HeaderLines(headerLength: headerLength, name: name)
        var last: (charset: MailCharset, endsInSpace: Bool)?
        let chunks = joined
        for (text, charset) in chunks {
            if let last {
                let hasSpace = text.points.first.map(Self.isNotText) ?? false
                if !last.charset.isASCII {
                    if !hasSpace || !charset.isASCII { lines.addTransition() }
                } else if !charset.isASCII, !last.endsInSpace {
                    lines.addTransition()
                }
            }
            last = (charset, text.points.last.map(Self.isNotText) ?? false)
            let parts = text.lines
            try lines.feed([], parts.first ?? PythonText(""), charset)
            for part in parts.dropFirst() {
                lines.endLine()
                let (space, rest) = part.withoutLeadingSpace
                if charset.headerEncoding != nil {
                    try lines.feed(continuation, PythonText([0x20] + rest.points), charset)
                } else {
                    try lines.feed(try lines.ascii(space), rest, charset)
                }
            }
            if parts.count > 1 { lines.endLine() }
        }
        if !chunks.isEmpty { lines.addTransition() }
        return try lines.finish()
    }
}

/// What `email.header._ValueFormatter` does when no line is too long.
private struct HeaderLines {
    private let name: String
    private var lines: [[UInt8]] = []
    private var current: [(space: [UInt8], part: [UInt8])] = []
    private var initialSize: Int
    private var size = 0

    init(headerLength: Int, name: String) {
        initialSize = headerLength
        self.name = name
    }

    mutating func addTransition() { push([0x20], []) }

    private mutating func push(_ space: [UInt8], _ part: [UInt8]) {
        current.append((space, part))
        size += space.count + part.count
    }

    mutating func feed(_ space: [UInt8], _ text: PythonText, _ charset: MailCharset) throws(MailFailure) {
        guard charset.headerEncoding != nil else {
            try split(space + ascii(text))
            return try check()
        }
        guard let word = EncodedWord.encode(text, charset) else {
            throw .permanent("the header \(name) does not fit its character set")
        }
        push(space, word)
        try check()
    }

    func ascii(_ text: PythonText) throws(MailFailure) -> [UInt8] {
        guard text.isASCII else { throw .permanent("the header \(name) has characters that it does not encode") }
        return text.points.map { UInt8($0) }
    }

    /// Into words with the spaces and tabs before them.
    private mutating func split(_ text: [UInt8]) {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        var index = 0
        while index < text.count {
            let space = text[index...].prefix(while: isSpace)
            let part = text[space.endIndex...].prefix { !isSpace($0) }
            push(Array(space), Array(part))
            index = part.endIndex
        }
    }

    private func check() throws(MailFailure) {
        guard size + initialSize <= MailLimits.headerSize else { throw .permanent("the header \(name) is too long") }
    }

    mutating func endLine() {
        if let last = current.last, last.space == [0x20], last.part.isEmpty { current.removeLast() }
        let text = current.flatMap { $0.space + $0.part }
        if !text.isEmpty || initialSize > 0 {
            let isBlank = initialSize == 0 && PythonText(text.map { UInt32($0) }).points.allSatisfy(PythonText.isSpace)
            if isBlank, !lines.isEmpty { lines[lines.count - 1] += text } else { lines.append(text) }
        }
        current = []
        size = 0
        initialSize = 0
    }

    /// - Throws: when a line does not begin with white space, and so would be no continuation (newer Pythons raise, too).
    mutating func finish() throws(MailFailure) -> [UInt8] {
        endLine()
        for line in lines.dropFirst() where line.first != 0x20 && line.first != 0x09 {
            throw .permanent("header injection: the header \(name) holds a line break")
        }
        // A carriage return that survived would become a line ending later.
        guard !lines.joined().contains(where: { $0 == 0x0D || $0 == 0x0A }) else {
            throw .permanent("header injection: the header \(name) holds a line break")
        }
        return Array(lines.joined(separator: [0x0A]))
    }
}
