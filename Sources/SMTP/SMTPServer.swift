/// Where mail is handed in, and how: what `smtplib.SMTP`, `SMTP_SSL` and `starttls` are told.
package struct SMTPServer: Sendable, Hashable {
    /// How the connection is protected.
    package enum Security: Sendable, Hashable {
        /// Not at all.
        case plain
        /// STARTTLS after the greeting. Never done without: a server that does not offer it gets no mail.
        case startTLS
        /// TLS from the first byte: `smtps`.
        case implicitTLS
    }

    /// Whom to believe to be the server.
    package enum Verification: Sendable, Hashable {
        /// A trusted certificate that names the host.
        case full
        /// Anybody, as Python's `smtplib` does without an `SSLContext`.
        case none
    }

    /// A name, or an address without brackets.
    package var host: String
    package var port: Int
    package var security: Security
    package var verification: Verification
    /// A PEM file of authorities that are trusted beside the system's.
    package var authorityFile: String?

    package init(
        host: String,
        port: Int,
        security: Security = .plain,
        verification: Verification = .full,
        authorityFile: String? = nil
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.verification = verification
        self.authorityFile = authorityFile
    }
}

extension SMTPServer: CustomStringConvertible {
    /// `host:port`, for people.
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// A name and a password. Prints without the password.
package struct SMTPCredentials: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    package var username: String
    package var password: String

    package init(username: String, password: String) {
        self.username = username
        self.password = password
    }

    package var description: String { "credentials of a user" }
    package var debugDescription: String { description }
}

extension SMTPCredentials: CustomReflectable {
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
