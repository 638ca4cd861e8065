import HueyRedis
import Redis

/// Messages under the keys that other generations of huey make of the queue's name: this worker does not read them.
struct OtherGenerations: Sendable {
    let client: RedisClient
    /// The instance's name, as it is configured.
    let name: String
    /// The key that this worker reads.
    let queue: String

    /// How many messages wait under another key, and a word about them; nil for none.
    func find() async throws -> (count: Int, warning: String)? {
        for (cleaning, option) in [(NameCleaning.huey2, "2"), (.huey3, "3"), (.off, "off")] {
            let other = QueueKeys(name: name, cleaning: cleaning)
            guard other.queue != queue else { continue }
            let count = try await client.command("LLEN", .init(other.queue)).integer ?? 0
            guard count > 0 else { continue }
            let warning = """
                \(count) message(s) wait in \(other.queue), but this worker reads \(queue): the producer cleans the queue's name \
                in another way; start with --clean-name \(option) to read them
                """
            return (count, warning)
        }
        return nil
    }
}
