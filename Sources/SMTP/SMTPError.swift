/// Why a step of the dialogue failed. Holds no secrets.
package struct SMTPError: Error, Sendable, Hashable {
    package enum Code: Sendable, Hashable {
        /// No connection: the name is unknown, nobody listens …
        case connectFailed
        /// The server closed the connection.
        case closed
        /// A step took longer than it may.
        case timeout
        /// What the server said is not SMTP.
        case invalidReply
        /// The server's certificate is not trusted, or names another host.
        case untrustedCertificate
        /// TLS was not established for another reason.
        case tlsFailed
        /// STARTTLS is wanted and not offered.
        case noStartTLS
        /// A login is wanted, and the server offers none that is known.
        case noAuthentication
        /// The server said no: see ``SMTPError/reply``.
        case refused
        /// No recipient was accepted: see ``SMTPError/refusals``.
        case recipientsRefused
        /// What was to be sent cannot be: it would break the dialogue.
        case invalidCommand
        /// Whoever waited was cancelled.
        case cancelled
    }

    /// A step of the dialogue, by the command it consists of.
    package enum Step: String, Sendable, Hashable {
        case connect = "connecting"
        case tls = "TLS handshake"
        case greeting = "greeting"
        case hello = "EHLO"
        case startTLS = "STARTTLS"
        case authentication = "AUTH"
        case sender = "MAIL FROM"
        case recipient = "RCPT TO"
        case data = "DATA"
        case content = "message text"
        case finalDot = "end of message"
        case reset = "RSET"
        case quit = "QUIT"
    }

    package var code: Code
    package var step: Step
    /// What the server said.
    package var reply: SMTPReply?
    /// In words, for an operator.
    package var detail: String
    /// Who was refused, when all were.
    package var refusals: [SMTPRefusal] = []
    /// Whether the message was handed over whole, so that it may have been delivered all the same.
    package var mayBeDelivered = false

    package init(_ code: Code, at step: Step, reply: SMTPReply? = nil, _ detail: String) {
        self.code = code
        self.step = step
        self.reply = reply
        self.detail = detail
    }

    static func refused(at step: Step, _ reply: SMTPReply) -> SMTPError {
        guard (400...599).contains(reply.code) else {
            return SMTPError(.invalidReply, at: step, reply: reply, "the server gave an answer of another step")
        }
        return SMTPError(.refused, at: step, reply: reply, "the server refused")
    }
}

extension SMTPError: CustomStringConvertible {
    package var description: String {
        let said = reply.map { ": \($0)" } ?? ""
        return "\(step.rawValue): \(detail)\(said)"
    }
}

/// A recipient whom the server did not take.
package struct SMTPRefusal: Sendable, Hashable {
    /// Which of the recipients, from 0.
    package var index: Int
    package var reply: SMTPReply

    package init(index: Int, reply: SMTPReply) {
        self.index = index
        self.reply = reply
    }
}
