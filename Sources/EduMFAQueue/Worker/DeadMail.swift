package import Huey
import Pickle
package import Redis

/// The letters of an instance that could not be delivered, for an administrator: to be listed, shown, sent again or dropped.
package struct DeadMail: Sendable {
    /// One dead letter.
    package struct Entry: Sendable {
        package let letter: DeadLetter
        /// The task's id; the beginning of a hash where the message cannot be decoded.
        package let id: String
        /// The task's name; nil where the message cannot be decoded.
        package let task: String?
        package let recipients: [String]
        package let subject: String?
        /// The letter as it stands in the list.
        let data: [UInt8]

        /// How many bytes it takes.
        var size: Int { data.count }
    }

    private let huey: Huey
    private let client: RedisClient
    private let keys: QueueKeys

    package init(huey: Huey, client: RedisClient, keys: QueueKeys) {
        self.huey = huey
        self.client = client
        self.keys = keys
    }

    package func count() async throws -> Int { try await client.command("LLEN", .init(keys.dead)).integer ?? 0 }

    /// The letters, newest first.
    package func entries(limit: Int) async throws -> [Entry] { try await entries(from: 0, to: max(1, limit) - 1) }

    package func oldest() async throws -> Entry? { try await entries(from: -1, to: -1).first }

    /// The letter of that id, or of the only id that begins so; an id may be given as it is printed, too.
    ///
    /// - Throws: ``QueueError`` when there is none, or more than one.
    package func entry(_ id: String) async throws -> Entry {
        var found: [Entry] = []
        var start = 0
        while case let page = try await entries(from: start, to: start + 99), !page.isEmpty {
            found += page.filter { $0.id.hasPrefix(id) || SafeText.escaped($0.id).hasPrefix(id) }
            if let exact = found.first(where: { $0.id == id || SafeText.escaped($0.id) == id }) { return exact }
            start += 100
        }
        guard let first = found.first else { throw QueueError("there is no dead letter \(id)") }
        guard found.count == 1 else { throw QueueError("there is more than one dead letter that begins with \(id)") }
        return first
    }

    private func entries(from start: Int, to end: Int) async throws -> [Entry] {
        let reply = try await client.command("LRANGE", .init(keys.dead), .init(start), .init(end))
        return reply.elements?.compactMap(\.bytes).compactMap(entry(of:)) ?? []
    }

    private func entry(of data: [UInt8]) -> Entry? {
        guard let root = try? PickleDocument(data).root, let letter = try? DeadLetter(pickle: root) else { return nil }
        guard let message = try? huey.deserialize(letter.data) else {
            return Entry(
                letter: letter,
                id: Self.hash(letter.data),
                task: nil,
                recipients: [],
                subject: nil,
                data: data
            )
        }
        let views = try? message.arguments.views()
        let summary = views.map { MailJob.summary(args: $0.args, kwargs: $0.kwargs) }
        return Entry(
            letter: letter,
            id: message.id,
            task: message.name,
            recipients: summary?.recipients ?? [],
            subject: summary?.subject,
            data: data
        )
    }

    /// FNV-1a: a name for what has no id.
    static func hash(_ data: [UInt8]) -> String {
        let value = data.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Removes a letter for good; false when somebody else was first.
    @discardableResult
    package func drop(_ entry: Entry) async throws -> Bool {
        try await client.command("LREM", .init(keys.dead), 1, .init(entry.data)).integer == 1
    }

    private static let requeue = RedisScript(
        """
        if redis.call('lrem', KEYS[1], 1, ARGV[1]) == 1 then
            redis.call('lpush', KEYS[2], ARGV[2])
            return 1
        end
        return 0
        """
    )

    /// Puts a letter's message back into the queue, in one step; false when somebody else was first.
    package func sendAgain(_ entry: Entry) async throws -> Bool {
        let reply = try await client.eval(
            Self.requeue,
            keys: [.init(keys.dead), .init(keys.queue)],
            arguments: [.init(entry.data), .init(entry.letter.data)]
        )
        return reply.integer == 1
    }
}
