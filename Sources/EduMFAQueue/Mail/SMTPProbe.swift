internal import NIOPosix
internal import SMTP

/// Tries a mail server without sending anything: connects, starts TLS, logs in, says goodbye.
package struct SMTPProbe: Sendable {
    /// The server, for messages: never its password.
    package let name: String
    private let host: String
    private let port: Int
    private let securities: [SMTPServer.Security]
    private let credentials: SMTPCredentials?

    /// Reads `smtp://`, `smtps://` or `starttls://`, then `[USER[:PASSWORD]@]HOST[:PORT]`, names and passwords with percent escapes. With
    /// `smtps` TLS comes first; with `starttls` there must be STARTTLS; with `smtp` it is used where the server offers it.
    ///
    /// - Parameters:
    ///   - url: the server and who to be there.
    ///   - password: the password of a user for whom the URL has none.
    /// - Throws: ``ConfigurationError``, which never shows a password.
    package init(_ url: String, password: String?) throws(ConfigurationError) {
        let unusable = ConfigurationError(
            "--probe-smtp wants smtp://, smtps:// or starttls://, then [USER[:PASSWORD]@]HOST[:PORT]"
        )
        guard let slashes = url.firstRange(of: "://") else { throw unusable }
        let known: [String: (port: Int, securities: [SMTPServer.Security])] = [
            "smtp": (25, [.startTLS, .plain]), "smtps": (465, [.implicitTLS]), "starttls": (587, [.startTLS]),
        ]
        guard let scheme = known[url[..<slashes.lowerBound].lowercased()] else { throw unusable }
        securities = scheme.securities
        let rest = url[slashes.upperBound...].prefix { !"/?#".contains($0) }
        let at = rest.lastIndex(of: "@")
        let address: MailServerAddress
        do throws(MailFailure) {
            address = try MailServerAddress(String(at.map { rest[rest.index(after: $0)...] } ?? rest))
        } catch {
            throw unusable
        }
        host = address.host
        port = address.port ?? scheme.port
        let server = SMTPServer(host: host, port: port)
        guard let at else {
            credentials = nil
            name = "\(server)"
            return
        }
        let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = parts.first.flatMap(Self.decoded), !user.isEmpty else { throw unusable }
        guard let password = parts.count > 1 ? Self.decoded(parts[1]) : password else {
            throw ConfigurationError("--probe-smtp: there is no password for the user at \(server)")
        }
        credentials = SMTPCredentials(username: user, password: password)
        name = "\(user)@\(server)"
    }

    /// Without percent escapes; nil for what is none.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let value = Hex.decode(rest.prefix(2)), value.count == 1 else { return nil }
            bytes += value
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// - Returns: what was done.
    /// - Throws: ``MailFailure`` with the step that failed.
    package func run(_ options: MailOptions) async throws(MailFailure) -> String {
        var last = MailFailure.permanent("nothing was tried")
        for security in securities {
            let server = SMTPServer(
                host: host,
                port: port,
                security: security,
                verification: options.verification(host: host, port: port),
                authorityFile: options.authorityFile
            )
            do throws(SMTPError) {
                let smtp = SMTPOptions(
                    localName: await LocalName.find(),
                    timeout: options.timeout,
                    eventLoopGroup: MultiThreadedEventLoopGroup.singleton
                )
                let connection = try await SMTPConnection.open(server, credentials: credentials, options: smtp)
                await connection.quit()
                let login = credentials == nil ? "no login" : "login accepted"
                return "\(security == .plain ? "no TLS" : security == .startTLS ? "STARTTLS" : "TLS"), \(login)"
            } catch {
                last = MailFailure(error, at: server)
                // Only what the server does not offer is done without.
                guard error.code == .noStartTLS else { throw last }
            }
        }
        throw last
    }
}
