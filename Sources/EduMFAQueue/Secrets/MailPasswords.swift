/// Where the passwords of mail servers come from.
package enum MailPasswords: Sendable {
    /// Decrypted with eduMFA's key file.
    case keyFile(PasswordDecryptor)
    /// Not to be had, and why: no key file is configured, it cannot be read, a hardware module has the key. Mail that needs a
    /// login fails then.
    case unavailable(String)

    /// The password for a login, out of `config["password"]`.
    func password(_ stored: String) throws(MailFailure) -> String {
        switch self {
        case .keyFile(let decryptor): return decryptor.password(stored)
        case .unavailable(let reason):
            throw .permanent("the password of the mail server cannot be decrypted: \(reason)")
        }
    }
}
