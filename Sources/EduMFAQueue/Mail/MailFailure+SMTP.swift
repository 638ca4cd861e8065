internal import SMTP

extension MailFailure {
    /// What a failed dialogue means for the mail.
    init(_ error: SMTPError, _ message: MailMessage, at server: SMTPServer) {
        self.init(error, at: server)
        let refused = error.refusals.map { RefusedRecipient($0, message) }
        self.refused = refused.isEmpty ? [] : message.unusable + refused
    }

    /// What a failed dialogue means, whatever the mail.
    init(_ error: SMTPError, at server: SMTPServer) {
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
        let advice =
            error.code == .untrustedCertificate
            ? " (name the authority that vouches for it with --smtp-ca-file, or the server with --insecure-smtp-tls-server)"
            : ""
        self.init(kind, "\(server): \(error)\(advice)", code: error.reply?.code, reply: error.reply?.text)
    }
}

extension RefusedRecipient {
    init(_ refusal: SMTPRefusal, _ message: MailMessage) {
        let recipient =
            message.recipients.indices.contains(refusal.index) ? message.recipients[refusal.index].text : "?"
        self.init(recipient: recipient, code: refusal.reply.code, reply: refusal.reply.text)
    }
}
