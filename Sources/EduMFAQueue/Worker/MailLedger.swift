package import Redis
internal import SMTP
import Synchronization

/// What is remembered of a mail that waits for another attempt.
package struct MailAttempts: Sendable, Hashable {
    /// How many have failed.
    package let count: Int
    /// When the mail was first seen, in microseconds since the epoch.
    package let firstSeen: Int
    /// Why the last attempt failed; nil where that is not known.
    package let reason: String?

    /// Anybody may write to the keys of Redis: numbers that no worker would write become the nearest that one could.
    package init(count: Int, firstSeen: Int, reason: String? = nil) {
        self.count = min(max(count, 0), 1_000_000)
        self.firstSeen = min(max(firstSeen, 0), Self.lastMoment)
        self.reason = reason.map { String($0.prefix(Self.reasonLimit)) }
    }

    private static let reasonLimit = 1000

    /// The end of the year 9999, with which Python's time ends.
    private static let lastMoment = 253_402_300_799_999_999
}

/// Remembers failed attempts by the task's id. The message itself stays as it was enqueued, so that Python could run it too; a ledger that
/// is lost only means that the waits begin anew.
package protocol MailLedger: Sendable {
    func attempts(of id: String) async throws -> MailAttempts?
    /// Remembers, for so many seconds at least.
    func remember(_ attempts: MailAttempts, of id: String, seconds: Int) async throws
    func forget(_ id: String) async throws
}

/// A ledger in keys `huey.swift.mail.<name>.<id>`, which expire.
package struct RedisMailLedger: MailLedger {
    private let client: RedisClient
    private let prefix: String

    /// - Parameter name: the instance's name as its keys have it.
    package init(client: RedisClient, name: String) {
        self.client = client
        prefix = "huey.swift.mail.\(name)."
    }

    package func attempts(of id: String) async throws -> MailAttempts? {
        Self.attempts(try await client.command("GET", .init(prefix + id)).string)
    }

    /// Those of several mails, in their order.
    func attempts(of ids: [String]) async throws -> [MailAttempts?] {
        guard !ids.isEmpty else { return [] }
        var batch = RedisBatch()
        for id in ids { batch.append("GET", .init(prefix + id)) }
        return try await client.execute(batch).map { Self.attempts(try? $0.get().string) }
    }

    /// `count firstSeen`, and the reason as one word in base64: workers of before took numbers only, and no other words.
    private static func attempts(_ text: String?) -> MailAttempts? {
        let words = text?.split(separator: " ") ?? []
        let numbers = words.compactMap { Int($0) }
        guard numbers.count == 2 else { return nil }
        let reason = words.first { $0.hasPrefix(Self.reasonMark) }.map { word in
            String(decoding: Base64.decode(String(word.dropFirst(Self.reasonMark.count))), as: UTF8.self)
        }
        return MailAttempts(count: numbers[0], firstSeen: numbers[1], reason: reason)
    }

    private static let reasonMark = "reason:"

    package func remember(_ attempts: MailAttempts, of id: String, seconds: Int) async throws {
        let reason = attempts.reason.map {
            " \(Self.reasonMark)" + String(decoding: Base64.encode(Array($0.utf8)), as: UTF8.self)
        }
        let text = "\(attempts.count) \(attempts.firstSeen)\(reason ?? "")"
        try await client.command("SET", .init(prefix + id), .init(text), "EX", .init(max(1, seconds)))
    }

    package func forget(_ id: String) async throws { try await client.command("DEL", .init(prefix + id)) }
}

/// A ledger for one process: for instances that are not on Redis.
package final class MemoryMailLedger: MailLedger {
    private let entries = Mutex<[String: MailAttempts]>([:])

    package init() {}

    package func attempts(of id: String) -> MailAttempts? { entries.withLock { $0[id] } }

    package func remember(_ attempts: MailAttempts, of id: String, seconds: Int) {
        entries.withLock { $0[id] = attempts }
    }

    package func forget(_ id: String) { entries.withLock { $0[id] = nil } }
}
