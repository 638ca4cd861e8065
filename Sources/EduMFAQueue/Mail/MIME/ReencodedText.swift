internal import Pickle
internal import SMTP

/// Text whose payload has bytes beyond ASCII, as surrogates: the generator encodes it anew, by its character set.
enum ReencodedText {
    /// Mirrors what `Generator._handle_text` does by `Message.set_payload(payload, charset)`.
    ///
    /// - Throws: where Python ends with characters that it cannot send.
    static func make(_ part: MIMEPart, _ payload: PickleView) throws(MailFailure) -> (MIMEPart, [UInt8]) {
        let unusable = MailFailure.permanent("a part of the body has characters that its headers do not declare")
        guard let type = part.contentType, let name = try type.charset(),
            let bytes = PythonText(payload)?.escapedBytes,
            let text = TextCodec.decode(bytes, name) ?? TextCodec.decode(bytes, "us-ascii")
        else { throw unusable }
        let charset = MailCharset(name)
        guard charset.name == charset.outputName, let encoded = TextCodec.encode(text, charset.outputName) else {
            throw unusable
        }
        let body: [UInt8]
        let encoding: String
        switch charset.bodyEncoding {
        case .quotedPrintable:
            body = QuotedPrintable.encode(encoded)
            encoding = "quoted-printable"
        case .base64:
            body = Base64.encodeLines(encoded)
            encoding = "base64"
        case .shortest, nil:
            body = encoded
            encoding = encoded.allSatisfy { $0 < 0x80 } ? "7bit" : "8bit"
        }
        var part = part
        part.replace("Content-Transfer-Encoding", encoding, onlyFirst: true)
        part.replace("Content-Type", try type.settingCharset(charset.outputName), onlyFirst: true)
        return (part, body)
    }
}
