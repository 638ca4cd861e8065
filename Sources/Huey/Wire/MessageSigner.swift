import Crypto

/// Signs messages and results, and refuses those that are not: huey's `SignedSerializer`, HMAC-SHA1 under a key made of salt and
/// secret, in hexadecimal behind a colon.
public struct MessageSigner: Sendable {
    private let key: SymmetricKey
    private static let separator = UInt8(ascii: ":")
    /// The bytes of a separator and a signature.
    static let length = 1 + 2 * Insecure.SHA1.byteCount
    private static let digits = Array("0123456789abcdef".utf8)

    /// - Throws: ``HueyError`` `.invalidConfiguration` for an empty secret or salt, as huey.
    public init(secret: String, salt: String = "huey") throws {
        guard !secret.isEmpty, !salt.isEmpty else {
            throw HueyError(.invalidConfiguration, "The secret and salt parameters are required.")
        }
        var hash = Insecure.SHA1()
        hash.update(data: Array(salt.utf8))
        hash.update(data: Array(secret.utf8))
        key = SymmetricKey(data: hash.finalize())
    }

    func sign(_ message: [UInt8]) -> [UInt8] {
        message + [Self.separator]
            + HMAC<Insecure.SHA1>.authenticationCode(for: message, using: key).flatMap {
                [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]]
            }
    }

    /// The message without its signature, which is compared in constant time.
    ///
    /// - Throws: ``HueyError`` `.badSignature`.
    func unsign(_ signed: [UInt8]) throws -> [UInt8] {
        guard let separator = signed.lastIndex(of: Self.separator) else {
            throw HueyError(.badSignature, "Separator \":\" not found")
        }
        let message = Array(signed[..<separator])
        guard let code = Self.bytes(ofHexadecimal: signed[(separator + 1)...]),
            HMAC<Insecure.SHA1>.isValidAuthenticationCode(code, authenticating: message, using: key)
        else { throw HueyError(.badSignature, "Signature mismatch!") }
        return message
    }

    private static func bytes(ofHexadecimal text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count == 2 * Insecure.SHA1.byteCount else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text {
            guard let digit = digits.firstIndex(of: character) else { return nil }
            if let first = high {
                bytes.append(first << 4 | UInt8(digit))
                high = nil
            } else {
                high = UInt8(digit)
            }
        }
        return bytes
    }
}
