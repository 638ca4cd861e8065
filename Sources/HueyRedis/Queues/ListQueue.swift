import Huey
import Redis

/// huey's plain queue: a list, filled from the left and emptied from the right. Mirrors `RedisStorage`.
struct ListQueue: RedisQueue {
    let key: String

    var supportsPriority: Bool { false }

    func append(_ messages: [(data: [UInt8], priority: Double?)], to batch: inout RedisBatch) throws {
        guard !messages.isEmpty else { return }
        for message in messages { try Self.refuse(message.priority) }
        batch.command("LPUSH", argumentCount: 1 + messages.count)
        batch.argument(key)
        for message in messages { batch.argument(message.data) }
    }

    private static func refuse(_ priority: Double?) throws {
        if let priority, priority != 0 {
            throw HueyError(.priorityNotSupported, "Task priorities are not supported by this storage.")
        }
    }

    func pop(_ count: Int, wait: Double?) -> RedisBatch {
        var batch = RedisBatch()
        guard let wait else {
            batch.append("RPOP", .init(key), .init(count))
            return batch
        }
        batch.append("BRPOP", .init(key), .init(wait))
        if count > 1 { batch.append("RPOP", .init(key), .init(count - 1)) }
        return batch
    }

    func deliveries(in replies: RedisReplies) -> [Delivery] {
        var deliveries: [Delivery] = []
        for (index, reply) in replies.enumerated() {
            guard let elements = reply.elements else { continue }
            // BRPOP answers the key and the message, RPOP messages only; which it was, the number of replies does not tell.
            let isBlockingPop =
                index == 0 && elements.count == 2 && elements[0].withBytes { $0.elementsEqual(key.utf8) } == true
            deliveries.reserveCapacity(deliveries.count + elements.count)
            for element in isBlockingPop ? elements.dropFirst() : elements[...] {
                if let data = element.bytes { deliveries.append(Delivery(data: data)) }
            }
        }
        return deliveries
    }

    func giveBack(_ deliveries: [Delivery], to batch: inout RedisBatch) {
        batch.append("RPUSH", [.init(key)] + deliveries.reversed().map { .init($0.data) })
    }

    var deliveryScripts: DeliveryScripts { .list }
    var blockingMove: String? { key }
    func delivery(ofEntry entry: [UInt8]) -> Delivery { Delivery(data: entry) }

    /// `SORT` that does not sort copies one end of a list.
    func move(_ count: Int, to batch: String, _ commands: inout RedisBatch) {
        commands.append(
            "SORT",
            [.init(key), "BY", "nosort", "LIMIT", 0, .init(count), "DESC", "STORE", .init(batch)]
        )
        commands.append("LTRIM", .init(key), 0, .init(-count - 1))
        commands.append("LRANGE", .init(batch), 0, -1)
    }

    func deliveries(ofBatch reply: RedisReply) -> [Delivery] {
        reply.elements?.map { Delivery(data: $0.bytes ?? []) } ?? []
    }

    func shorten(_ batch: String, to count: Int, _ commands: inout RedisBatch) {
        commands.append("LTRIM", .init(batch), .init(-count), -1)
    }

    func size(_ batch: inout RedisBatch) { batch.append("LLEN", .init(key)) }

    func items(_ limit: Int?, _ batch: inout RedisBatch) {
        batch.append("LRANGE", .init(key), .init(limit.map { -$0 } ?? 0), -1)
    }

    func items(in reply: RedisReply?) -> [[UInt8]] { reply?.elements?.compactMap(\.bytes).reversed() ?? [] }

    /// ARGV: the moment, then old, new, old, new …; an empty new one is only removed.
    var promotion: RedisScript { Self.script }

    private static let script = RedisScript(
        promoting: 2,
        "if #ARGV[i + 1] > 0 then redis.call('LPUSH', KEYS[2], ARGV[i + 1]) end"
    )

    func promotionArguments(_ moves: [ScheduleMove]) throws -> [RedisArgument] {
        try moves.flatMap { move -> [RedisArgument] in
            try Self.refuse(move.new?.priority)
            return [.init(move.old), .init(move.new?.data ?? [])]
        }
    }
}
