internal import Pickle
internal import SMTP

/// Writes a tree of parts as CPython's `email.generator.Generator(mangle_from_=False, maxheaderlen=0)` does: what
/// `Message.as_string()` returns. Lines end with LF.
struct MIMERenderer {
    /// Python's stack gives up at about a hundred.
    private static let deepest = 64
    /// A number for a boundary that is missing, below 2^63.
    let randomNumber: () -> UInt64
    private let budget = Budget()

    init(randomNumber: @escaping () -> UInt64) { self.randomNumber = randomNumber }

    /// What has been spent on one mail. Parts that share one text make a small pickle a large mail.
    private final class Budget {
        private var parts = 0
        private var bytes = 0

        func takePart() throws(MailFailure) {
            parts += 1
            guard parts <= MailLimits.parts else {
                throw .permanent("the body has more than \(MailLimits.parts) parts")
            }
        }

        /// Before so many bytes are written.
        func take(_ count: Int) throws(MailFailure) {
            bytes += count
            guard count <= MailLimits.size, bytes <= MailLimits.work else {
                throw .permanent("the mail is larger than \(MailLimits.size >> 20) MiB")
            }
        }
    }

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
        try budget.takePart()
        let start = output.count
        let type = part.type
        switch (type.main, type.sub) {
        case ("multipart", _): try writeMultipart(part, to: &output, depth)
        case ("message", "delivery-status"): try writeDeliveryStatus(part, to: &output, depth)
        case ("message", _): try writeMessage(part, to: &output, depth)
        default: try writeText(part, to: &output)
        }
        // What is written here is copied into the part around it.
        try budget.take(output.count - start)
    }

    // MARK: Kinds of parts

    private func writeText(_ part: MIMEPart, to output: inout [UInt8]) throws(MailFailure) {
        guard let payload = part.payload, !payload.isNone else { return try part.writeHeaders(to: &output) }
        guard payload.kind == .string else {
            throw .permanent("the payload of a part of the body is not a string")
        }
        try takeText(payload)
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
            try takeText(part.payload)
            _ = part.payload?.withUTF8 { output += $0 }
            return
        case .list:
            guard let elements = part.payload?.elements else { break }
            guard elements.count <= MailLimits.parts else {
                throw .permanent("the body has more than \(MailLimits.parts) parts")
            }
            for view in elements { texts.append(try render(view, depth)) }
        default: if let view = part.payload { texts.append(try render(view, depth)) }
        }
        var part = part
        let boundary = try self.boundary(of: &part, around: texts)
        try part.writeHeaders(to: &output)
        if let preamble = part.preamble {
            try writeLines(preamble, to: &output)
            output.append(0x0A)
        }
        output += Array("--\(boundary)\n".utf8)
        for (index, text) in texts.enumerated() {
            if index > 0 { output += Array("\n--\(boundary)\n".utf8) }
            output += text
        }
        output += Array("\n--\(boundary)--\n".utf8)
        if let epilogue = part.epilogue { try writeLines(epilogue, to: &output) }
    }

    private func writeMessage(_ part: MIMEPart, to output: inout [UInt8], _ depth: Int) throws(MailFailure) {
        try part.writeHeaders(to: &output)
        if let inner = part.payload?.elements?.first, part.payload?.kind == .list {
            try write(inner, to: &output, depth: depth + 1)
        } else {
            try takeText(part.payload)
            guard part.payload?.withUTF8({ output += $0 }) != nil else {
                throw .permanent("a message within the body has no payload that can be sent")
            }
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

    /// Before a text is written.
    private func takeText(_ view: PickleView?) throws(MailFailure) { try budget.take(view?.withUTF8(\.count) ?? 0) }

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
        let lines = Self.boundaryLines(texts, longest: base.utf8.count + 32)
        var boundary = base
        var counter = 0
        while lines.contains(Array("--\(boundary)".utf8)) || lines.contains(Array("--\(boundary)--".utf8)) {
            boundary = "\(base).\(counter)"
            counter += 1
        }
        part.replace("Content-Type", type.settingBoundary(boundary))
        return boundary
    }

    /// The lines that could be one of our boundaries: those that begin as it does and are not longer.
    private static func boundaryLines(_ texts: [[UInt8]], longest: Int) -> Set<[UInt8]> {
        let beginning = Array("--=".utf8)
        var found: Set<[UInt8]> = []
        for text in texts {
            var start = 0
            while start < text.count {
                let end = text[start...].firstIndex(of: 0x0A) ?? text.count
                if end - start <= longest, text[start..<end].starts(with: beginning) {
                    found.insert(Array(text[start..<end]))
                }
                start = end + 1
            }
        }
        return found
    }

    // MARK: Lines

    private func writeLines(_ view: PickleView, to output: inout [UInt8]) throws(MailFailure) {
        try takeText(view)
        guard view.withUTF8({ Self.writeLines($0, to: &output) }) != nil else {
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
