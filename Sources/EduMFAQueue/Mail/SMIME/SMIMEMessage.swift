internal import SMTP

/// A `multipart/signed` mail, byte for byte as `cryptography` writes one for `Encoding.SMIME`. The whole mail with its headers is what is
/// signed; around it stand no headers but those of MIME.
enum SMIMEMessage {
    /// - Parameter content: headers and body, lines ending with CRLF.
    static func signed(_ content: [UInt8], by signer: SMIMESigner) throws -> [UInt8] {
        let signature = try signer.signedData(content)
        var boundary: String
        repeat {
            let digits = String(UInt64.random(in: 0..<UInt64(Int64.max)))
            boundary = "===============" + String(repeating: "0", count: max(0, 19 - digits.count)) + digits + "=="
        } while content.contains(subsequence: Array("--\(boundary)".utf8))
        var output = Array(
            """
            MIME-Version: 1.0\r
            Content-Type: multipart/signed; protocol="application/x-pkcs7-signature"; micalg="sha-256"; boundary="\(boundary)"\r
            \r
            This is an S/MIME signed message\r
            \r
            --\(boundary)\r

            """.utf8
        )
        output += content
        output += Array(
            """
            \r
            --\(boundary)\r
            Content-Type: application/x-pkcs7-signature; name="smime.p7s"\r
            Content-Transfer-Encoding: base64\r
            Content-Disposition: attachment; filename="smime.p7s"\r
            \r

            """.utf8
        )
        for start in stride(from: 0, to: signature.count, by: 48) {
            output += Base64.encode(Array(signature[start..<min(start + 48, signature.count)])) + [0x0D, 0x0A]
        }
        return output + Array("\r\n--\(boundary)--\r\n".utf8)
    }
}

extension [UInt8] {
    fileprivate func contains(subsequence wanted: [UInt8]) -> Bool { firstRange(of: wanted) != nil }
}
