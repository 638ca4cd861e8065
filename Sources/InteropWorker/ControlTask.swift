import Huey
import Pickle

/// huey's control methods by name, through the Swift API.
struct ControlTask: Sendable {
    let huey: Huey
    /// huey's expiring storages answer a deletion with redis-py's count instead of a bool.
    let countsDeletions: Bool

    /// - Returns: what huey's method returns.
    func perform(_ verb: String, _ kw: PickleView) async throws -> PickleValue {
        switch verb {
        case "revoke":
            try await huey.revoke(id: text("task_id", kw), until: moment(kw), once: flag("once", kw))
            return .none
        case "restore":
            return deleted(try await huey.restore(id: text("task_id", kw)))
        case "revoke_all":
            try await huey.revokeAll(taskName(kw), until: moment(kw), once: flag("once", kw))
            return .none
        case "restore_all":
            return deleted(try await huey.restoreAll(taskName(kw)))
        case "is_revoked":
            if let id = kw["task_id"]?.string { return .bool(try await huey.isRevoked(id: id)) }
            return .bool(try await huey.isRevoked(task: taskName(kw)))
        case "put":
            try await huey.put(kw["value"] ?? .none, forKey: text("key", kw))
            return .none
        case "get":
            return try await huey.get(text("key", kw), peek: flag("peek", kw)).map(PickleValue.view) ?? .none
        default:
            return try await look(verb, kw)
        }
    }

    private func look(_ verb: String, _ kw: PickleView) async throws -> PickleValue {
        switch verb {
        case "pending":
            return .list(try await huey.pending().compactMap(knownName))
        case "scheduled":
            return .list(try await huey.scheduled().compactMap(knownName))
        case "pending_count":
            return .int(try await huey.pendingCount())
        case "scheduled_count":
            return .int(try await huey.scheduledCount())
        case "result_count":
            return .int(try await huey.resultCount())
        case "flush_locks":
            let names = kw["names"]?.elements?.compactMap(\.string) ?? []
            return .set(try await huey.flushLocks(names).sorted().map { .string($0) })
        case "is_locked":
            return .bool(try await huey.isLocked(text("name", kw)))
        default:
            throw PickleException.builtin("ValueError", "unknown verb \(verb)")
        }
    }

    /// The name of a message that huey could read here: it knows the task, and what follows it.
    private func knownName(_ message: Message) -> PickleValue? {
        let known = Set(huey.taskNames)
        func isKnown(_ message: Message) -> Bool {
            let next = [message.onComplete, message.onError, message.chord?.callback].compactMap { $0?.message }
            return known.contains(message.name) && next.allSatisfy(isKnown)
        }
        return isKnown(message) ? .string(message.name) : nil
    }

    private func deleted(_ existed: Bool) -> PickleValue { countsDeletions ? .int(existed ? 1 : 0) : .bool(existed) }

    private func text(_ name: String, _ kw: PickleView) throws -> String {
        guard let view = kw[name] else { throw PickleException.builtin("KeyError", name) }
        return try String(pickle: view)
    }

    private func taskName(_ kw: PickleView) throws -> String { InteropTasks.wireName(try text("task", kw)) }

    private func flag(_ name: String, _ kw: PickleView) -> Bool { kw[name]?.bool ?? false }

    private func moment(_ kw: PickleView) throws -> PickleDateTime? {
        guard let view = kw["until"], !view.isNone else { return nil }
        guard let moment = try? PickleDateTime(pickle: view) else {
            throw PickleException.builtin("ValueError", "eta must be a datetime instance")
        }
        return moment
    }
}
