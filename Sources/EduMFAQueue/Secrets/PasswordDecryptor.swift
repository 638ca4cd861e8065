internal import Crypto
internal import CryptoExtras

/// Decrypts what eduMFA's default security module encrypted with the second key of the file `EDUMFA_ENCFILE`: AES-256-CBC,
/// `hex(iv):hex(ciphertext)`.
package struct PasswordDecryptor: Sendable {
    private let key: SymmetricKey

    /// - Parameters:
    ///   - content: three keys of 32 bytes.
    ///   - path: the key file, for messages.
    /// - Throws: when it is too short, or is itself encrypted with a password (eduMFA's sign: more than 100 bytes).
    init(_ content: [UInt8], of path: String) throws(KeyFileError) {
        guard content.count <= 100 else {
            throw KeyFileError("the key file \(path) is protected with a password, which this worker does not have")
        }
        guard content.count >= 64 else {
            throw KeyFileError("the key file \(path) has \(content.count) bytes instead of 96")
        }
        self.init(keys: content)
    }

    init(keys: [UInt8]) { key = SymmetricKey(data: keys[32..<64]) }

    /// The password that a stored one stands for. What does not decrypt is used as it stands.
    package func password(_ stored: String) -> String { decrypt(stored) ?? stored }

    private func decrypt(_ stored: String) -> String? {
        guard let colon = stored.utf8.firstIndex(of: UInt8(ascii: ":")),
            let vector = Hex.decode(stored.utf8[..<colon]),
            let ciphertext = Hex.decode(stored.utf8[stored.utf8.index(after: colon)...]),
            let iv = try? AES._CBC.IV(ivBytes: vector)
        else { return nil }
        // Nothing decrypts to nothing, in the older padding.
        guard !ciphertext.isEmpty else { return "" }
        guard ciphertext.count.isMultiple(of: 16),
            let padded = try? AES._CBC.decrypt(ciphertext, using: key, iv: iv, noPadding: true),
            let plain = Self.unpad(Array(padded)) ?? Self.unpadLegacy(Array(padded))
        else { return nil }
        return String(validating: plain, as: UTF8.self)
    }

    /// PKCS7.
    private static func unpad(_ padded: [UInt8]) -> [UInt8]? {
        guard let last = padded.last, (1...16).contains(last), padded.count >= Int(last),
            padded.suffix(Int(last)).allSatisfy({ $0 == last })
        else { return nil }
        return Array(padded.dropLast(Int(last)))
    }

    /// Hexadecimal text, then 01 02, then zeros.
    private static func unpadLegacy(_ padded: [UInt8]) -> [UInt8]? {
        let end = padded.indices.dropLast().last { padded[$0] == 1 && padded[$0 + 1] == 2 } ?? padded.endIndex
        return Hex.decode(padded[..<end])
    }
}

/// Hexadecimal digits as `binascii.unhexlify` reads them.
enum Hex {
    static func decode(_ digits: some Collection<UInt8>) -> [UInt8]? {
        guard digits.count.isMultiple(of: 2) else { return nil }
        var result: [UInt8] = []
        var high: UInt8?
        for digit in digits {
            guard let value = value(of: digit) else { return nil }
            if let first = high {
                result.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return result
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 65...70: digit - 55
        case 97...102: digit - 87
        default: nil
        }
    }
}
