package import Huey
internal import Pickle
internal import SMTP

extension MailJob {
    /// Where the mail goes, and with which login.
    package func access(_ passwords: MailPasswords, _ options: MailOptions) async throws(MailFailure) -> MailAccess {
        var credentials: SMTPCredentials?
        if let stored = settings.password {
            credentials = SMTPCredentials(username: settings.username, password: try await passwords.password(stored))
        }
        let server = SMTPServer(
            host: settings.host,
            port: settings.port,
            security: settings.security,
            verification: options.verification(host: settings.host, port: settings.port),
            authorityFile: options.authorityFile
        )
        return MailAccess(server: server, credentials: credentials, timeout: settings.timeout ?? options.timeout)
    }

    /// The mail as Python would write it at this time.
    ///
    /// - Parameters:
    ///   - headers: those that the product gives every mail, beside the job's own.
    ///   - randomNumber: for the boundary of a multipart body that has none.
    /// - Throws: a permanent failure for a body that Python would not send either, and for whatever would break out of its header.
    package func message(
        at time: TimeSource,
        headers: [MailHeader] = Product.eduMFA.mailHeaders,
        randomNumber: () -> UInt64 = { UInt64.random(in: 0..<UInt64(Int64.max)) }
    ) throws(MailFailure) -> MailMessage {
        let (usable, unusable) = envelope()
        guard !usable.isEmpty else {
            throw MailFailure(.permanent, "the job has no recipient that is an address", refused: unusable)
        }
        let text = try withoutActuallyEscaping(randomNumber) { number throws(MailFailure) in
            try rendered(date: Self.date(time), headers, MIMERenderer(randomNumber: number))
        }
        guard text.allSatisfy({ $0 < 0x80 }) else {
            throw .permanent("the mail has characters beyond ASCII that its headers do not declare")
        }
        let content = LineEndings.normalised(text)
        guard content.count <= MailLimits.size else {
            throw .permanent("the mail is larger than \(MailLimits.size >> 20) MiB")
        }
        return MailMessage(
            sender: try senderAddress(),
            recipients: usable,
            unusable: unusable,
            content: content
        )
    }

    // MARK: Envelope

    private func envelope() -> (usable: [MailMessage.Recipient], unusable: [RefusedRecipient]) {
        var usable: [MailMessage.Recipient] = []
        var unusable: [RefusedRecipient] = []
        for text in recipients {
            let address = AddressParser.address(in: text)
            if Self.isMailbox(address) {
                usable.append(MailMessage.Recipient(text: text, address: address))
            } else {
                unusable.append(RefusedRecipient(recipient: text, code: 553, reply: "not an e-mail address"))
            }
        }
        return (usable, unusable)
    }

    /// What `smtplib.quoteaddr` takes out of the sender. It need not have a domain.
    private func senderAddress() throws(MailFailure) -> String {
        let address = AddressParser.address(in: sender)
        let isEmpty = sender.trimmingSpaces.isEmpty || sender.trimmingSpaces == "<>"
        guard isEmpty || Self.isSafe(address) else { throw .permanent("the sender is not an e-mail address") }
        return address
    }

    private static func isMailbox(_ address: String) -> Bool {
        guard isSafe(address), let at = address.utf8.lastIndex(of: UInt8(ascii: "@")) else { return false }
        return at > address.utf8.startIndex && address.utf8.index(after: at) < address.utf8.endIndex
    }

    /// Nothing that could end the brackets of MAIL FROM or RCPT TO, or that SMTP does not carry.
    private static func isSafe(_ address: String) -> Bool {
        guard !address.isEmpty, address.utf8.count <= 512 else { return false }
        var isQuoted = false
        var isEscaped = false
        for byte in address.utf8 {
            guard (0x20...0x7E).contains(byte) else { return false }
            if isEscaped {
                isEscaped = false
                continue
            }
            switch byte {
            case UInt8(ascii: "\\"): isEscaped = isQuoted
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: " "), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: ","):
                if !isQuoted { return false }
            default: break
            }
        }
        return !isQuoted
    }

    // MARK: Headers and body

    private func rendered(
        date: String,
        _ constant: [MailHeader],
        _ renderer: MIMERenderer
    ) throws(MailFailure) -> [UInt8] {
        var own: [(name: String, value: HeaderValue)] = [
            ("Subject", subject),
            ("From", .text(PythonText(sender))),
            ("To", .text(PythonText(recipients.joined(separator: ",")))),
            ("Date", .text(PythonText(date))),
            ("Reply-To", replyTo),
        ]
        own += constant.map { ($0.name, .text(PythonText($0.value))) }
        if MIMEPart.isMIME(body) {
            var part = try MIMEPart(body, isWhole: true)
            part.headers += own
            return try renderer.render(part)
        }
        let text = try self.text()
        var headers: [(name: String, value: HeaderValue)] = [
            ("Content-Type", .text(PythonText("text/\(try textType()); charset=\"utf-8\""))),
            ("MIME-Version", .text(PythonText("1.0"))),
            ("Content-Transfer-Encoding", .text(PythonText("base64"))),
        ]
        headers += own
        var output: [UInt8] = []
        for (name, value) in headers { output += try value.line(name) }
        output.append(0x0A)
        guard text.count / 57 * 78 + output.count <= MailLimits.size else {
            throw .permanent("the mail is larger than \(MailLimits.size >> 20) MiB")
        }
        return output + Base64.encodeLines(text)
    }

    /// The body as UTF-8: str, or bytes that are UTF-8. None is an empty text, as in Python.
    private func text() throws(MailFailure) -> [UInt8] {
        // Before it is copied: as base64 it is larger still.
        guard body.withUTF8(\.count) ?? 0 <= MailLimits.size, body.bytes?.count ?? 0 <= MailLimits.size else {
            throw .permanent("the mail is larger than \(MailLimits.size >> 20) MiB")
        }
        switch body.kind {
        case .none: return []
        case .string:
            guard body.string != nil, let bytes = body.surrogateUTF8 else {
                throw .permanent("the body has lone surrogates, which are no characters")
            }
            return bytes
        case .bytes:
            guard let bytes = body.bytes, String(validating: bytes, as: UTF8.self) != nil else {
                throw .permanent("the body is bytes that are not UTF-8")
            }
            return bytes
        case .bytearray: return body.bytes ?? []
        case .object:
            let name = body.object?.className.map { "\($0)" } ?? "an unknown class"
            throw .permanent("the body is of a class that cannot be sent: \(name.prefix(100))")
        default: throw .permanent("the body is neither text nor a MIME object")
        }
    }

    private func textType() throws(MailFailure) -> String {
        guard let mimetype else { return "plain" }
        guard let name = mimetype.string, ["plain", "html"].contains(name.lowercased()) else {
            throw .permanent("the job's mimetype is neither plain nor html")
        }
        return name
    }

    /// `time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())`.
    private static func date(_ time: TimeSource) -> String {
        let now = PickleDateTime.now(time, utc: true)
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let days = Int((Double(time.microseconds()) / 86_400_000_000).rounded(.down))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let clock = [now.hour, now.minute, now.second].map(two).joined(separator: ":")
        let weekday = weekdays[((days % 7) + 7) % 7]
        let month = months[(now.month + 11) % 12]
        return "\(weekday), \(two(now.day)) \(month) \(now.year) \(clock) +0000"
    }
}
