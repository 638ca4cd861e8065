import Foundation
import Redis

/// A master, its replicas, and the sentinels that watch them.
struct SentinelFleet {
    let servers: [TestServer]
    let sentinels: [TestServer]

    static let service = "the-master"

    /// Starts everything. `options` are those of master and replicas, `sentinelOptions` lines of the sentinels' files.
    init(replicas: Int = 2, options: [String] = [], sentinelOptions: [String] = []) async throws {
        let master = try TestServer(options)
        let replicas = try (0..<replicas).map { _ in
            try TestServer(
                options + ["--replicaof", "127.0.0.1", String(master.port), "--repl-diskless-sync-delay", "0"]
            )
        }
        servers = [master] + replicas
        let lines =
            [
                "sentinel monitor \(Self.service) 127.0.0.1 \(master.port) 2",
                "sentinel down-after-milliseconds \(Self.service) 500",
                "sentinel failover-timeout \(Self.service) 3000", "sentinel parallel-syncs \(Self.service) 2",
            ] + sentinelOptions
        sentinels = try (0..<3).map { _ in
            try TestServer(as: .sentinel) { directory in
                let text = lines.joined(separator: "\n") + "\n"
                try text.write(toFile: directory + "/sentinel.conf", atomically: true, encoding: .utf8)
            }
        }
    }

    /// Returns when the sentinels know each other and the replicas, so that a failover can succeed.
    func waitUntilReady(_ change: (inout RedisConfiguration) -> Void = { _ in }) async throws {
        for sentinel in sentinels {
            let client = sentinel.client(change)
            while true {
                let reply = try await client.command("SENTINEL", "MASTER", RedisArgument(Self.service))
                var fields: [String: String] = [:]
                let flat = reply.elements?.map { $0.string ?? "" } ?? []
                for index in stride(from: 0, to: flat.count - 1, by: 2) { fields[flat[index]] = flat[index + 1] }
                if fields["num-slaves"] == String(servers.count - 1), fields["num-other-sentinels"] == "2",
                    fields["flags"] == "master"
                {
                    break
                }
                try await Task.sleep(for: .milliseconds(50))
            }
            await client.shutdown()
        }
        for server in servers.dropFirst() {
            let client = server.client(change)
            while try await client.command("INFO", "replication").string?.contains("master_link_status:up") != true {
                try await Task.sleep(for: .milliseconds(20))
            }
            await client.shutdown()
        }
    }

    /// A client that asks the sentinels.
    func client(_ change: (inout RedisConfiguration) -> Void = { _ in }) -> RedisClient {
        let hosts = sentinels.map { RedisSentinels.Host("127.0.0.1", port: $0.port) }
        var configuration = RedisConfiguration(sentinels: RedisSentinels(hosts, service: Self.service))
        configuration.commandTimeout = .seconds(30)
        change(&configuration)
        return RedisClient(configuration)
    }
}
