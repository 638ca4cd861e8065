import Foundation
import Testing

@testable import Redis

/// `Fixtures/redis-urls.json` is what real redis-py makes of each URL; `interop/redis-urls.py` writes it.
@Suite struct URLTests {
    struct Document: Decodable {
        var cases: [Case]
    }

    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        var url: String
        var meaning: Meaning?
        var testDescription: String { url.debugDescription }
    }

    struct Meaning: Decodable, Sendable {
        var host: String?
        var port: Int?
        var path: String?
        var db: Int
        var username: String?
        var password: String?
        var client_name: String?
        var tls: Bool
        var max_connections: Int?
        var socket_timeout: Seconds?
        var socket_connect_timeout: Seconds?
        var ssl: TLS?
    }

    struct TLS: Decodable, Sendable {
        var cert_reqs: String
        var check_hostname: Bool
        var ca_certs: String?
        var ca_path: String?
        var certfile: String?
        var keyfile: String?
        var password: String?
        var min_version: Int?
        var ciphers: String?
    }

    /// A number, or "inf".
    struct Seconds: Decodable, Sendable {
        var duration: Duration

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            duration = .seconds((try? container.decode(Double.self)) ?? 1_000_000)
        }
    }

    static func cases() throws -> [Case] { try JSONDecoder().decode(Document.self, from: fixture()).cases }

    static func fixture() throws -> Data {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try Data(contentsOf: root.appendingPathComponent("Fixtures/redis-urls.json"))
    }

    @Test(arguments: try cases()) func `a URL means what it means to redis-py`(example: Case) throws {
        guard let meaning = example.meaning else {
            #expect { try RedisConfiguration(url: example.url) } throws: { ($0 as? RedisError)?.code == .invalidURL }
            return
        }
        let configuration = try RedisConfiguration(url: example.url)
        let defaults = RedisConfiguration()
        switch configuration.address {
        case .host(let host, let port):
            #expect(host == meaning.host)
            #expect(port == meaning.port)
        case .unixSocket(let path): #expect(path == meaning.path)
        case .sentinels: Issue.record("sentinels where redis-py knows none")
        }
        #expect(configuration.database == meaning.db)
        #expect(configuration.username == meaning.username)
        #expect(configuration.password == meaning.password)
        #expect(configuration.clientName == meaning.client_name)
        #expect(configuration.maximumConnections == meaning.max_connections ?? defaults.maximumConnections)
        let timeout = meaning.socket_timeout?.duration
        #expect(configuration.commandTimeout == timeout ?? defaults.commandTimeout)
        #expect(
            configuration.connectTimeout == meaning.socket_connect_timeout?.duration ?? timeout
                ?? defaults.connectTimeout
        )
        #expect((configuration.tls != nil) == meaning.tls)
        try compare(configuration.tls, meaning.ssl)
    }

    private func compare(_ tls: RedisTLSConfiguration?, _ meaning: TLS?) throws {
        guard let meaning else { return }
        let tls = try #require(tls)
        #expect(tls.certificateRequirement.rawValue == meaning.cert_reqs)
        // Python turns the check off together with the certificate's.
        #expect((tls.checksHostname && tls.certificateRequirement != .none) == meaning.check_hostname)
        #expect(tls.certificateAuthorityFile == meaning.ca_certs)
        #expect(tls.certificateAuthorityDirectory == meaning.ca_path)
        #expect(tls.certificateFile == meaning.certfile)
        #expect(tls.privateKeyFile == meaning.keyfile)
        #expect(tls.privateKeyPassword == meaning.password)
        #expect(tls.minimumVersion == meaning.min_version)
        #expect(tls.cipherSuites == meaning.ciphers)
    }

    @Test func `there are enough URLs`() throws { #expect(try Self.cases().count >= 60) }

    /// redis-py takes these, and fails when it connects.
    @Test(arguments: [
        "unix://", "unix://tmp.sock", "redis://h?socket_timeout=0", "redis://h?socket_timeout=-1",
        "redis://h?socket_timeout=nan", "redis://?port=x", "rediss://h?ssl_validate_ocsp=true",
        "redis://h/?db=99999999999999999999",
    ])
    func `a URL that cannot work is refused at once`(url: String) {
        #expect { try RedisConfiguration(url: url) } throws: { ($0 as? RedisError)?.code == .invalidURL }
    }

    @Test func `options without effect are named`() throws {
        let configuration = try RedisConfiguration(url: "redis://h?decode_responses=1&db=2&mistyped=x")
        #expect(configuration.ignoredOptions == ["decode_responses", "mistyped"])
    }

    @Test func `no description and no error shows a password`() throws {
        let configuration = try RedisConfiguration(url: "rediss://me:hunter2@[::1]:7/3?ssl_password=hunter2")
        #expect(configuration.description == "rediss://me:***@[::1]:7/3")
        #expect(!String(reflecting: configuration).contains("hunter2"))
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        for url in ["redis://u:hunter2@host:x", "http://u:hunter2@host", "redis://u:hunter2@h?db=hunter2"] {
            #expect { try RedisConfiguration(url: url) } throws: { !"\($0)".contains("hunter2") }
        }
    }
}
