public import Huey
import Redis

/// What a server says of itself, as far as it tells: the lines of `INFO`.
package struct ServerState: Sendable {
    private let fields: [String: String]

    /// - Parameter text: the answer to `INFO`.
    package init(_ text: String) {
        var fields: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[String(line[..<colon])] = String(line[line.index(after: colon)...])
        }
        self.fields = fields
    }

    /// The server's own name for itself and its version, such as `redis 7.0.15`; nil where it does not tell.
    package var version: String? {
        if let version = fields["valkey_version"] { return "valkey \(version)" }
        return fields["redis_version"].map { "redis \($0)" }
    }

    /// The setting `maxmemory-policy`; nil where the server does not tell.
    package var evictionPolicy: String? { fields["maxmemory_policy"] }

    /// Bytes of memory in use; nil where the server does not tell.
    package var usedMemory: Int? { fields["used_memory"].flatMap { Int($0) } }

    /// Whether the server belongs to a cluster, in which a script's keys must lie in one slot.
    package var isCluster: Bool { fields["cluster_enabled"] == "1" }

    /// What is wrong with the eviction policy, and what it should be; nil where nothing is.
    package var evictionWarning: String? {
        guard let policy = evictionPolicy, policy != "noeviction" else { return nil }
        return
            "the server's maxmemory-policy is \(policy): under memory pressure it deletes tasks, results and dead letters; set it to noeviction"
    }
}

extension RedisStorage: AdvisingStorage {
    /// Asks the server about itself.
    ///
    /// - Throws: the connection's error, and the server's where it does not let us ask.
    package func serverState() async throws -> ServerState {
        let replies = try await client.run { batch in
            for section in ["server", "memory", "cluster"] { batch.append("INFO", .init(section)) }
        }
        return ServerState(replies.compactMap(\.string).joined(separator: "\r\n"))
    }

    public func advice() async -> [String] {
        guard let state = try? await serverState() else { return [] }
        return state.evictionWarning.map { [$0] } ?? []
    }

    /// In a cluster all keys of an instance must lie in one slot: scripts use several.
    ///
    /// - Throws: ``HueyError`` `.invalidConfiguration` where they do not.
    func requireOneSlot() async throws {
        guard let state = try? await serverState(), state.isCluster, !keys.liesInOneSlot else { return }
        throw HueyError(
            .invalidConfiguration,
            "on a Redis Cluster delivery at least once needs all keys of an instance in one slot: name it with a hash tag, such as {\(keys.name)}, with name cleaning off, or choose at most once"
        )
    }
}
