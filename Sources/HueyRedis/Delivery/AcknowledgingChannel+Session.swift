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
    private func begin(_ session: Session) async throws {
        var batch = RedisBatch()
        for script in [scripts.take, DeliveryScripts.commit] { batch.append("SCRIPT", "LOAD", .init(script.source)) }
        // Only so that the first calls need not bring the text; who may not load scripts brings it.
        _ = try await storage.client.execute(batch)
        let answer = try await storage.client.eval(
            DeliveryScripts.begin,
            keys: [keys.heartbeats, keys.gone, keys.kind, keys.queue].map { .init($0) },
            arguments: [
                .init(session.name), .init(session.heartbeat(0)), .init(storage.options.kind.rawValue),
                storage.options.kind.hasPriorities ? "zset" : "list",
            ]
        )
        if let other = answer.string {
            throw HueyError(
                .invalidConfiguration,
                "the queue \(storage.keys.name) belongs to consumers of another kind of storage (\(other)), not \(storage.options.kind.rawValue)"
            )
        }
        storage.sessionOfConsumer.withLock { $0 = session.name }
    }

    /// Goes on after `session` was given up; whoever notices first sees to it.
    func renew(after session: Session) async throws {
        let isOurs = state.withLock { state -> Bool? in
            guard state.session == session else { return false }
            if state.isRenewing || state.isClosed { return nil }
            state.isRenewing = true
            return true
        }
        guard let isOurs else { return }
        // What a blocking move has brought since belongs to nobody.
        guard isOurs else { return _ = try await end(session.name, heartbeat: "", isDeath: false) }
        defer { state.withLock { $0.isRenewing = false } }
        logger.error(
            "This consumer was taken for dead; others run what it held, and nothing of that is stored from here"
        )
        _ = try await end(session.name, heartbeat: "", isDeath: false, mayComeLate: true)
        let successor = Session(index: session.index + 1)
        try await begin(successor)
        state.withLock { state in
            state.session = successor
            state.next = 1
            state.isUncertain = false
            state.lastHeartbeat = .now
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
        let reply = try await storage.client.eval(
            scripts.end,
            keys: [
                keys.queue, keys.held(session), keys.heartbeats, keys.deaths, keys.next(session), keys.locks(session),
                keys.results,
                keys.gone, keys.kind,
            ]
            .map { .init($0) },
            arguments: [
                .init(session), .init(heartbeat), isDeath ? 1 : 0, storage.options.kind.expires ? "keys" : "hash",
                isWatched ? 1 : 0,
            ]
        )
        return reply.integer.flatMap { $0 < 0 ? nil : $0 }
    }

    /// Looks after sessions without a heartbeat: they may hold messages still, where the server refused to take those back or lost the heartbeat,
    /// and a blocking move that was late may have brought them one. After an hour with nothing there, none comes.
    func sweep() async throws {
        let replies = try await storage.client.run { batch in
            batch.append("TIME")
            batch.append("ZRANGE", .init(keys.gone), 0, -1, "WITHSCORES")
            batch.append("HKEYS", .init(keys.heartbeats))
            batch.append("EXPIRE", .init(keys.gone), 2_592_000)
        }
        let alive = Set(replies[2].elements?.compactMap(\.string) ?? [])
        let gone = Self.pairs(replies[1]).filter { !alive.contains($0.key) }
        guard !gone.isEmpty, let now = replies[0].elements?.first?.string.flatMap(Int.init) else { return }
        let sessions = gone.keys.sorted()
        let lengths = try await storage.client.run { batch in
            for session in sessions { batch.append("EXISTS", .init(keys.next(session)), .init(keys.held(session))) }
        }
        for (session, length) in zip(sessions, lengths) {
            if length.integer != 0 {
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
            keys: [.init(keys.heartbeats)],
            arguments: [.init(session.name), .init(session.heartbeat(count))]
        )
        guard reply.elements != nil else {
            try await renew(after: session)
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
