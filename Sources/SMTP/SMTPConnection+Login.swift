internal import Crypto

extension SMTPConnection {
    /// The ways to log in, in the order of `smtplib.SMTP.login`.
    private enum Mechanism: String, CaseIterable {
        case cramMD5 = "CRAM-MD5"
        case plain = "PLAIN"
        case login = "LOGIN"
    }

    /// As `smtplib._MAXCHALLENGE`.
    private static let mostChallenges = 5

    /// Tries what the server offers until one way succeeds. Mirrors `smtplib.SMTP.login`, but sends UTF-8 where that fails on
    /// characters beyond ASCII.
    func logIn(_ credentials: SMTPCredentials) async throws(SMTPError) {
        guard let offered = features["auth"] else {
            throw SMTPError(.noAuthentication, at: .authentication, "the server offers no login")
        }
        guard !credentials.username.utf8.contains(0), !credentials.password.utf8.contains(0) else {
            throw SMTPError(.invalidCommand, at: .authentication, "a name or password with a null character")
        }
        let names = offered.split(whereSeparator: \.isWhitespace).map { $0.uppercased() }
        var failure = SMTPError(
            .noAuthentication,
            at: .authentication,
            "the server offers no login that is known here, but \(names.joined(separator: " "))"
        )
        for mechanism in Mechanism.allCases where names.contains(mechanism.rawValue) {
            let reply = try await attempt(mechanism, credentials)
            // 503: logged in already.
            if reply.code == 235 || reply.code == 503 {
                // A short one would be found where the server did not mean it, and be told by its absence.
                secrets = Self.secrets(credentials).filter { $0.utf8.count >= 6 }
                return
            }
            failure = .refused(at: .authentication, reply.hiding(Self.secrets(credentials)))
            guard isUsable else { break }
        }
        throw failure
    }

    private func attempt(_ mechanism: Mechanism, _ credentials: SMTPCredentials) async throws(SMTPError) -> SMTPReply {
        var command = "AUTH \(mechanism.rawValue)"
        switch mechanism {
        case .cramMD5: break
        case .plain: command += " " + Self.encode("\0\(credentials.username)\0\(credentials.password)")
        case .login: command += " " + Self.encode(credentials.username)
        }
        var reply = try await self.command(command, at: .authentication)
        var challenges = 0
        while reply.code == 334 {
            challenges += 1
            guard challenges <= Self.mostChallenges else {
                close()
                throw SMTPError(.invalidReply, at: .authentication, "the server does not end its challenges")
            }
            let challenge = Base64.decode(reply.lines.last ?? "")
            reply = try await self.command(
                Self.answer(mechanism, challenge, credentials),
                at: .authentication
            )
        }
        return reply
    }

    private static func answer(_ mechanism: Mechanism, _ challenge: [UInt8], _ credentials: SMTPCredentials) -> String {
        switch mechanism {
        case .plain: return encode("\0\(credentials.username)\0\(credentials.password)")
        case .login:
            // A server that ignored the name in the command asks for it.
            let asksForName = String(decoding: challenge, as: UTF8.self).lowercased().hasPrefix("user")
            return encode(asksForName ? credentials.username : credentials.password)
        case .cramMD5:
            let key = SymmetricKey(data: Array(credentials.password.utf8))
            let digest = HMAC<Insecure.MD5>.authenticationCode(for: challenge, using: key)
            let digits = digest.map { byte in
                String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            }
            return encode("\(credentials.username) \(digits.joined())")
        }
    }

    private static func encode(_ text: String) -> String {
        String(decoding: Base64.encode(Array(text.utf8)), as: UTF8.self)
    }

    /// In which forms a server could repeat the password.
    private static func secrets(_ credentials: SMTPCredentials) -> [String] {
        [
            encode("\0\(credentials.username)\0\(credentials.password)"), encode(credentials.password),
            credentials.password,
        ]
    }
}
