internal import Pickle
internal import SMTP

/// The server's part of a job: eduMFA's SMTP configuration.
struct MailSettings: Sendable {
    var host: String
    var port: Int
    var security: SMTPServer.Security
    var username: String
    /// As it stands in the job: usually encrypted. `nil` where no user logs in.
    var password: String?
    var sender: PickleView?
    var timeout: Duration?
    /// `nil` for mail without an S/MIME signature.
    var signature: SMIMESettings?

    /// What eduMFA 2.9 and privacyIDEA 3.14 put into a job.
    private static let known: Set<String> = [
        "id", "identifier", "server", "port", "username", "password", "sender", "tls", "description", "timeout",
        "enqueue_job", "smime", "dont_send_on_error", "private_key", "private_key_password", "certificate",
    ]

    /// - Throws: what eduMFA would stumble over: no dict, missing keys, a port that is no number.
    init(_ view: PickleView) throws(MailFailure) {
        guard let pairs = view.mapping else { throw .permanent("the job's server configuration is not a dict") }
        try MailKeywords.refuseUnknown(pairs, Self.known, in: "the job's server configuration")
        let config = PythonMapping(pairs)
        guard let server = config["server"]?.string else {
            throw .permanent("the job's server configuration has no 'server'")
        }
        for key in ["server", "port", "username", "password"] {
            guard config[key]?.withUTF8(\.count) ?? 0 <= MailLimits.word else {
                throw .permanent("the job's '\(key)' is too long")
            }
        }
        let address = try MailServerAddress(server)
        if let known = address.port { port = known } else { port = try Self.port(config["port"]) }
        security = .plain
        if address.scheme == "smtps" {
            security = .implicitTLS
        } else if config["tls"]?.isTruthy == true {
            security = .startTLS
        }
        // smtplib's own default.
        if port == 0 { port = security == .implicitTLS ? 465 : 25 }
        host = address.host
        sender = config["sender"]
        timeout = Self.timeout(config["timeout"])
        signature = SMIMESettings(config)
        username = ""
        if let name = config["username"], name.isTruthy {
            guard let text = name.string else { throw .permanent("the job's 'username' is not a string") }
            guard let secret = config["password"]?.string else {
                throw .permanent("the job's server configuration has a 'username' and no 'password'")
            }
            username = text
            password = secret
        }
    }

    /// Python's `int(config["port"])`.
    private static func port(_ view: PickleView?) throws(MailFailure) -> Int {
        let number: Int? =
            switch view?.kind {
            case .int: view?.int
            case .bool: view?.bool == true ? 1 : 0
            case .float: view?.double.flatMap { Int(exactly: $0.rounded(.towardZero)) }
            case .string: view?.string.flatMap { Int($0.trimmingSpaces) }
            default: nil
            }
        guard let number, (0...65535).contains(number) else {
            throw .permanent("the job's server configuration has no 'port' that can be used")
        }
        return number
    }

    /// What is no positive number counts as not given; longer than an hour is no patience but an error.
    private static func timeout(_ view: PickleView?) -> Duration? {
        let seconds: Double? = view?.double ?? view?.int.map(Double.init)
        guard let seconds, seconds.isFinite, seconds > 0 else { return nil }
        return .seconds(min(seconds, 3600))
    }
}

/// What eduMFA reads out of `config["server"]`: a host or a URL, as `urllib.parse.urlparse` takes it apart.
struct MailServerAddress: Hashable {
    var scheme: String
    var host: String
    var port: Int?

    init(_ text: String) throws(MailFailure) {
        let unusable = MailFailure.permanent("the job's 'server' is neither a host nor a URL")
        var rest = text.trimmingSpaces[...]
        scheme = "smtp"
        if let slashes = rest.firstRange(of: "//") {
            let before = rest[..<slashes.lowerBound]
            if before.hasSuffix(":") {
                scheme = before.dropLast().lowercased()
                // Anything else that looks like a scheme is none, and what follows is a path.
                guard let first = scheme.utf8.first, (97...122).contains(first),
                    scheme.utf8.allSatisfy({
                        (97...122).contains($0) || (48...57).contains($0) || "+-.".utf8.contains($0)
                    })
                else { throw unusable }
            } else if !before.isEmpty {
                throw unusable
            }
            rest = rest[slashes.upperBound...]
        }
        rest = rest.prefix { !"/?#".contains($0) }
        if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        var portText: Substring
        if rest.hasPrefix("[") {
            guard let close = rest.firstIndex(of: "]") else { throw unusable }
            host = String(rest[rest.index(after: rest.startIndex)..<close])
            portText = rest[rest.index(after: close)...]
            guard portText.isEmpty || portText.hasPrefix(":") else { throw unusable }
            portText = portText.dropFirst()
        } else {
            let colon = rest.firstIndex(of: ":") ?? rest.endIndex
            host = String(rest[..<colon])
            portText = rest[colon...].dropFirst()
        }
        host = host.lowercased()
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { throw unusable }
        if !portText.isEmpty {
            guard portText.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(portText), number <= 65535
            else { throw .permanent("the job's 'server' has a port that is none") }
            port = number == 0 ? nil : number
        }
    }
}
