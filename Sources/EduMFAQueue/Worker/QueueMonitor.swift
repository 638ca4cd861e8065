package import Huey
package import Logging
package import Redis

/// Looks at the queue from time to time: notes since when messages wait, warns, and removes dead letters that are too old.
package struct QueueMonitor: Sendable {
    package struct Options: Sendable, Hashable {
        /// The longest time from one look to the next.
        package var interval: Duration = .seconds(30)
        /// How many mails may wait without a warning.
        package var warnLength = 100
        /// How long a mail may wait without a warning.
        package var warnAge: Duration = .seconds(300)
        /// How long dead letters are kept; nil for ever.
        package var letterLifetime: Duration? = .seconds(30 * 86_400)
        /// How many bytes of Redis dead letters may take; nil for any number.
        package var letterSpace: Int? = 256 << 20
        /// Whether mail may get too old to be sent, so that its age is taken every five seconds at least.
        package var limitsAge = false

        package init() {}

        /// The time from one look to the next: a quarter of ``warnAge``, within bounds.
        var pause: Duration {
            let longest = limitsAge ? min(interval, .seconds(5)) : interval
            return min(longest, max(warnAge / 4, .seconds(1)))
        }
    }

    private let huey: Huey
    private let client: RedisClient
    private let keys: QueueKeys
    private let watch: MailWatch
    private let options: Options
    private let logger: Logger

    package init(
        huey: Huey,
        client: RedisClient,
        keys: QueueKeys,
        watch: MailWatch,
        options: Options,
        logger: Logger
    ) {
        self.huey = huey
        self.client = client
        self.keys = keys
        self.watch = watch
        self.options = options
        self.logger = logger
    }

    /// The first look, before anything is taken out of the queue: whatever stands in it is at least as old as the last push.
    package func begin() async {
        do {
            // First of all commands: any other would end the idleness.
            let idle = try? await client.command("OBJECT", "IDLETIME", .init(keys.queue)).integer
            try await noteAges(idle: idle ?? 0)
            // What workers of before have put off.
            for entry in try await waiting.entries(limit: Self.readLimit) {
                if let attempts = entry.attempts { watch.waits(entry.id, since: attempts.firstSeen) }
            }
        } catch {
            logger.debug("The queue could not be looked at: \(error)")
        }
    }

    /// Looks again and again until cancelled.
    package func run(clock: some Clock<Duration> = ContinuousClock()) async {
        var alarm = QueueAlarm(length: options.warnLength, age: options.warnAge)
        let others = OtherGenerations(client: client, name: huey.name, queue: keys.queue)
        // What stands there at the start is told already.
        var othersLimit = max(1, ((try? await others.find())?.count ?? 0).doubled)
        while !Task.isCancelled {
            do {
                try await removeOldLetters()
                try await removeLettersOverSpace()
                try await clock.sleep(for: options.pause)
                try await noteAges(idle: 0)
                for warning in alarm.warnings(try await look()) { logger.warning("\(warning)") }
                let other = try await others.find()
                if let other, other.count >= othersLimit { logger.warning("\(other.warning)") }
                othersLimit = other.map { max(othersLimit, $0.count >= othersLimit ? $0.count.doubled : 1) } ?? 1
            } catch is CancellationError {
                return
            } catch {
                logger.debug("The queue could not be looked at: \(error)")
                try? await clock.sleep(for: options.pause)
            }
        }
    }

    private var waiting: WaitingMail { WaitingMail(huey: huey, client: client, keys: keys) }

    private func look() async throws -> QueueAlarm.Look {
        let pending = try await client.command("LLEN", .init(keys.queue)).integer ?? 0
        let retried = try await waiting.count()
        let moments = [try await oldestQueued(), try await oldestRetry()].compactMap(\.self)
        let age = moments.min().map { Duration.microseconds(max(0, huey.time.microseconds() - $0)) }
        return QueueAlarm.Look(pending: pending, retried: retried, oldest: age)
    }

    /// Since when the next mail of the queue waits; nil for an empty queue.
    private func oldestQueued() async throws -> Int? {
        guard let next = try await ids(from: -1, to: -1).first else { return nil }
        let now = huey.time.microseconds()
        let known = watch.since(next)
        // Whatever was seen before the next one is no longer there.
        if let known { watch.forget(before: known) } else { watch.found([next], since: now) }
        let mark = OldestMail(id: next, since: known ?? now)
        // For others only: nothing here depends on it.
        _ = try? await client.command("SET", .init(keys.oldest), .init(mark.text), "EX", .init(OldestMail.lifetime))
        return mark.since
    }

    /// Since when the oldest mail waits that has failed before; nil for none.
    private func oldestRetry() async throws -> Int? {
        let ledger = RedisMailLedger(client: client, name: keys.name)
        while let oldest = watch.oldestRetry {
            if try await ledger.attempts(of: oldest.id) != nil { return oldest.since }
            // Another worker has sent it, or an administrator has dropped it.
            watch.done(oldest.id)
        }
        return nil
    }

    /// The ids of messages in the queue; index 0 is the newest.
    private func ids(from start: Int, to end: Int) async throws -> [String] {
        let reply = try await client.command("LRANGE", .init(keys.queue), .init(start), .init(end))
        return reply.elements?.compactMap(\.bytes).compactMap { try? huey.deserialize($0).id } ?? []
    }

    /// Reads what is new in the queue, newest first, until something known comes.
    private func noteAges(idle: Int) async throws {
        // A century, should the server say nonsense.
        let since = huey.time.microseconds() - min(max(idle, 0), 3_155_760_000) * 1_000_000
        var start = 0
        while start < Self.readLimit {
            let ids = try await ids(from: start, to: start + Self.page - 1)
            let fresh = ids.prefix { !watch.isKnown($0) }
            watch.found(Array(fresh), since: since)
            if start == 0, ids.isEmpty { watch.queueIsEmpty() }
            guard fresh.count == Self.page else { return }
            start += Self.page
        }
    }

    private static let page = 50
    private static let readLimit = 10_000

    /// Takes expired letters off the old end of the list.
    private func removeOldLetters() async throws {
        guard let lifetime = options.letterLifetime else { return }
        let limit = huey.time.microseconds() - Int(lifetime.components.seconds) * 1_000_000
        let letters = DeadMail(huey: huey, client: client, keys: keys)
        var removed = 0
        while let oldest = try await letters.oldest(), oldest.letter.time < limit {
            guard try await letters.drop(oldest) else { break }
            removed += 1
        }
        if removed > 0 { logger.info("Removed \(removed) dead letters that were older than \(lifetime.rounded)") }
    }

    /// Takes the oldest letters away until the others fit: bodies may be large, and Redis has other work.
    private func removeLettersOverSpace() async throws {
        guard let limit = options.letterSpace else { return }
        // Where the server does not tell, the number of letters is the only limit.
        let reply = try? await client.command("MEMORY", "USAGE", .init(keys.dead), "SAMPLES", "0")
        guard let taken = reply?.integer, taken > limit else { return }
        let letters = DeadMail(huey: huey, client: client, keys: keys)
        var (excess, removed) = (taken - limit, 0)
        while excess > 0, let oldest = try await letters.oldest(), try await letters.drop(oldest) {
            excess -= oldest.size
            removed += 1
        }
        if removed > 0 { logger.warning("Removed the \(removed) oldest dead letters, which took too much space") }
    }
}
