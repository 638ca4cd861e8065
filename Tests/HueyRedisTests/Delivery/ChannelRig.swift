import Huey
import HueyRedis
import Redis
import Synchronization
import TestSupport

@testable import HueyRedis

/// Consumers of one queue, each with connections of its own, and a client that sees what lies on the server.
struct ChannelRig {
    static let kinds: [StorageKind] = [.redis, .redisExpire, .priorityRedis, .priorityRedisExpire]
    /// From how many messages on a channel asks for a batch: always, and never.
    static let leastBatches = [1, .max]

    let kind: StorageKind
    let leastBatch: Int
    let name: String
    let url: String
    let storage: RedisStorage

    /// - Parameter url: a server of the test's own.
    init(_ kind: StorageKind, url: String? = nil, leastBatch: Int = .max) throws {
        self.kind = kind
        self.leastBatch = leastBatch
        name = StorageKind.freshName()
        self.url = try url ?? StorageKind.url()
        storage = try Self.storage(kind, name, self.url)
    }

    private static func storage(_ kind: StorageKind, _ name: String, _ url: String) throws -> RedisStorage {
        var options = RedisStorageOptions(kind: RedisStorageKind(rawValue: kind.rawValue) ?? .redis)
        options.readTimeout = .seconds(600)
        guard let storage = try RedisStorage(url: url, options: options).bound(to: name) as? RedisStorage else {
            throw HueyError(.invalidConfiguration, "no storage")
        }
        return storage
    }

    /// Another consumer, opened.
    func channel(url: String? = nil) async throws -> AcknowledgingChannel {
        let storage = try Self.storage(kind, name, url ?? self.url)
        let channel = AcknowledgingChannel(
            storage: storage,
            // A test that has to wait for its turn must not be taken for dead.
            options: DeliveryOptions(lease: .seconds(36_000)),
            logger: CollectingLog.make().logger,
            leastBatch: leastBatch
        )
        try await channel.open()
        return channel
    }

    func enqueue(_ texts: String...) async throws {
        for text in texts { try await storage.enqueue(data(text), priority: nil) }
    }

    func waiting() async throws -> [String] { try await storage.enqueuedItems(limit: nil).map(text) }

    /// Ends a consumer's session as another one does that has watched it.
    func giveUp(_ channel: AcknowledgingChannel, by other: AcknowledgingChannel) async throws {
        let heartbeats = try await other.sendHeartbeat(1)
        try await other.recover(channel.session.name, heartbeats[channel.session.name] ?? "")
    }

    /// Our own keys on the server, without the session in them.
    func leftovers() async throws -> [String] {
        let reply = try await storage.client.command("KEYS", .init("huey.swift.*.\(name)*"))
        let ours = reply.elements?.compactMap(\.string).filter { $0.hasSuffix(".\(name)") || $0.contains(".\(name).") }
        return ours?.map { String($0.dropFirst(11).prefix { $0 != "." }) }.sorted() ?? []
    }
}

extension DeliveryChannel {
    /// What there is, without waiting.
    func take(_ count: Int = 100) async throws -> [Delivery] { try await dequeue(upTo: count, wait: .milliseconds(1)) }
}

extension AcknowledgingChannel {
    /// As if the answer to the first request for messages had never come.
    func forgetFirstAnswer() {
        state.withLock { state in
            state.next = 1
            if let slot = state.batches.position(of: 1)?.slot {
                state.uncertainSlot = slot
            } else {
                state.isUncertain = true
            }
            state.batches = HeldBatches()
        }
    }
}

func texts(_ deliveries: [Delivery]) -> [String] { deliveries.map { text($0.data) } }
