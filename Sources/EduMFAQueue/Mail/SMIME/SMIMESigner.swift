internal import Crypto
internal import CryptoExtras
internal import NIOSSL
internal import SMTP
internal import SwiftASN1

/// A private key with its certificate, which makes detached PKCS#7 signatures as `cryptography`'s `PKCS7SignatureBuilder` does with SHA-256
/// and the option `NoAttributes`.
struct SMIMESigner {
    private enum Key {
        case rsa(_RSA.Signing.PrivateKey)
        case p256(P256.Signing.PrivateKey)
        case p384(P384.Signing.PrivateKey)
        case p521(P521.Signing.PrivateKey)
    }

    private let key: Key
    private let certificate: ASN1Node
    private let issuer: ASN1Node
    private let serial: ASN1Node

    /// Reads both PEM files. Blocks the thread.
    ///
    /// - Throws: ``MailFailure``: transient for a file that cannot be read, permanent for a password, key or certificate that cannot be used.
    init(privateKey: String, password: String?, certificate: String) throws {
        let key = try Self.privateKey(privateKey, password)
        let pem = try Self.read(certificate)
        guard let first = try? NIOSSLCertificate(bytes: pem, format: .pem), let der = try? first.toDERBytes(),
            let root = try? DER.parse(der)
        else { throw SMIMESettings.failure(.permanent, "\(certificate.shortened) holds no certificate in PEM") }
        guard (try? first.extractPublicKey().toSPKIBytes()) == Self.publicKey(key) else {
            throw SMIMESettings.failure(
                .permanent,
                "the certificate in \(certificate.shortened) is not that of the key in \(privateKey.shortened)"
            )
        }
        // Certificate ::= SEQUENCE { tbs SEQUENCE { [0] version OPTIONAL, serialNumber, signature, issuer, … }, … }
        var fields = try Self.children(Self.children(root).first)
        if fields.first?.identifier == ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific) {
            fields.removeFirst()
        }
        guard fields.count > 2 else { throw SMIMESettings.failure(.permanent, "the certificate lacks its issuer") }
        self.key = key
        self.certificate = root
        serial = fields[0]
        issuer = fields[2]
    }

    private static func children(_ node: ASN1Node?) throws -> [ASN1Node] {
        guard case .constructed(let nodes)? = node?.content else {
            throw SMIMESettings.failure(.permanent, "the certificate is not one of X.509")
        }
        return Array(nodes)
    }

    private static func read(_ path: String) throws -> [UInt8] {
        do throws(FileError) {
            return try SmallFile.read(path).content
        } catch {
            throw SMIMESettings.failure(.transient, error.description)
        }
    }

    private static func privateKey(_ path: String, _ password: String?) throws -> Key {
        let pem = try read(path)
        let parsed = try? NIOSSLPrivateKey(bytes: pem, format: .pem) { setter in setter(Array((password ?? "").utf8)) }
        guard let der = try? parsed?.derBytes else {
            let means =
                password == nil ? "is no private key in PEM without a password" : "does not open with its password"
            throw SMIMESettings.failure(.permanent, "\(path.shortened) \(means)")
        }
        // As short as Python takes them.
        if let key = try? _RSA.Signing.PrivateKey(unsafeDERRepresentation: der) { return .rsa(key) }
        if let key = try? P256.Signing.PrivateKey(derRepresentation: der) { return .p256(key) }
        if let key = try? P384.Signing.PrivateKey(derRepresentation: der) { return .p384(key) }
        if let key = try? P521.Signing.PrivateKey(derRepresentation: der) { return .p521(key) }
        throw SMIMESettings.failure(.permanent, "the key in \(path.shortened) is neither RSA nor one of NIST's curves")
    }

    /// As it stands in a certificate.
    private static func publicKey(_ key: Key) -> [UInt8] {
        switch key {
        case .rsa(let key): Array(key.publicKey.derRepresentation)
        case .p256(let key): Array(key.publicKey.derRepresentation)
        case .p384(let key): Array(key.publicKey.derRepresentation)
        case .p521(let key): Array(key.publicKey.derRepresentation)
        }
    }

    private func signature(_ digest: SHA256Digest) throws -> [UInt8] {
        switch key {
        case .rsa(let key): Array(try key.signature(for: digest, padding: .insecurePKCS1v1_5).rawRepresentation)
        case .p256(let key): Array(try key.signature(for: digest).derRepresentation)
        case .p384(let key): Array(try key.signature(for: digest).derRepresentation)
        case .p521(let key): Array(try key.signature(for: digest).derRepresentation)
        }
    }

    /// The DER of a `ContentInfo` with `SignedData` (RFC 2315) about `content`, which is not in it.
    func signedData(_ content: [UInt8]) throws -> [UInt8] {
        let signature = try signature(SHA256.hash(data: content))
        var serializer = DER.Serializer()
        try serializer.appendConstructedNode(identifier: .sequence) { info in
            try info.serialize(ASN1ObjectIdentifier.signedData)
            try info.appendConstructedNode(identifier: Self.explicit0) { wrapper in
                try wrapper.appendConstructedNode(identifier: .sequence) { data in
                    try data.serialize(1)
                    try data.appendConstructedNode(identifier: .set) { try Self.sha256(&$0) }
                    try data.appendConstructedNode(identifier: .sequence) {
                        try $0.serialize(ASN1ObjectIdentifier.pkcs7Data)
                    }
                    data.appendConstructedNode(identifier: Self.explicit0) { $0.serialize(certificate) }
                    try data.appendConstructedNode(identifier: .set) { try appendSignerInfo(&$0, signature) }
                }
            }
        }
        return serializer.serializedBytes
    }

    private func appendSignerInfo(_ signers: inout DER.Serializer, _ signature: [UInt8]) throws {
        try signers.appendConstructedNode(identifier: .sequence) { signer in
            try signer.serialize(1)
            signer.appendConstructedNode(identifier: .sequence) { name in
                name.serialize(issuer)
                name.serialize(serial)
            }
            try Self.sha256(&signer)
            try signer.appendConstructedNode(identifier: .sequence) { algorithm in
                if case .rsa = key {
                    try algorithm.serialize(ASN1ObjectIdentifier.AlgorithmIdentifier.rsaEncryption)
                    try algorithm.serialize(ASN1Null())
                } else {
                    try algorithm.serialize(ASN1ObjectIdentifier.ecdsaWithSHA256)
                }
            }
            try signer.serialize(ASN1OctetString(contentBytes: signature[...]))
        }
    }

    private static let explicit0 = ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific)

    private static func sha256(_ serializer: inout DER.Serializer) throws {
        try serializer.appendConstructedNode(identifier: .sequence) { algorithm in
            try algorithm.serialize(ASN1ObjectIdentifier.sha256)
            try algorithm.serialize(ASN1Null())
        }
    }
}

extension ASN1ObjectIdentifier {
    fileprivate static let signedData: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 7, 2]
    fileprivate static let pkcs7Data: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 7, 1]
    fileprivate static let ecdsaWithSHA256: ASN1ObjectIdentifier = [1, 2, 840, 10045, 4, 3, 2]
    fileprivate static let sha256: ASN1ObjectIdentifier = [2, 16, 840, 1, 101, 3, 4, 2, 1]
}
