package import Pickle
internal import SMTP

/// The arguments of eduMFA's e-mail job, `send_email(config, recipient, subject, body, sender=None, reply_to=None, mimetype="plain")`.
package struct MailJob: Sendable {
    let settings: MailSettings
    let recipients: [String]
    let subject: HeaderValue
    let body: PickleView
    let sender: String
    let replyTo: HeaderValue
    let mimetype: PickleView?

    /// Reads a call as Python binds it. Executes nothing.
    ///
    /// - Parameters:
    ///   - args: the positional arguments, a tuple or list.
    ///   - kwargs: the keyword arguments, a dict; `nil` for none.
    /// - Throws: a permanent failure that says which argument cannot be used.
    package init(args: PickleView, kwargs: PickleView? = nil) throws(MailFailure) {
        let call = try MailCall(args: args, kwargs: kwargs)
        guard let config = call["config"], let recipient = call["recipient"], let subject = call["subject"],
            let body = call["body"]
        else { throw .permanent("the job lacks one of config, recipient, subject and body") }
        settings = try MailSettings(config)
        recipients = try Self.recipients(recipient)
        self.subject = try HeaderValue(subject, name: "Subject")
        self.body = body
        let own = try Self.address(call["sender"], "sender")
        let configured = try Self.address(settings.sender, "sender")
        sender = own ?? configured ?? ""
        if let replyTo = call["reply_to"], replyTo.isTruthy {
            self.replyTo = try HeaderValue(replyTo, name: "Reply-To")
        } else {
            replyTo = .text(PythonText(sender))
        }
        mimetype = call["mimetype"]
        guard sender != "" || settings.sender?.string != nil else {
            throw .permanent("neither the job nor its server configuration has a sender")
        }
        try checkLines()
    }

    private static func recipients(_ view: PickleView) throws(MailFailure) -> [String] {
        let unusable = MailFailure.permanent("the job's recipient is neither a string nor a list of strings")
        guard view.kind == .list, let elements = view.elements else {
            guard let text = view.string else { throw unusable }
            guard text.utf8.count <= MailLimits.headerSize else {
                throw .permanent("the job's recipients are too long")
            }
            return [text]
        }
        guard elements.count <= MailLimits.recipients else {
            throw .permanent("the job has more than \(MailLimits.recipients) recipients")
        }
        var recipients: [String] = []
        var size = 0
        for element in elements {
            guard let text = element.string else { throw unusable }
            size += text.utf8.count
            // They all stand in one header.
            guard size <= MailLimits.headerSize else { throw .permanent("the job's recipients are too long") }
            recipients.append(text)
        }
        return recipients
    }

    /// A string that says something; `nil` for what Python counts as false.
    private static func address(_ view: PickleView?, _ name: String) throws(MailFailure) -> String? {
        guard let view, view.isTruthy else { return nil }
        guard let text = view.string else { throw .permanent("the job's \(name) is not a string") }
        guard text.utf8.count <= MailLimits.headerSize else { throw .permanent("the job's \(name) is too long") }
        return text
    }

    /// Header injection: nothing that becomes a header may bring a line of its own. (A subject's last line break is none.)
    private func checkLines() throws(MailFailure) {
        var addresses = recipients + [sender]
        if case .text(let text) = replyTo { addresses.append(text.string) }
        for text in addresses where text.unicodeScalars.contains(where: \.breaksLine) {
            throw .permanent("header injection: an address of the job holds a line break")
        }
        guard !subject.holdsLineBreak else {
            throw .permanent("header injection: the subject of the job holds a line break")
        }
        guard !replyTo.holdsLineBreak else {
            throw .permanent("header injection: an address of the job holds a line break")
        }
    }

    /// What a list of dead letters may show of a job, however broken it is: never its body nor its password.
    package static func summary(args: PickleView, kwargs: PickleView? = nil) -> (recipients: [String], subject: String?)
    {
        guard let call = try? MailCall(args: args, kwargs: kwargs) else { return ([], nil) }
        let recipient = call["recipient"]
        let recipients =
            recipient?.kind == .list ? recipient?.elements?.compactMap(\.string) : recipient?.string.map { [$0] }
        guard let subject = call["subject"], !subject.isNone else { return (recipients ?? [], nil) }
        return (recipients ?? [], (try? HeaderValue(subject, name: "Subject"))?.string)
    }
}

extension Unicode.Scalar {
    /// Whether this is CR, LF or NUL, which must not get into a header.
    fileprivate var breaksLine: Bool { self == "\r" || self == "\n" || self == "\0" }
}

/// Arguments bound to parameters.
private struct MailCall {
    private static let parameters = ["config", "recipient", "subject", "body", "sender", "reply_to", "mimetype"]
    private var values: [String: PickleView] = [:]

    init(args: PickleView, kwargs: PickleView?) throws(MailFailure) {
        guard let positional = args.elements else { throw .permanent("the job's arguments are not a sequence") }
        guard positional.count <= Self.parameters.count else {
            throw .permanent("the job has \(positional.count) arguments instead of \(Self.parameters.count)")
        }
        for (name, value) in zip(Self.parameters, positional) { values[name] = value }
        guard let kwargs, !kwargs.isNone else { return }
        guard let keywords = kwargs.mapping else { throw .permanent("the job's keyword arguments are not a mapping") }
        try MailKeywords.refuseUnknown(keywords, Set(Self.parameters), in: "the job's call")
        for (key, value) in keywords {
            guard let name = key.string, Self.parameters.contains(name) else { continue }
            guard values.updateValue(value, forKey: name) == nil else {
                throw .permanent("the job has two values for the argument '\(name)'")
            }
        }
    }

    subscript(name: String) -> PickleView? { values[name] }
}

/// What a newer eduMFA or privacyIDEA may ask for that is not known here.
enum MailKeywords {
    /// Nothing that is asked for is left out in silence. What is false in Python asks for nothing.
    ///
    /// - Throws: a permanent failure with the first name that is not known and has a value.
    static func refuseUnknown(
        _ pairs: PickleView.Pairs,
        _ known: Set<String>,
        in place: String
    ) throws(MailFailure) {
        for (key, value) in pairs where value.isTruthy {
            if let name = key.string, known.contains(name) { continue }
            let name = key.string?.shortened ?? "of the type \(key.kind)"
            throw .permanent("\(place) has a keyword that this worker does not know: \(name)")
        }
    }
}
