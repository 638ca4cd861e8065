import Foundation
import Testing

@testable import Redis

/// `Fixtures/redis-urls.json` also holds what the Python package redis-sentinel-url makes of sentinels' URLs.
@Suite struct SentinelURLTests {
    struct Document: Decodable {
        var sentinels: [Case]
    }

    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        var url: String
        var meaning: Meaning?
        var testDescription: String { url }
    }

    struct Meaning: Decodable, Sendable {
        var hosts: [Host]
        var service: String
        var db: Int
        var password: String?
        var socket_timeout: Double?
        var socket_connect_timeout: Double?
    }

    /// An array of name and port.
    struct Host: Decodable, Sendable {
        var name: String
        var port: Int

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            name = try container.decode(String.self)
            port = try container.decode(Int.self)
        }
    }

    static func cases() throws -> [Case] {
        try JSONDecoder().decode(Document.self, from: URLTests.fixture()).sentinels
    }

    private func sentinels(_ configuration: RedisConfiguration) -> RedisSentinels? {
        if case .sentinels(let sentinels) = configuration.address { sentinels } else { nil }
    }

    @Test(arguments: try cases()) func `a URL means what it means in Python`(example: Case) throws {
        guard let meaning = example.meaning else {
            #expect { try RedisConfiguration(url: example.url) } throws: { ($0 as? RedisError)?.code == .invalidURL }
            return
        }
        let configuration = try RedisConfiguration(url: example.url)
        let sentinels = try #require(self.sentinels(configuration))
        #expect(sentinels.hosts == meaning.hosts.map { RedisSentinels.Host($0.name, port: $0.port) })
        #expect(sentinels.service == meaning.service)
        #expect(configuration.database == meaning.db)
        #expect(configuration.password == meaning.password)
        #expect(configuration.commandTimeout == .seconds(meaning.socket_timeout ?? 5))
        let connectTimeout = meaning.socket_connect_timeout ?? meaning.socket_timeout ?? 5
        #expect(configuration.connectTimeout == .seconds(connectTimeout))
        #expect(configuration.tls == nil)
    }

    @Test func `users, passwords, TLS and addresses in brackets`() throws {
        let url = "rediss+sentinel://me:p%40ss@[::1]:7000,b/a%20service/2?sentinel_username=s&sentinel_password=t%26u"
        let configuration = try RedisConfiguration(url: url)
        let expected = RedisSentinels(
            [.init("::1", port: 7000), .init("b")],
            service: "a service",
            username: "s",
            password: "t&u"
        )
        #expect(sentinels(configuration) == expected)
        #expect(configuration.username == "me" && configuration.password == "p@ss" && configuration.database == 2)
        #expect(configuration.tls == RedisTLSConfiguration())
        #expect(configuration.ignoredOptions.isEmpty)
        #expect(configuration.description == "rediss+sentinel://me:***@[::1]:7000,b:26379/a service/2")
    }

    @Test(arguments: [
        "redis+sentinel://", "redis+sentinel://a", "redis+sentinel:///service", "redis+sentinel://a,/service",
        "redis+sentinel://a,,b/service", "redis+sentinel://a:70000/service", "redis+sentinel://[::1/service",
        "redis+sentinel://a/service/1/2", "redis+sentinel://[x],b/service", "redis+sentinels://a/service",
    ])
    func `a URL that cannot work is refused at once`(url: String) {
        #expect { try RedisConfiguration(url: url) } throws: { ($0 as? RedisError)?.code == .invalidURL }
    }

    @Test func `nothing shows a password`() throws {
        let configuration = try RedisConfiguration(url: "redis+sentinel://u:hunter2@a/s?sentinel_password=hunter3")
        var shown = "\(configuration)" + String(reflecting: configuration) + "\(configuration.address)"
        dump(configuration, to: &shown)
        dump(configuration.address, to: &shown)
        #expect(shown.contains("a:26379/s") && !shown.contains("hunter"))
        #expect { try RedisConfiguration(url: "redis+sentinel://u:hunter2@a:x/s?sentinel_password=hunter3") } throws: {
            !"\($0)".contains("hunter")
        }
    }
}
