internal import SMTP

/// How mail is sent, beyond what the job says.
package struct MailOptions: Sendable, Hashable {
    /// Whether no server's certificate is verified, as in Python.
    package var trustsAllServers = false
    /// The servers whose certificate is not verified: host names or addresses, with or without `:port`, in small letters.
    package var trustedServers: Set<String> = []
    /// A PEM file of authorities that are trusted beside the system's.
    package var authorityFile: String?
    /// For each step of the dialogue, when the job's configuration says nothing that can be used.
    package var timeout: Duration = .seconds(10)
    /// How long a connection without work is kept.
    package var idleTime: Duration = .seconds(5)
    /// How many messages one connection carries.
    package var messagesPerConnection = 100
    /// The headers that the product gives every mail.
    package var headers = Product.eduMFA.mailHeaders
    /// How the client names itself in EHLO; `nil` for what Python would say.
    package var localName: String?

    package init() {}

    /// Whether the certificate of this server counts.
    func verification(host: String, port: Int) -> SMTPServer.Verification {
        let host = host.lowercased()
        return trustsAllServers || trustedServers.contains(host) || trustedServers.contains("\(host):\(port)")
            ? .none : .full
    }
}

/// A header that is the same in every mail of a product.
package struct MailHeader: Sendable, Hashable {
    package var name: String
    package var value: String
}
