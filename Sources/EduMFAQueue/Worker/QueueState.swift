package import Huey
package import Redis

/// What a worker has found out of the mail that is next, for whoever looks at the queue beside it.
struct OldestMail {
    var id: String
    /// In microseconds since the epoch.
    var since: Int
    /// How long it is kept, in seconds.
    static let lifetime = 3600

    init(id: String, since: Int) {
        self.id = id
        self.since = since
    }

    /// Nil for what no worker wrote.
    init?(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let since = Int(parts[0]), since >= 0 else { return nil }
        self.init(id: String(parts[1]), since: since)
    }

    var text: String { "\(since) \(id)" }
}

/// How much mail waits, and for how long.
package struct QueueState: Sendable, Hashable {
    /// How many mails stand in the queue.
    package let waiting: Int
    /// How many mails wait for another attempt.
    package let retrying: Int
    /// How many dead letters there are.
    package let dead: Int
    /// For how long the oldest mail has waited at least, in the queue or for another attempt; nil when none waits.
    package let oldest: Duration?

    /// How many mails are read to find the oldest.
    private static let readLimit = 10_000

    /// Looks at the queue.
    package init(huey: Huey, client: RedisClient, keys: QueueKeys) async throws {
        // First of all commands: any other would end the idleness.
        let idle = try? await client.command("OBJECT", "IDLETIME", .init(keys.queue)).integer
        waiting = try await client.command("LLEN", .init(keys.queue)).integer ?? 0
        let mail = WaitingMail(huey: huey, client: client, keys: keys)
        retrying = try await mail.count()
        dead = try await client.command("LLEN", .init(keys.dead)).integer ?? 0
        let now = huey.time.microseconds()
        var ages = try await mail.entries(limit: Self.readLimit).compactMap { $0.attempts.map { now - $0.firstSeen } }
        if waiting > 0 {
            ages.append(min(max(idle ?? 0, 0), 3_155_760_000) * 1_000_000)
            let tail = try await client.command("LRANGE", .init(keys.queue), -1, -1).elements?.first?.bytes
            let text = try await client.command("GET", .init(keys.oldest)).string
            if let mark = text.flatMap(OldestMail.init), let tail, (try? huey.deserialize(tail).id) == mark.id {
                ages.append(now - mark.since)
            }
        } else if retrying > 0 {
            // Put off by a worker of another kind: nobody knows since when.
            ages.append(0)
        }
        oldest = ages.max().map { .microseconds(max(0, $0)) }
    }
}
