import NIOSSL

/// A certificate for `localhost` that vouches for itself until 2120, and its key. For tests only.
public enum TestCertificate {
    public static let pem = """
        -----BEGIN CERTIFICATE-----
        MIIBQTCB6KADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCWxvY2FsaG9z
        dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDESMBAGA1UEAwwJ
        bG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8XBOFxryvQxfEEvj
        poNnK6fH0LrmRjZfNa1JZKudzja80xTJwPQoXiWhF3eT3Ze9q381TfuboAheZHHN
        aRrg8qMpMCcwFAYDVR0RBA0wC4IJbG9jYWxob3N0MA8GA1UdEwEB/wQFMAMBAf8w
        CgYIKoZIzj0EAwIDSAAwRQIhAJbjej4Fek77oHcrWes4ijOINnLQQiSyFOA+j1Se
        jwCyAiBuLbTQhTJWIp/HGhzFgx8ktHMWuclmPJSV5okguZL0jw==
        -----END CERTIFICATE-----
        """

    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgyuCkxDMxPGHA7pHX
        2hoUmUWE9S41vwHEtrilu3FiBbOhRANCAATxcE4XGvK9DF8QS+Omg2crp8fQuuZG
        Nl81rUlkq53ONrzTFMnA9CheJaEXd5Pdl72rfzVN+5ugCF5kcc1pGuDy
        -----END PRIVATE KEY-----
        """

    static func serverConfiguration(_ other: (chain: String, key: String)? = nil) throws -> TLSConfiguration {
        let (pem, key) = other ?? (pem, key)
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)).map { NIOSSLCertificateSource.certificate($0) }
        let privateKey = try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)
        return .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(privateKey))
    }
}
