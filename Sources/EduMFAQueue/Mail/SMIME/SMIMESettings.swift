internal import NIOPosix
internal import Pickle

/// What a job of privacyIDEA 3.14 says about its S/MIME signature: the settings of its server that begin with `smime`.
struct SMIMESettings: Sendable, Hashable {
    /// PEM files.
    var privateKey: String?
    var certificate: String?
    /// The private key's password as it stands in the job: usually encrypted.
    var password: String?
    /// Whether a mail that cannot be signed is not sent: `dont_send_on_error`.
    var isRequired: Bool

    /// `nil` for a job without a signature.
    init?(_ config: PythonMapping) {
        guard config["smime"]?.isTruthy == true else { return nil }
        func text(_ key: String) -> String? {
            guard let view = config[key], view.isTruthy, view.withUTF8(\.count) ?? 0 <= MailLimits.word else {
                return nil
            }
            return view.string
        }
        privateKey = text("private_key")
        certificate = text("certificate")
        password = text("private_key_password")
        isRequired = config["dont_send_on_error"]?.isTruthy == true
    }

    /// A mail with its signature.
    ///
    /// - Throws: transient for files that cannot be read, permanent for what is in them.
    func sign(_ content: [UInt8], _ passwords: MailPasswords) async throws(MailFailure) -> [UInt8] {
        guard let privateKey, let certificate else {
            throw Self.failure(.permanent, "the job names no \(privateKey == nil ? "private_key" : "certificate")")
        }
        var secret: String?
        if let password { secret = try await passwords.password(password) }
        let plain = secret
        do {
            return try await NIOThreadPool.singleton.runIfActive {
                let signer = try SMIMESigner(privateKey: privateKey, password: plain, certificate: certificate)
                return try SMIMEMessage.signed(content, by: signer)
            }
        } catch let failure as MailFailure {
            throw failure
        } catch {
            throw Self.failure(.permanent, "\(type(of: error))")
        }
    }

    static func failure(_ kind: MailFailure.Kind, _ reason: String) -> MailFailure {
        MailFailure(kind, "no S/MIME signature can be made: \(reason)")
    }
}
