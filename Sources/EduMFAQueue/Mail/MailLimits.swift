/// How much of everything one mail may have. A job is small on the wire where it is compressed, or where it names one text many times; these
/// limits count what the mail costs here and on its way.
enum MailLimits {
    /// Bytes of the mail with its headers and all parts.
    static let size = 32 << 20
    /// Bytes that may be written for it in all: what is within parts within parts is written more than once.
    static let work = 3 * size
    /// Parts within the body.
    static let parts = 1000
    /// Headers of one part.
    static let headers = 1000
    /// Bytes of one header; Python's own stand-in for no limit.
    static let headerSize = 1_000_000
    /// Bytes of the headers of one part.
    static let headersSize = 2 * headerSize
    /// Recipients of one mail; as many as servers take.
    static let recipients = 1000
    /// Bytes of a name or a password of the server's configuration.
    static let word = 8192
}
