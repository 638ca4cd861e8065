import Huey
import Logging
import Redis
import Synchronization

/// The sessions of a consumer: how they begin, how they are kept up, and how others' end.
extension AcknowledgingChannel {
    func open() async throws {
        try await begin(session)
        for (session, heartbeat) in try await heartbeats() where Session.process(of: heartbeat)?.hasEnded == true {
            await tryToRecover(session, heartbeat)
        }
        try await sweep()
    }

    /// Takes over from a consumer that died; where the server refuses that, everything stays for the next attempt.
    ///
    /// - Returns: whether nothing was refused.
    @discardableResult
    func tryToRecover(_ session: String, _ heartbeat: String) async -> Bool {
        do {
            try await recover(session, heartbeat)
            return true
        } catch {
            let isNew = state.withLock { $0.unrecovered.insert(session).inserted }
            if isNew {
                let metadata: Logger.Metadata = ["reason": "\(error)", "consumer": "\(session)"]
                logger.error("What a dead consumer held cannot be taken over yet; trying again", metadata: metadata)
            }
            return false
        }
    }

    /// Makes a session known. What it takes is its own from here on.
    ///
    /// - Parameter isKnown: whether it had begun before, and the server may have lost it.
    /// - Returns: whether it goes on; false where others took over what it held.
    @discardableResult
    private func begin(_ session: Session, isKnown: Bool = false) async throws -> Bool {
        var batch = RedisBatch()
        for script in [scripts.take, DeliveryScripts.commit] { batch.append("SCRIPT", "LOAD", .init(script.source)) }
        // Only so that the first calls need not bring the text; who may not load scripts brings it.
        _ = try await storage.client.execute(batch)
        let answer = try await storage.client.eval(
            DeliveryScripts.begin,
            keys: [
                keys.heartbeats, keys.gone, keys.kind, keys.queue, keys.alive(session.name), keys.over(session.name),
                keys.batches,
            ].map { .init($0) },
            arguments: [
                .init(session.name), .init(session.heartbeat(0)), .init(storage.options.kind.rawValue),
                storage.options.kind.hasPriorities ? "zset" : "list", isKnown ? 1 : 0,
            ]
        )
        if let other = answer.string {
            throw HueyError(
                .invalidConfiguration,
                "the queue \(storage.keys.name) belongs to consumers of another kind of storage (\(other)), not \(storage.options.kind.rawValue)"
            )
        }
        guard answer.integer == 1 else { return false }
        storage.sessionOfConsumer.withLock { $0 = session.name }
        return true
    }

    /// Sees what has become of `session` when the server does not know it any more.
    ///
    /// - Returns: whether it goes on, because it was the server that lost everything. Else others have taken over what it held, and another session has begun.
    func renew(after session: Session) async throws -> Bool {
        try await renewal.withLock {
            let (current, isClosed) = state.withLock { ($0.session, $0.isClosed) }
            guard current == session else {
                // What a blocking move has brought since belongs to nobody.
                _ = try await end(session.name, heartbeat: "", isDeath: false)
                return false
            }
            guard !isClosed else { return false }
            if try await begin(session, isKnown: true) {
                let isNews = state.withLock { state in
                    defer { state.firstHeld = state.next }
                    state.hasDeaths = false
                    return state.firstHeld < state.next
                }
                if isNews { logger.error("Redis has lost what this consumer held; what its tasks come to is stored") }
                return true
            }
            logger.error(
                "This consumer was taken for dead; others run what it held, and nothing of that is stored from here"
            )
            _ = try await end(session.name, heartbeat: "", isDeath: false, mayComeLate: true)
            let successor = Session(index: session.index + 1)
            try await begin(successor)
            state.withLock { $0.begin(successor) }
            return false
        }
    }

    func close() async {
        // A move whose answer was lost may be waiting on the server still.
        let (session, isUncertain) = state.withLock { state in
            state.isClosed = true
            return (state.session, state.isUncertain)
        }
        await closeConnections()
        do {
            _ = try await end(session.name, heartbeat: "", isDeath: false, mayComeLate: isUncertain)
        } catch {
            logger.error(
                "What is held could not be returned; others will take it over",
                metadata: ["reason": "\(error)"]
            )
        }
        storage.sessionOfConsumer.withLock { $0 = nil }
    }

    func recover(_ session: String, _ heartbeat: String) async throws {
        guard let count = try await end(session, heartbeat: heartbeat, isDeath: true, mayComeLate: true) else { return }
        state.withLock { _ = $0.unrecovered.remove(session) }
        logger.warning(
            "Took over from a consumer that died",
            metadata: ["messages": "\(count)", "consumer": "\(session)"]
        )
    }

    /// Ends a session; what it held goes back to the head of the queue. Returns how many messages, nil when the session goes on.
    ///
    /// - Parameter mayComeLate: whether the server may still carry out a blocking move for that session: others look after it then.
    private func end(_ session: String, heartbeat: String, isDeath: Bool, mayComeLate: Bool = false) async throws
        -> Int?
    {
        let isWatched = mayComeLate && storage.queue.blockingMove != nil
        let batches = (0..<HeldBatches.slots).flatMap { slot -> [RedisArgument] in
            [.init(keys.batch(session, slot)), .init(keys.done(session, slot))]
        }
        let reply = try await storage.client.eval(
            scripts.end,
            keys: [
                keys.queue, keys.held(session), keys.heartbeats, keys.deaths, keys.next(session), keys.locks(session),
                keys.results, keys.gone, keys.kind, keys.alive(session), keys.over(session), keys.batches,
            ]
            .map { .init($0) } + batches,
            arguments: [
                .init(session), .init(heartbeat), isDeath ? 1 : 0, storage.options.kind.expires ? "keys" : "hash",
                isWatched ? 1 : 0,
            ]
        )
        return reply.integer.flatMap { $0 < 0 ? nil : $0 }
    }

    /// Looks after sessions without a heartbeat: they may hold messages still, where the server refused to take those back or lost the heartbeat,
    /// where an earlier release that knows no batches took over, and a blocking move that was late may have brought them one. After an
    /// hour with nothing there, none comes.
    func sweep() async throws {
        let replies = try await storage.client.run { batch in
            batch.append("TIME")
            batch.append("ZRANGE", .init(keys.gone), 0, -1, "WITHSCORES")
            batch.append("SMEMBERS", .init(keys.batches))
            batch.append("HKEYS", .init(keys.heartbeats))
            batch.append("EXPIRE", .init(keys.gone), 2_592_000)
        }
        let alive = Set(replies[3].elements?.compactMap(\.string) ?? [])
        let holding = Set(replies[2].elements?.compactMap(\.string) ?? []).subtracting(alive)
        let gone = Self.pairs(replies[1]).filter { !alive.contains($0.key) }
        let sessions = holding.union(gone.keys).sorted()
        guard !sessions.isEmpty, let now = replies[0].elements?.first?.string.flatMap(Int.init) else { return }
        let lengths = try await storage.client.run { batch in
            for session in sessions { batch.append("EXISTS", .init(keys.next(session)), .init(keys.held(session))) }
        }
        for (session, length) in zip(sessions, lengths) {
            if length.integer != 0 || holding.contains(session) {
                let count = try await end(session, heartbeat: "", isDeath: true, mayComeLate: true) ?? 0
                if count > 0 {
                    logger.warning("Took over messages of a consumer that is gone", metadata: ["messages": "\(count)"])
                }
            } else if let since = gone[session].flatMap(Double.init), since < Double(now - 3600) {
                try await storage.client.command("ZREM", .init(keys.gone), .init(session))
            }
        }
    }

    /// Every consumer's heartbeat by session.
    private func heartbeats() async throws -> [String: String] {
        Self.pairs(try await storage.client.command("HGETALL", .init(keys.heartbeats)))
    }

    private static func pairs(_ reply: RedisReply) -> [String: String] {
        guard let flat = reply.elements else { return [:] }
        var pairs: [String: String] = [:]
        for index in stride(from: 0, to: flat.count - 1, by: 2) {
            pairs[flat[index].string ?? ""] = flat[index + 1].string ?? ""
        }
        return pairs
    }

    /// Sends a heartbeat; returns everybody's.
    func sendHeartbeat(_ count: Int) async throws -> [String: String] {
        let session = session
        let reply = try await storage.client.eval(
            DeliveryScripts.heartbeat,
            keys: [.init(keys.heartbeats), .init(keys.alive(session.name))],
            arguments: [.init(session.name), .init(session.heartbeat(count))]
        )
        guard reply.elements != nil else {
            _ = try await renew(after: session)
            return [:]
        }
        state.withLock { $0.lastHeartbeat = .now }
        return Self.pairs(reply).filter { $0.key != session.name }
    }

    /// Heartbeats, and recovery of what others held, on the client's own thread: handlers that block theirs do not stop it.
    func run() async {
        await withTaskExecutorPreference(storage.client.executor) { await Upkeep(channel: self).run() }
    }
}
