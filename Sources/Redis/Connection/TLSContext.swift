internal import NIOSSL
internal import Transport

extension NIOSSLContext {
    /// The context for the options of a configuration.
    ///
    /// - Throws: ``RedisError`` `.connectFailed`: a file cannot be read, or an option makes no sense.
    static func make(_ tls: RedisTLSConfiguration) throws -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: TLSConfiguration(tls))
        } catch let error as RedisError {
            throw error
        } catch {
            throw RedisError(.connectFailed, "the TLS options cannot be used: \(error)")
        }
    }
}

extension TLSConfiguration {
    /// The same as what redis-py's `SSLConnection` makes of its options, with TLS 1.2 as the least.
    fileprivate init(_ tls: RedisTLSConfiguration) throws {
        self = TLSPolicy.clientConfiguration()
        certificateVerification =
            switch tls.certificateRequirement {
            case .none: .none
            case .optional, .required: tls.checksHostname ? .fullVerification : .noHostnameVerification
            }
        if let file = tls.certificateAuthorityFile {
            additionalTrustRoots.append(.certificates(try NIOSSLCertificate.fromPEMFile(file)))
        }
        if let directory = tls.certificateAuthorityDirectory { additionalTrustRoots.append(.file(directory)) }
        if let data = tls.certificateAuthorityData {
            additionalTrustRoots.append(.certificates(try NIOSSLCertificate.fromPEMBytes(Array(data.utf8))))
        }
        if let certificates = tls.certificateFile {
            certificateChain = try NIOSSLCertificate.fromPEMFile(certificates).map { .certificate($0) }
        }
        if let file = tls.privateKeyFile ?? tls.certificateFile {
            privateKey = .privateKey(try Self.privateKey(file, password: tls.privateKeyPassword))
        }
        if let ciphers = tls.cipherSuites { cipherSuites = ciphers }
        switch tls.minimumVersion {
        case nil, 0x0301, 0x0302, 0x0303: break
        case 0x0304: minimumTLSVersion = .tlsv13
        default: throw RedisError(.connectFailed, "there is no such TLS version")
        }
    }

    private static func privateKey(_ file: String, password: String?) throws -> NIOSSLPrivateKey {
        guard let password else { return try NIOSSLPrivateKey(file: file, format: .pem) }
        return try NIOSSLPrivateKey(file: file, format: .pem) { setter in setter(Array(password.utf8)) }
    }
}
