internal import Pickle

/// A pickled `email.message.Message` or one of `email.mime`: headers, and what they describe.
struct MIMEPart {
    private static let mimeClasses: Set<String> = [
        "email.mime.base.MIMEBase", "email.mime.multipart.MIMEMultipart", "email.mime.nonmultipart.MIMENonMultipart",
        "email.mime.text.MIMEText", "email.mime.image.MIMEImage", "email.mime.audio.MIMEAudio",
        "email.mime.application.MIMEApplication", "email.mime.message.MIMEMessage",
    ]

    /// What may stand within: messages of the older and of the newer kind.
    private static let partClasses = mimeClasses.union([
        "email.message.Message", "email.message.EmailMessage", "email.message.MIMEPart",
    ])

    var headers: [(name: String, value: HeaderValue)]
    /// A str, a list of parts, a part, or None.
    let payload: PickleView?
    let preamble: PickleView?
    let epilogue: PickleView?
    private let defaultType: String

    /// Whether eduMFA would send this object as it is: an instance of `MIMEBase`.
    static func isMIME(_ view: PickleView) -> Bool {
        view.object?.className.map { mimeClasses.contains($0.description) } ?? false
    }

    /// - Parameter isWhole: whether this is the message itself, whose policy all its parts are written by.
    init(_ view: PickleView, isWhole: Bool = false) throws(MailFailure) {
        guard let object = view.object, let name = object.className?.description, Self.partClasses.contains(name),
            let state = object.state, state.kind == .dict
        else { throw .permanent("a part of the body is of a class that cannot be sent") }
        payload = state["_payload"]
        preamble = state["preamble"].flatMap { $0.isNone ? nil : $0 }
        epilogue = state["epilogue"].flatMap { $0.isNone ? nil : $0 }
        defaultType = state["_default_type"]?.string ?? "text/plain"
        headers = []
        guard state["_headers"]?.elements?.count ?? 0 <= MailLimits.headers else {
            throw .permanent("a part of the body has more than \(MailLimits.headers) headers")
        }
        for pair in state["_headers"]?.elements.map({ Array($0) }) ?? [] {
            guard let name = pair[0]?.string, let value = pair[1], Self.isHeaderName(name) else {
                throw .permanent("a part of the body has a header that is none")
            }
            headers.append((name, try HeaderValue(value, name: name)))
        }
        guard !isWhole || Self.isCompatible(state["policy"]) else {
            throw .permanent("the body was made with an e-mail policy other than compat32")
        }
    }

    /// Only `compat32`, the default of all these classes, is rendered here.
    private static func isCompatible(_ policy: PickleView?) -> Bool {
        policy?.object?.isInstance(of: "email._policybase", "Compat32") ?? (policy == nil)
    }

    private static func isHeaderName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { (33...126).contains($0) && $0 != UInt8(ascii: ":") }
    }

    /// The first header of this name, in small letters.
    func header(_ name: String) -> HeaderValue? { headers.first { $0.name.lowercased() == name }?.value }

    var contentType: ContentType? { header("content-type").map { ContentType($0.string) } }

    /// Main type and subtype, in small letters.
    var type: (main: String, sub: String) { (contentType ?? ContentType(defaultType)).type }

    /// Replaces the values of the headers of this name; appends one when there is none.
    mutating func replace(_ name: String, _ value: String, onlyFirst: Bool = false) {
        var isFound = false
        for index in headers.indices where headers[index].name.lowercased() == name.lowercased() {
            guard !isFound || !onlyFirst else { break }
            headers[index].value = .text(PythonText(value))
            isFound = true
        }
        if !isFound { headers.append((name, .text(PythonText(value)))) }
    }

    /// Writes the headers and the empty line after them.
    func writeHeaders(to output: inout [UInt8]) throws(MailFailure) {
        let start = output.count
        for (name, value) in headers {
            output += try value.line(name)
            guard output.count - start <= MailLimits.headersSize else {
                throw .permanent("the headers of a part of the body are too long")
            }
        }
        output.append(0x0A)
    }
}
