internal import Pickle

/// `email.charset.Charset`: how text in a character set goes into headers and bodies.
struct MailCharset: Sendable {
    enum Encoding: Int, Sendable {
        case quotedPrintable = 1
        case base64 = 2
        /// Whichever is shorter; for headers only.
        case shortest = 3
    }

    /// The name of what was undecodable bytes.
    static let unknown8Bit = "unknown-8bit"
    static let usASCII = MailCharset("us-ascii")
    static let utf8 = MailCharset("utf-8")

    /// `input_charset`, which alone makes two of them equal.
    let name: String
    let headerEncoding: Encoding?
    let bodyEncoding: Encoding?
    let outputName: String
    /// The codec, and the name in encoded words; `nil` is ASCII.
    let outputCodec: String?

    /// `Charset(name)`.
    init(_ name: String) {
        let name = Self.canonical(name.lowercased())
        let (header, body, output) = Self.properties(name)
        self.name = name
        headerEncoding = header
        bodyEncoding = body
        outputName = output
        outputCodec = Self.codec(output)
    }

    /// A pickled one; `nil` for anything else.
    init?(_ view: PickleView) {
        guard let object = view.object, object.isInstance(of: "email.charset", "Charset"), let state = object.state,
            let name = state["input_charset"]?.string
        else { return nil }
        self.name = name
        headerEncoding = state["header_encoding"]?.int.flatMap(Encoding.init)
        bodyEncoding = state["body_encoding"]?.int.flatMap(Encoding.init)
        outputName = state["output_charset"]?.string ?? name
        outputCodec = state["output_codec"]?.string
    }

    var isASCII: Bool { name.lowercased() == "us-ascii" }

    private static func canonical(_ name: String) -> String {
        switch name {
        case "ascii": return "us-ascii"
        case "cp949": return "ks_c_5601-1987"
        case "euc_jp": return "euc-jp"
        case "euc_kr": return "euc-kr"
        default: break
        }
        let parts = ["1", "2", "3", "4", "9", "10", "13", "14", "15", "16"]
        guard name.hasPrefix("latin-") || name.hasPrefix("latin_"), let number = Int(name.dropFirst(6)),
            (1...10).contains(number), name.dropFirst(6) == "\(number)"
        else { return name }
        return "iso-8859-" + parts[number - 1]
    }

    private static func properties(_ name: String) -> (Encoding?, Encoding?, String) {
        switch name {
        case "us-ascii": return (nil, nil, name)
        case "utf-8": return (.shortest, .base64, name)
        case "windows-1252", "viscii": return (.quotedPrintable, .quotedPrintable, name)
        case "big5", "gb2312", "koi8-r": return (.base64, .base64, name)
        case "euc-jp", "shift_jis": return (.base64, nil, "iso-2022-jp")
        case "iso-2022-jp": return (.base64, nil, name)
        default:
            let latins = ["1", "2", "3", "4", "9", "10", "13", "14", "15", "16"]
            if name.hasPrefix("iso-8859-"), latins.contains(String(name.dropFirst(9))) {
                return (.quotedPrintable, .quotedPrintable, name)
            }
            return (.shortest, .base64, name)
        }
    }

    private static func codec(_ name: String) -> String? {
        switch name {
        case "us-ascii": nil
        case "gb2312": "eucgb2312_cn"
        case "big5": "big5_tw"
        default: name
        }
    }
}
