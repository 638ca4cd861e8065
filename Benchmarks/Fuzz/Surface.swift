import Huey
import HueyRedis
import Pickle
import Redis

/// A way in for what others wrote.
enum Surface: String, CaseIterable {
    /// A message in the queue.
    case queue
    /// A message in the schedule whose time has come.
    case schedule
    /// A value where a revocation stands, and a task that looks at it.
    case revocation
    /// What a consumer held that died.
    case held
    /// A dead letter that is listed, shown and requeued.
    case letter
    /// A job of eduMFA's, and what is remembered of it.
    case mail
    /// A result that is waited for, a counter of a chord, a list of what waits.
    case value
    /// What a server answers.
    case reply

    /// How many of a hundred inputs come this way.
    var share: Int {
        switch self {
        case .queue: 42
        case .schedule, .revocation: 10
        case .held: 6
        case .letter, .value, .reply: 8
        case .mail: 8
        }
    }

    static func drawn(_ random: inout FuzzRandom) -> Surface {
        var number = random.below(100)
        for surface in allCases {
            number -= surface.share
            if number < 0 { return surface }
        }
        return .queue
    }
}

/// One input: which way it comes, and its bytes.
struct FuzzInput: Sendable {
    let surface: Surface
    let random: FuzzRandom
    let data: [UInt8]

    init(seed: UInt64, index: Int, only: Surface?) {
        var random = FuzzRandom(seed: seed, index: index)
        let drawn = Surface.drawn(&random)
        surface = only ?? drawn
        var data: [UInt8] =
            switch surface {
            case .queue, .schedule, .held: MessageMaker.message(random)
            case .mail: MailMaker.message(random, id: "mail")
            case .revocation, .value: MessageMaker.value(random)
            case .letter: random.oneIn(2) ? MessageMaker.value(random) : MessageMaker.message(random)
            case .reply: ReplyMaker.reply(&random)
            }
        if random.oneIn(5) { data = MessageMaker.mutated(data, &random) }
        self.data = data
        self.random = random
    }
}

extension FuzzRig {
    /// Brings one input in, and returns when all that it brought about is done.
    ///
    /// - Throws: ``Stuck``, or the error of a command that a healthy server refuses.
    func run(_ input: FuzzInput, _ server: HostileServer) async throws {
        var random = input.random
        let data = try compressed(input.data)
        switch input.surface {
        case .queue: try await enqueue(data, &random)
        case .schedule: try await schedule(data, &random)
        case .revocation: try await revoke(data, &random)
        case .held: try await leaveBehind(data, &random)
        case .letter: try await bury(data, &random)
        case .mail:
            let ledger = random.pick([
                "1 -9223372036854775808", "9223372036854775807 0", "-1 1", "", "x y", "1 9223372036854775807",
            ])
            try await client.command("SET", .init("huey.swift.mail.\(name).mail"), .init(ledger))
            try await enqueue(data, &random)
        case .value: try await leaveValue(data, &random)
        case .reply: return await server.ask(answering: input.data)
        }
        try await settle()
    }

    private func compressed(_ data: [UInt8]) throws -> [UInt8] { try compression?.compress(data) ?? data }

    private func enqueue(_ data: [UInt8], _ random: inout FuzzRandom) async throws {
        guard hasPriorities else {
            return _ = try await client.command("LPUSH", .init("huey.redis.\(name)"), .init(data))
        }
        let score = random.pick(["0", "-1", "1e308", "-inf", "5e-324", "12345678901234567890"])
        let stamp = random.oneIn(20) ? random.bytes(random.below(8)) : random.bytes(8)
        try await client.command("ZADD", .init("huey.redis.\(name)"), .init(score), .init(stamp + data))
    }

    private func schedule(_ data: [UInt8], _ random: inout FuzzRandom) async throws {
        let score = random.pick(["0", "-1", "1e9", "-inf", "1.5", "-9223372036854775809"])
        try await client.command("ZADD", .init("huey.schedule.\(name)"), .init(score), .init(data))
        _ = try await huey.storage.promoteSchedule(dueAt: huey.now(), limit: 500) { [huey] data in
            await huey.promoted(data, logger: huey.logger)
        }
    }

    private func revoke(_ data: [UInt8], _ random: inout FuzzRandom) async throws {
        let id = "revoked-\(random.below(10))"
        let key = random.oneIn(2) ? "r:\(id)" : "rt:fuzz.echo"
        let value = random.oneIn(2) ? try compressed(revocation(&random)) : data
        try await client.command("HSET", .init("huey.results.\(name)"), .init(key), .init(value))
        _ = try? await huey.isRevoked(id: id, task: "fuzz.echo")
        try await enqueue(try compressed(MessageMaker.message(random, id: id, name: "fuzz.echo")), &random)
        try await settle()
        try await client.command("HDEL", .init("huey.results.\(name)"), .init(key))
    }

    private func revocation(_ random: inout FuzzRandom) -> [UInt8] {
        var values = ValueMaker(random)
        values.out.mark()
        if random.oneIn(3) { values.value() } else { values.moment() }
        if random.oneIn(3) { values.value() } else { values.out.bool(false) }
        values.out.tuple()
        values.out.stop()
        return values.out.bytes
    }

    /// The records of a consumer of this machine that has ended.
    private func leaveBehind(_ data: [UInt8], _ random: inout FuzzRandom) async throws {
        let session = "dead\(random.below(1_000_000))"
        let heartbeat = random.pick(["", "x", "1", "1 - - - -", "9223372036854775808 a b 99999999999 c"])
        let gone = "1 \(FuzzRig.ended)"
        let held = RedisArgument("huey.swift.held.\(name).\(session)")
        let beats = RedisArgument("huey.swift.beats.\(name)")
        let number = random.pick(["1", "2", "c", "!1", "-1", "1e300", "9223372036854775807", "x", ""])
        try await client.command(
            "HSET",
            held,
            .init(number),
            .init(data),
            "c",
            .init(random.pick(["1", "x", "-1"]))
        )
        if random.oneIn(3) {
            try await client.command("RPUSH", .init("huey.swift.next.\(name).\(session)"), .init(data))
        }
        let batch = RedisArgument("huey.swift.batch.\(name).\(session).0")
        let done = RedisArgument("huey.swift.done.\(name).\(session).0")
        if random.oneIn(3) {
            try await client.command("RPUSH", batch, .init(data), "x", .init(data))
            try await client.command("HSET", held, "b0", .init(random.pick(["1", "x", "nan", "1e400", "-5"])))
            try await client.command("SADD", done, .init(random.pick(["-2", "-9", "x", "1e9"])))
        }
        try await client.command("HSET", beats, .init(session), .init(random.oneIn(5) ? heartbeat : gone))
        let other = storage.bound(to: name)
        if let acknowledging = other as? any AcknowledgingStorage,
            let channel = try? await acknowledging.acknowledgingChannel(DeliveryOptions())
        {
            try? await channel.open()
            await channel.close()
        }
        try await client.command("HDEL", beats, .init(session))
        try await client.command("DEL", held, batch, done)
    }

    private func bury(_ data: [UInt8], _ random: inout FuzzRandom) async throws {
        let key = RedisArgument("huey.swift.dead.\(name)")
        if random.oneIn(2) {
            try await client.command("LPUSH", key, .init(data))
        } else {
            let time = random.pick([0, -1, Int.max, Int.min, 1_700_000_000_000_000])
            try await storage.bury(
                DeadLetter(data: data, reason: .failed, detail: random.pick(ValueMaker.texts), time: time)
            )
        }
        _ = try? await storage.deadLetterEntries(limit: 10)
        for entry in try await storage.deadLetterEntries(limit: 10) {
            _ = try? huey.deserialize(entry.letter.data).summary
            if random.oneIn(2) { _ = try? await storage.requeueDeadLetter(entry) }
        }
        _ = try await storage.dropOldDeadLetters()
        try await client.command("DEL", key)
    }

    private func leaveValue(_ data: [UInt8], _ random: inout FuzzRandom) async throws {
        let results = RedisArgument("huey.results.\(name)")
        try await client.command("HSET", results, "value", .init(data))
        let result = huey.result(id: "value")
        _ = try? await result.value(timeout: .milliseconds(1))
        if let view = try? await huey.get("value", peek: true) { _ = view.repr(limit: 10_000) }
        let counter = random.pick(["9223372036854775807", "-1", "x", "1e5", "-9223372036854775808"])
        try await client.command("HSET", .init("huey.counters.\(name)"), "chord-1", .init(counter))
        try await enqueue(try compressed(MessageMaker.message(random)), &random)
        _ = try? await huey.pending(limit: 5).map(\.summary)
        _ = try? await huey.scheduled(limit: 5).map(\.summary)
    }
}
