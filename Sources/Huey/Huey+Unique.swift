import Crypto

/// What came of enqueueing a unique job.
public struct UniqueJob: Sendable {
    /// The id of the job that waits or runs: the new one's, or an earlier one's.
    public let id: String
    /// Whether it was enqueued now.
    public let isNew: Bool
}

extension Huey {
    /// Adds a task to the queue, unless one with the same key waits or runs.
    ///
    /// The key is taken in the step that adds the message, and freed in the write that stores the task's final outcome, when it is
    /// skipped, or put aside as a dead letter; retries keep it. Where Python's consumers run such tasks, only the time to live frees it.
    /// In a pipeline the key is the first task's.
    ///
    /// This does not stop a redelivery: a task whose worker died runs again (``TaskContext/deliveries``).
    ///
    /// - Parameters:
    ///   - message: the task; its id gets a suffix that stands for the key.
    ///   - key: what must not wait or run twice, such as `"report-7"`.
    ///   - ttl: after how long the key is free in any case: longer than the task may wait and run.
    /// - Throws: ``HueyError`` `.notSupported` where the storage cannot, else as ``enqueue(_:)``.
    public func enqueue(_ message: Message, uniqueBy key: String, for ttl: Duration) async throws -> UniqueJob {
        let digest = Self.digest(of: key)
        var message = message
        message.id += UniqueMark.separator + digest
        if immediate {
            try await enqueue(message)
            return UniqueJob(id: message.id, isNew: true)
        }
        guard let storage = try await flushedStorage() as? any UniqueStorage else {
            throw HueyError(.notSupported, "unique jobs are not supported by this storage.")
        }
        return try await traced(message) { message in
            let prepared = try prepare(message)
            let id = try await storage.enqueueUnique(
                try serialize(prepared),
                priority: try queuePriority(of: prepared),
                id: prepared.id,
                digest: digest,
                ttl: ttl
            )
            guard id == prepared.id else { return UniqueJob(id: id, isNew: false) }
            await makeWay(for: try queuePriority(of: prepared))
            await emit(.enqueued, prepared)
            return UniqueJob(id: id, isNew: true)
        }
    }

    private static func digest(of key: String) -> String {
        Insecure.SHA1.hash(data: Array(key.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
        .joined()
    }
}

/// How a unique job's id tells of its key: consumers know nothing else of it.
private enum UniqueMark {
    static let separator = ".u."
    /// The separator and a SHA-1 in hexadecimal.
    static let length = 43
}

extension Message {
    /// Whether this is a unique job.
    var isUnique: Bool { Self.isUnique(id.utf8) }

    /// The same by the UTF-8 of its id.
    static func isUnique(_ id: some BidirectionalCollection<UInt8>) -> Bool {
        id.count > UniqueMark.length && id.suffix(UniqueMark.length).starts(with: UniqueMark.separator.utf8)
    }

    /// What frees the key of a unique job; nil for any other task.
    var uniqueRelease: StorageEffect? {
        guard isUnique else { return nil }
        return .releaseUnique(String(self.id.suffix(UniqueMark.length - UniqueMark.separator.count)), id: self.id)
    }
}
