package import Huey

/// Does the whole e-mail job: renders, decrypts the password, sends.
package struct Mailer: Sendable {
    private let transport: any MailTransport
    private let passwords: MailPasswords
    private let options: MailOptions
    private let time: TimeSource

    package init(
        transport: any MailTransport,
        passwords: MailPasswords,
        options: MailOptions = MailOptions(),
        time: TimeSource = .system
    ) {
        self.transport = transport
        self.passwords = passwords
        self.options = options
        self.time = time
    }

    /// Sends the mail of a job. Mirrors what eduMFA's `send_email` does.
    package func send(_ job: MailJob) async throws(MailFailure) -> MailReceipt {
        let access = try job.access(passwords, options)
        return try await transport.send(try job.message(at: time), via: access)
    }
}
