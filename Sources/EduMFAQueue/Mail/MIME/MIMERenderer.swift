internal import Pickle
internal import SMTP

/// Writes a tree of parts as CPython's `email.generator.Generator(mangle_from_=False, maxheaderlen=0)` does: what
/// `Message.as_string()` returns. Lines end with LF.
struct MIMERenderer {
    /// Python's stack gives up at about a hundred.
    private static let deepest = 64
    /// Shared parts can make a small pickle a large mail.
    private static let largest = 256 << 20

    /// A number for a boundary that is missing, below 2^63.
    var randomNumber: () -> UInt64

    func render(_ part: MIMEPart) throws(MailFailure) -> [UInt8] {
        var output: [UInt8] = []
        try write(part, to: &output, depth: 0)
        return output
    }

    private func write(_ view: PickleView, to output: inout [UInt8], depth: Int) throws(MailFailure) {
        try write(try MIMEPart(view), to: &output, depth: depth)
    }

    private func write(_ part: MIMEPart, to output: inout [UInt8], depth: Int) throws(MailFailure) {
        guard depth < Self.deepest else { throw .permanent("the parts of the body are nested too deep") }
        let type = part.type
        switch (type.main, type.sub) {
        case ("multipart", _): try writeMultipart(part, to: &output, depth)
        case ("message", "delivery-status"): try writeDeliveryStatus(part, to: &output, depth)
        case ("message", _): try writeMessage(part, to: &output, depth)
        default: try writeText(part, to: &output)
        }
        guard output.count <= Self.largest else { throw .permanent("the mail is larger than 256 MiB") }
    }

    // MARK: Kinds of parts

    private func writeText(_ part: MIMEPart, to output: inout [UInt8]) throws(MailFailure) {
        guard let payload = part.payload, !payload.isNone else { return try part.writeHeaders(to: &output) }
        guard payload.kind == .string else {
            throw .permanent("the payload of a part of the body is not a string")
        }
        if payload.string == nil {
            let (part, text) = try ReencodedText.make(part, payload)
            try part.writeHeaders(to: &output)
            Self.writeLines(text, to: &output)
            return
        }
        try part.writeHeaders(to: &output)
        _ = payload.withUTF8 { Self.writeLines($0, to: &output) }
    }

    private func writeMultipart(_ part: MIMEPart, to output: inout [UInt8], _ depth: Int) throws(MailFailure) {
        var texts: [[UInt8]] = []
        switch part.payload?.kind {
        case nil, .some(.none): break
        case .string:
            try part.writeHeaders(to: &output)
            _ = part.payload?.withUTF8 { output += $0 }
            return
        case .list:
            for view in part.payload?.elements.map({ Array($0) }) ?? [] { texts.append(try render(view, depth)) }
        default: if let view = part.payload { texts.append(try render(view, depth)) }
        }
        var part = part
        let boundary = try self.boundary(of: &part, around: texts)
        try part.writeHeaders(to: &output)
        if let preamble = part.preamble {
            try Self.writeLines(preamble, to: &output)
            output.append(0x0A)
        }
        output += Array("--\(boundary)\n".utf8)
        for (index, text) in texts.enumerated() {
            if index > 0 { output += Array("\n--\(boundary)\n".utf8) }
            output += text
        }
        output += Array("\n--\(boundary)--\n".utf8)
        if let epilogue = part.epilogue { try Self.writeLines(epilogue, to: &output) }
    }

    private func writeMessage(_ part: MIMEPart, to output: inout [UInt8], _ depth: Int) throws(MailFailure) {
        try part.writeHeaders(to: &output)
        if let inner = part.payload?.elements?.first, part.payload?.kind == .list {
            try write(inner, to: &output, depth: depth + 1)
        } else if part.payload?.withUTF8({ output += $0 }) == nil {
            throw .permanent("a message within the body has no payload that can be sent")
        }
    }

    private func writeDeliveryStatus(_ part: MIMEPart, to output: inout [UInt8], _ depth: Int) throws(MailFailure) {
        guard part.payload?.kind == .list, let blocks = part.payload?.elements else {
            throw .permanent("a delivery status within the body has no blocks")
        }
        try part.writeHeaders(to: &output)
        for (index, block) in blocks.enumerated() {
            if index > 0 { output.append(0x0A) }
            var text = try render(block, depth)
            // The empty line that ends the headers of the block.
            if text.last == 0x0A { text.removeLast() }
            output += text
        }
    }

    private func render(_ view: PickleView, _ depth: Int) throws(MailFailure) -> [UInt8] {
        var text: [UInt8] = []
        try write(view, to: &text, depth: depth + 1)
        return text
    }

    // MARK: Boundaries

    /// The boundary that the part has; otherwise one that is in none of the texts, which the part then has.
    private func boundary(of part: inout MIMEPart, around texts: [[UInt8]]) throws(MailFailure) -> String {
        guard let type = part.contentType else { throw .permanent("a part of the body has no Content-Type") }
        if let known = type.boundary {
            let trimmed = String(known.reversed().drop(while: \.isWhitespace).reversed())
            if !trimmed.isEmpty { return trimmed }
        }
        let digits = String(randomNumber() & UInt64(Int64.max))
        let base = "===============" + String(repeating: "0", count: max(0, 19 - digits.count)) + digits + "=="
        let lines = Set(
            texts.flatMap { $0.split(separator: 0x0A).filter { $0.starts(with: "--=".utf8) }.map(Array.init) }
        )
        var boundary = base
        var counter = 0
        while lines.contains(Array("--\(boundary)".utf8)) || lines.contains(Array("--\(boundary)--".utf8)) {
            boundary = "\(base).\(counter)"
            counter += 1
        }
        part.replace("Content-Type", type.settingBoundary(boundary))
        return boundary
    }

    // MARK: Lines

    private static func writeLines(_ view: PickleView, to output: inout [UInt8]) throws(MailFailure) {
        guard view.withUTF8({ writeLines($0, to: &output) }) != nil else {
            throw .permanent("what stands around the parts of the body is not a string")
        }
    }

    /// `Generator._write_lines`: line endings of all kinds become LF.
    private static func writeLines(_ text: some Collection<UInt8>, to output: inout [UInt8]) {
        output.reserveCapacity(output.count + text.count)
        var follows = false
        for byte in text {
            if byte == 0x0A, follows {
                follows = false
                continue
            }
            follows = byte == 0x0D
            output.append(follows ? 0x0A : byte)
        }
    }
}
