import Huey
import Redis

/// What monitoring asks: each answer takes a few commands whose cost does not depend on how much there is.
extension RedisStorage {
    /// How long the oldest waiting message has waited; zero when none waits, nil where messages carry no time: in a list.
    package func oldestMessageAge() async throws -> Duration? {
        guard options.kind.hasPriorities else { return try await queueSize() == 0 ? .zero : nil }
        var oldest: UInt64?
        var after = "-inf"
        // In a sorted set those of one priority lie in the order of their time: the first of each is looked at.
        for _ in 0..<Self.mostPriorities {
            let reply = try await client.command(
                "ZRANGEBYSCORE",
                .init(keys.queue),
                .init(after),
                "+inf",
                "WITHSCORES",
                "LIMIT",
                0,
                1
            )
            guard let elements = reply.elements, elements.count == 2, let member = elements[0].bytes,
                let score = elements[1].string
            else { break }
            let time = member.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            oldest = min(oldest ?? time, time)
            after = "(\(score)"
        }
        guard let oldest else { return .zero }
        let age = TimeSource.system.microseconds().subtractingReportingOverflow(Int(clamping: oldest))
        return .microseconds(age.overflow ? 0 : max(0, age.partialValue))
    }

    private static let mostPriorities = 50

    /// How many consumers that deliver at least once are alive: those whose heartbeat changes. Looks until there are so many, at most for
    /// `limit`. Others leave no trace that could be counted.
    package func liveConsumers(enough: Int, limit: Duration = .seconds(3)) async throws -> Int {
        let end = ContinuousClock.now.advanced(by: limit)
        let first = try await heartbeatsNow()
        var alive: Set<String> = []
        while alive.count < enough, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(200))
            for (session, heartbeat) in try await heartbeatsNow() where first[session] != heartbeat {
                alive.insert(session)
            }
        }
        return alive.count
    }

    private func heartbeatsNow() async throws -> [String: String] {
        let flat = try await client.command("HGETALL", .init(keys.heartbeats)).elements.map { Array($0) } ?? []
        var heartbeats: [String: String] = [:]
        for index in stride(from: 0, to: flat.count - 1, by: 2) {
            heartbeats[flat[index].string ?? ""] = flat[index + 1].string
        }
        return heartbeats
    }
}
