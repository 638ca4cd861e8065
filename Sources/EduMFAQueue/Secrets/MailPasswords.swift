internal import NIOPosix

/// Where the passwords of mail servers come from.
package enum MailPasswords: Sendable {
    /// Decrypted with eduMFA's key file, as it is at that moment.
    case keyFile(KeyFile)
    /// Not to be had, and why: no key file is configured, a hardware module has the key. Mail that needs a login fails so.
    case unavailable(String, MailFailure.Kind = .permanent)

    /// The password for a login, out of `config["password"]`.
    ///
    /// - Throws: transient as long as the key file cannot be used.
    package func password(_ stored: String) async throws(MailFailure) -> String {
        do throws(KeyFileError) {
            return try await decryptor().password(stored)
        } catch {
            throw MailFailure(kind, "the password of the mail server cannot be decrypted: \(error)")
        }
    }

    /// Why passwords cannot be had now; `nil` when they can.
    package func problem() async -> String? {
        do throws(KeyFileError) {
            _ = try await decryptor()
            return nil
        } catch {
            return error.description
        }
    }

    private var kind: MailFailure.Kind {
        switch self {
        case .keyFile: .transient
        case .unavailable(_, let kind): kind
        }
    }

    private func decryptor() async throws(KeyFileError) -> PasswordDecryptor {
        switch self {
        case .unavailable(let reason, _): throw KeyFileError(reason)
        case .keyFile(let file):
            do {
                return try await NIOThreadPool.singleton.runIfActive { try file.decryptor() }
            } catch let error as KeyFileError {
                throw error
            } catch {
                throw KeyFileError("\(error)")
            }
        }
    }
}
