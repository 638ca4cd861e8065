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

    /// Sends the mail of a job. Mirrors what eduMFA's and privacyIDEA's `send_email` does: where a signature cannot be made, the mail goes
    /// without one unless the job says `dont_send_on_error`; the receipt has a remark then.
    package func send(_ job: MailJob) async throws(MailFailure) -> MailReceipt {
        let access = try await job.access(passwords, options)
        var message = try job.message(at: time, headers: options.headers)
        var remark: String?
        if let signature = job.settings.signature {
            do throws(MailFailure) {
                message.content = try await signature.sign(message.content, passwords)
            } catch {
                guard !signature.isRequired else { throw error }
                remark = "it was sent unsigned: \(error.reason)"
            }
        }
        var receipt = try await transport.send(message, via: access)
        receipt.remark = remark
        return receipt
    }
}
