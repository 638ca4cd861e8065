import Huey
import Redis
import Synchronization

/// huey's queue with priorities: a sorted set, scored by the negated priority, whose members begin with the microsecond they were
/// enqueued, so that equals come out first in, first out. Mirrors `RedisPriorityQueue`.
struct PriorityQueue: RedisQueue {
    let key: String
    let stamps: Stamps

    private static let prefixLength = 8

    var supportsPriority: Bool { true }

    /// Microseconds since the epoch, each given once, so that messages of one write keep their order.
    final class Stamps: Sendable {
        private let now: @Sendable () -> Int
        private let last = Atomic(0)

        init(now: @escaping @Sendable () -> Int) { self.now = now }

        func next() -> Int {
            while true {
                let previous = last.load(ordering: .relaxed)
                let stamp = max(now(), previous + 1)
                if last.compareExchange(expected: previous, desired: stamp, ordering: .relaxed).exchanged {
                    return stamp
                }
            }
        }
    }

    private func member(_ data: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt64(stamps.next()).bigEndian) { Array($0) } + data
    }

    private func score(_ priority: Double?) -> RedisArgument {
        // Python negates an int, for which there is no -0.
        .init(priority.map { $0 == 0 ? 0 : -$0 } ?? 0)
    }

    func append(_ messages: [(data: [UInt8], priority: Double?)], to batch: inout RedisBatch) {
        guard !messages.isEmpty else { return }
        batch.command("ZADD", argumentCount: 1 + 2 * messages.count)
        batch.argument(key)
        for message in messages {
            batch.argument(score(message.priority))
            batch.argument(member(message.data))
        }
    }

    func pop(_ count: Int, wait: Double?) -> RedisBatch {
        var batch = RedisBatch()
        guard let wait else {
            batch.append("ZPOPMIN", .init(key), .init(count))
            return batch
        }
        batch.append("BZPOPMIN", .init(key), .init(wait))
        if count > 1 { batch.append("ZPOPMIN", .init(key), .init(count - 1)) }
        return batch
    }

    func deliveries(in replies: RedisReplies) -> [Delivery] {
        replies.flatMap { reply -> [Delivery] in
            guard let elements = reply.elements else { return [] }
            // BZPOPMIN answers key, member and score, ZPOPMIN members and scores in turn.
            let start = elements.count % 2
            return stride(from: start, to: elements.count - 1, by: 2).compactMap { index in
                guard let member = elements[index].bytes, let score = elements[index + 1].bytes,
                    member.count >= Self.prefixLength
                else { return nil }
                return Self.delivery(member[...], score: score[...])
            }
        }
    }

    /// With the stamps and scores they had.
    func giveBack(_ deliveries: [Delivery], to batch: inout RedisBatch) {
        batch.command("ZADD", argumentCount: 1 + 2 * deliveries.count)
        batch.argument(key)
        for delivery in deliveries {
            batch.argument(Array(delivery.token.dropFirst(Self.prefixLength)))
            batch.argument(Array(delivery.token.prefix(Self.prefixLength)) + delivery.data)
        }
    }

    var deliveryScripts: DeliveryScripts { .sortedSet }
    var blockingMove: String? { nil }

    func delivery(ofEntry entry: [UInt8]) -> Delivery {
        guard let blank = entry.firstIndex(of: UInt8(ascii: " ")) else { return Delivery(data: entry) }
        return Self.delivery(entry[(blank + 1)...], score: entry[..<blank])
    }

    func move(_ count: Int, to batch: String, _ commands: inout RedisBatch) {
        commands.append("ZRANGESTORE", .init(batch), .init(key), 0, .init(count - 1))
        commands.append("ZREMRANGEBYRANK", .init(key), 0, .init(count - 1))
        commands.append("ZRANGE", .init(batch), 0, -1, "WITHSCORES")
    }

    func deliveries(ofBatch reply: RedisReply) -> [Delivery] {
        guard let flat = reply.elements else { return [] }
        return stride(from: 0, to: flat.count - 1, by: 2).map { index in
            Self.delivery((flat[index].bytes ?? [])[...], score: (flat[index + 1].bytes ?? [])[...])
        }
    }

    private static func delivery(_ member: ArraySlice<UInt8>, score: ArraySlice<UInt8>) -> Delivery {
        Delivery(data: Array(member.dropFirst(prefixLength)), token: Array(member.prefix(prefixLength) + score))
    }

    func shorten(_ batch: String, to count: Int, _ commands: inout RedisBatch) {
        commands.append("ZREMRANGEBYRANK", .init(batch), 0, .init(-count - 1))
    }

    func size(_ batch: inout RedisBatch) { batch.append("ZCARD", .init(key)) }

    func items(_ limit: Int?, _ batch: inout RedisBatch) {
        batch.append("ZRANGE", .init(key), 0, .init(limit.map { $0 - 1 } ?? -1))
    }

    func items(in reply: RedisReply?) -> [[UInt8]] {
        reply?.elements?.compactMap { $0.bytes.map { Array($0.dropFirst(Self.prefixLength)) } } ?? []
    }

    /// ARGV: the moment, then old, score, new, old, score, new …; an empty new one is only removed.
    var promotion: RedisScript { Self.script }

    private static let script = RedisScript(
        promoting: 3,
        "if #ARGV[i + 2] > 0 then redis.call('ZADD', KEYS[2], ARGV[i + 1], ARGV[i + 2]) end"
    )

    func promotionArguments(_ moves: [ScheduleMove]) throws -> [RedisArgument] {
        moves.flatMap { move -> [RedisArgument] in
            guard let new = move.new else { return [.init(move.old), 0, ""] }
            return [.init(move.old), score(new.priority), .init(member(new.data))]
        }
    }
}
