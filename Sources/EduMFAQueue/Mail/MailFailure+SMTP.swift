internal import SMTP

extension MailFailure {
    /// What a failed dialogue means for the mail.
    init(_ error: SMTPError, _ message: MailMessage, at server: SMTPServer) {
        let kind: Kind =
            if error.mayBeDelivered {
                .unconfirmed
            } else {
                switch error.code {
                case .refused, .recipientsRefused: error.reply?.isTransient == true ? .transient : .permanent
                case .connectFailed, .closed, .timeout, .invalidReply, .tlsFailed, .cancelled: .transient
                case .untrustedCertificate, .noStartTLS, .noAuthentication, .invalidCommand: .permanent
                }
            }
        let refused = error.refusals.map { RefusedRecipient($0, message) }
        self.init(
            kind,
            "\(server): \(error)",
            code: error.reply?.code,
            reply: error.reply?.text,
            refused: refused.isEmpty ? [] : message.unusable + refused
        )
    }
}

extension RefusedRecipient {
    init(_ refusal: SMTPRefusal, _ message: MailMessage) {
        let recipient =
            message.recipients.indices.contains(refusal.index) ? message.recipients[refusal.index].text : "?"
        self.init(recipient: recipient, code: refusal.reply.code, reply: refusal.reply.text)
    }
}
