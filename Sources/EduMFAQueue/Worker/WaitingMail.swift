package import Huey
import Pickle
package import Redis

/// The mail of an instance that waits for another attempt, for an administrator: to be listed, shown, sent now or dropped.
package struct WaitingMail: Sendable {
    /// One mail that waits.
    package struct Entry: Sendable {
        /// The task's id; a hash where the message cannot be decoded.
        package let id: String
        /// The task's name; nil where the message cannot be decoded.
        package let task: String?
        package let recipients: [String]
        package let subject: String?
        /// How often it has failed, when it was first seen, and why it failed last; nil for what no worker of this kind has put off.
        package let attempts: MailAttempts?
        /// When it is due, in seconds since the epoch.
        package let due: Double
        /// The message as it stands in the schedule.
        let data: [UInt8]

        /// How many bytes it takes.
        package var size: Int { data.count }
    }

    private let huey: Huey
    private let client: RedisClient
    private let keys: QueueKeys
    private static let page = 100

    package init(huey: Huey, client: RedisClient, keys: QueueKeys) {
        self.huey = huey
        self.client = client
        self.keys = keys
    }

    private var ledger: RedisMailLedger { RedisMailLedger(client: client, name: keys.name) }

    package func count() async throws -> Int { try await client.command("ZCARD", .init(keys.schedule)).integer ?? 0 }

    /// Those that are due first, first.
    package func entries(limit: Int) async throws -> [Entry] {
        var found: [Entry] = []
        while found.count < limit {
            let end = min(found.count + Self.page, limit) - 1
            let page = try await entries(from: found.count, to: end)
            found += page
            guard page.count == Self.page else { break }
        }
        return found
    }

    /// The mail of that id, or of the only id that begins so; an id may be given as it is printed, too.
    ///
    /// - Throws: ``QueueError`` when there is none, or more than one.
    package func entry(_ id: String) async throws -> Entry {
        var found: [Entry] = []
        var start = 0
        while case let page = try await entries(from: start, to: start + Self.page - 1), !page.isEmpty {
            found += page.filter { $0.id.hasPrefix(id) || SafeText.escaped($0.id).hasPrefix(id) }
            if let exact = found.first(where: { $0.id == id || SafeText.escaped($0.id) == id }) { return exact }
            start += Self.page
        }
        guard let first = found.first else { throw QueueError("there is no waiting mail \(id)") }
        guard found.count == 1 else { throw QueueError("there is more than one waiting mail that begins with \(id)") }
        return first
    }

    private func entries(from start: Int, to end: Int) async throws -> [Entry] {
        let reply = try await client.command(
            "ZRANGE",
            .init(keys.schedule),
            .init(start),
            .init(end),
            "WITHSCORES"
        )
        let elements = reply.elements.map { Array($0) } ?? []
        var messages: [(data: [UInt8], due: Double, message: Message?)] = []
        for index in stride(from: 0, to: elements.count - 1, by: 2) {
            guard let data = elements[index].bytes else { continue }
            let due = elements[index + 1].string.flatMap(Double.init) ?? 0
            messages.append((data, due, try? huey.deserialize(data)))
        }
        let attempts = try await ledger.attempts(of: messages.map { $0.message?.id ?? "" })
        return zip(messages, attempts).map { entry($0.data, $0.due, $0.message, $1) }
    }

    private func entry(_ data: [UInt8], _ due: Double, _ message: Message?, _ attempts: MailAttempts?) -> Entry {
        let views = try? message?.arguments.views()
        let summary = views.map { MailJob.summary(args: $0.args, kwargs: $0.kwargs) }
        return Entry(
            id: message?.id ?? DeadMail.hash(data),
            task: message?.name,
            recipients: summary?.recipients ?? [],
            subject: summary?.subject,
            attempts: message == nil ? nil : attempts,
            due: due,
            data: data
        )
    }

    /// Removes a mail for good; false when it no longer waits.
    package func drop(_ entry: Entry) async throws -> Bool {
        guard try await client.command("ZREM", .init(keys.schedule), .init(entry.data)).integer == 1 else {
            return false
        }
        try await ledger.forget(entry.id)
        return true
    }

    private static let move = RedisScript(
        """
        if redis.call('zrem', KEYS[1], ARGV[1]) == 1 then
            redis.call('rpush', KEYS[2], ARGV[2])
            return 1
        end
        return 0
        """
    )

    /// Makes a mail the next of the queue, in one step; false when it no longer waits. Its attempts are counted on.
    ///
    /// - Throws: ``QueueError`` for a message that cannot be decoded.
    package func sendNow(_ entry: Entry) async throws -> Bool {
        guard var message = try? huey.deserialize(entry.data) else {
            throw QueueError("\(entry.id) cannot be decoded: it can only be dropped")
        }
        // Due now; a mail that has failed before is known by having a time at all.
        message.eta = huey.now()
        let reply = try await client.eval(
            Self.move,
            keys: [.init(keys.schedule), .init(keys.queue)],
            arguments: [.init(entry.data), .init(try huey.serialize(message))]
        )
        return reply.integer == 1
    }
}
