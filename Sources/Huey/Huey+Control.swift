import Logging
public import Pickle

/// A revocation as it is stored: the tuple `(revoke_until, revoke_once)`.
struct Revocation: PickleCodable, Sendable {
    var until: PickleDateTime?
    var once: Bool

    init(until: PickleDateTime?, once: Bool) {
        self.until = until
        self.once = once
    }

    init(pickle view: PickleView) throws {
        guard view.kind == .tuple, view.elements?.count == 2, let until = view[0], let once = view[1] else {
            throw HueyError.malformedMessage("a revocation that is no pair")
        }
        self.until = try PickleDateTime?(pickle: until)
        // Python's callers may pass what is true or false to them.
        guard let isOnce = once.bool ?? once.int.map({ $0 != 0 }) ?? (once.isNone ? false : nil) else {
            throw HueyError.malformedMessage("a revocation that does not say whether it counts once")
        }
        self.once = isOnce
    }

    func encode(to writer: inout PickleWriter) throws {
        try writer.writeTuple(count: 2) { writer in
            try writer.write(until)
            writer.write(once)
        }
    }

    /// Whether the task is revoked, and whether the revocation is used up by that. Mirrors `_check_revoked`.
    func verdict(at now: PickleDateTime) -> (isRevoked: Bool, isSpent: Bool) {
        if once { return (true, true) }
        if let until, until.isNotAfter(now) { return (false, true) }
        return (true, false)
    }
}

extension Huey {
    /// The key under which the revocation of all tasks of a name is kept. Mirrors `_task_key(…, 'rt')`.
    package static func revocationKey(task name: String) -> String { "rt:" + name }

    /// Keeps a task from running: until a moment, once, or until it is restored. Mirrors `revoke_by_id`.
    ///
    /// - Throws: ``HueyError`` `.dateOutOfRange`, or the storage's error.
    public func revoke(id: String, until: PickleDateTime? = nil, once: Bool = false) async throws {
        try await putRevocation("r:" + id, until: until, once: once)
    }

    /// Takes a task's revocation back; whether there was one. Mirrors `restore_by_id`.
    @discardableResult
    public func restore(id: String) async throws -> Bool {
        try await delete("r:" + id)
    }

    /// Keeps all tasks of a name from running. Mirrors `revoke_all`.
    ///
    /// - Throws: ``HueyError`` `.dateOutOfRange`, or the storage's error.
    public func revokeAll(_ name: String, until: PickleDateTime? = nil, once: Bool = false) async throws {
        try await putRevocation(Self.revocationKey(task: name), until: until, once: once)
    }

    /// Takes the revocation of all tasks of a name back; whether there was one. Mirrors `restore_all`.
    @discardableResult
    public func restoreAll(_ name: String) async throws -> Bool {
        try await delete(Self.revocationKey(task: name))
    }

    /// Whether a task is revoked by its id, or by its name when that is given too. Mirrors `is_revoked`.
    public func isRevoked(id: String, task name: String? = nil) async throws -> Bool {
        try await isRevoked(keys: ["r:" + id] + (name.map { [Self.revocationKey(task: $0)] } ?? []))
    }

    /// Whether all tasks of a name are revoked. Mirrors `TaskWrapper.is_revoked`.
    public func isRevoked(task name: String) async throws -> Bool {
        try await isRevoked(keys: [Self.revocationKey(task: name)])
    }

    private func isRevoked(keys: [String]) async throws -> Bool {
        let values = try await flushedStorage().peekMany(keys)
        let now = now()
        for value in values {
            guard let value else { continue }
            if try revocation(in: value)?.verdict(at: now).isRevoked == true { return true }
        }
        return false
    }

    /// The revocation that a value is; nil for any other value, such as the result of a task whose id is a revocation's key.
    ///
    /// - Throws: ``HueyError`` or ``PickleError`` for a value that cannot be decoded: nobody knows what it says.
    func revocation(in value: [UInt8]) throws -> Revocation? {
        let view = try messageCodec.view(value)
        return try? Revocation(pickle: view)
    }

    private func putRevocation(_ key: String, until: PickleDateTime?, once: Bool) async throws {
        let moment = try until?.normalized(utc: options.utc)
        let data = try serializer.serialize(Revocation(until: moment, once: once))
        try await flushedStorage().putData(data, forKey: key, isResult: false)
        revocationGeneration.advance()
    }

    /// The messages that wait in the queue, next first; what cannot be decoded is left out. Mirrors `pending`.
    public func pending(limit: Int? = nil) async throws -> [Message] {
        readable(try await flushedStorage(includingQueue: true).enqueuedItems(limit: limit))
    }

    /// The messages that wait for their time, soonest first. Mirrors `scheduled`.
    public func scheduled(limit: Int? = nil) async throws -> [Message] {
        readable(try await flushedStorage().scheduledItems(limit: limit))
    }

    private func readable(_ items: [[UInt8]]) -> [Message] {
        items.compactMap { data in
            do {
                return try deserialize(data)
            } catch {
                logger.error("Unable to deserialize task.", metadata: ["reason": "\(error)"])
                return nil
            }
        }
    }

    /// How many messages wait in the queue. Mirrors `pending_count`.
    public func pendingCount() async throws -> Int { try await flushedStorage(includingQueue: true).queueSize() }

    /// How many messages wait for their time. Mirrors `scheduled_count`.
    public func scheduledCount() async throws -> Int { try await flushedStorage().scheduleSize() }

    /// How many values are in the result store: results, revocations, locks. Mirrors `result_count`.
    public func resultCount() async throws -> Int { try await flushedStorage().resultStoreSize() }

    /// All values in the result store by key, as they are stored: the serializer reads them. Mirrors `all_results`.
    public func allResults() async throws -> [String: [UInt8]] { try await flushedStorage().resultItems() }

    /// Removes everything that the instance has stored. Mirrors `flush`.
    public func flush() async throws {
        try await flushedStorage(includingQueue: true).flushAll()
        revocationGeneration.advance()
    }

    /// Stores a value of one's own. Mirrors `put`.
    public func put(_ value: some PickleEncodable, forKey key: String) async throws {
        try await flushedStorage().putData(serializer.serialize(value), forKey: key, isResult: false)
        revocationGeneration.advance()
    }

    /// Reads a value, taking it out of the store unless `peek` is set; nil when there is none. Mirrors `get`.
    public func get(_ key: String, peek: Bool = false) async throws -> PickleView? {
        let storage = try await flushedStorage()
        let data = peek ? try await storage.peekData(key) : try await storage.popData(key)
        return try data.map(serializer.deserialize)
    }

    /// Removes a value; whether there was one. Mirrors `delete`.
    @discardableResult
    public func delete(_ key: String) async throws -> Bool {
        let existed = try await flushedStorage().deleteData(key)
        revocationGeneration.advance()
        return existed
    }
}
