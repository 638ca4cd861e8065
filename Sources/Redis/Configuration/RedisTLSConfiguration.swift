/// How a `rediss://` connection verifies the server and identifies itself, named as redis-py's `SSLConnection` names it.
public struct RedisTLSConfiguration: Hashable, Sendable {
    /// How strictly the server's certificate is checked: redis-py's `ssl_cert_reqs`.
    public enum CertificateRequirement: String, Hashable, Sendable {
        /// Any certificate will do.
        case none
        /// The same as ``required`` for a client, as in Python.
        case optional
        /// The certificate must be valid and trusted.
        case required
    }

    /// How strictly the server's certificate is checked.
    public var certificateRequirement: CertificateRequirement
    /// Whether the certificate must name the host: redis-py's `ssl_check_hostname`. A name is compared with the certificate's DNS entries,
    /// an address with its address entries.
    public var checksHostname: Bool
    /// A PEM file of authorities trusted beside the system's: redis-py's `ssl_ca_certs`.
    public var certificateAuthorityFile: String?
    /// A directory of PEM files of authorities, one each: redis-py's `ssl_ca_path`.
    public var certificateAuthorityDirectory: String?
    /// Authorities in PEM format: redis-py's `ssl_ca_data`.
    public var certificateAuthorityData: String?
    /// A PEM file with the client's certificate and its chain: redis-py's `ssl_certfile`.
    public var certificateFile: String?
    /// A PEM file with the client's private key: redis-py's `ssl_keyfile`; where there is none, the certificate's file.
    public var privateKeyFile: String?
    /// What the private key is encrypted with: redis-py's `ssl_password`.
    public var privateKeyPassword: String?
    /// The lowest protocol version, by its number in TLS (0x0303 is 1.2): redis-py's `ssl_min_version`. Nil and lower ones are 1.2.
    public var minimumVersion: Int?
    /// Cipher suites in OpenSSL's notation, for TLS before 1.3: redis-py's `ssl_ciphers`.
    public var cipherSuites: String?

    /// The system's authorities, a required certificate, the host's name checked.
    public init(
        certificateRequirement: CertificateRequirement = .required,
        checksHostname: Bool = true,
        certificateAuthorityFile: String? = nil,
        certificateAuthorityDirectory: String? = nil,
        certificateAuthorityData: String? = nil,
        certificateFile: String? = nil,
        privateKeyFile: String? = nil,
        privateKeyPassword: String? = nil,
        minimumVersion: Int? = nil,
        cipherSuites: String? = nil
    ) {
        self.certificateRequirement = certificateRequirement
        self.checksHostname = checksHostname
        self.certificateAuthorityFile = certificateAuthorityFile
        self.certificateAuthorityDirectory = certificateAuthorityDirectory
        self.certificateAuthorityData = certificateAuthorityData
        self.certificateFile = certificateFile
        self.privateKeyFile = privateKeyFile
        self.privateKeyPassword = privateKeyPassword
        self.minimumVersion = minimumVersion
        self.cipherSuites = cipherSuites
    }
}
