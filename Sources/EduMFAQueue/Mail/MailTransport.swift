package import SMTP

/// Something that hands mail to a server.
package protocol MailTransport: Sendable {
    /// Hands over one message.
    ///
    /// - Throws: the failure of the whole message; recipients that are refused while others are served are in the receipt.
    func send(_ message: MailMessage, via access: MailAccess) async throws(MailFailure) -> MailReceipt
}

/// A server, who to be there, and how patient.
package struct MailAccess: Sendable, Hashable {
    package var server: SMTPServer
    package var credentials: SMTPCredentials?
    /// For each step of the dialogue.
    package var timeout: Duration

    package init(server: SMTPServer, credentials: SMTPCredentials? = nil, timeout: Duration = .seconds(10)) {
        self.server = server
        self.credentials = credentials
        self.timeout = timeout
    }
}

/// A rendered mail with its envelope.
package struct MailMessage: Sendable, Hashable {
    /// A recipient as the job names it, and the address in it.
    package struct Recipient: Sendable, Hashable {
        package var text: String
        package var address: String
    }

    /// The address of MAIL FROM; empty for none.
    package var sender: String
    package var recipients: [Recipient]
    /// What the job names as recipients and is none.
    package var unusable: [RefusedRecipient]
    /// Headers and body, lines ending with CRLF.
    package var content: [UInt8]
}
