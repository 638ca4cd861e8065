/// A storage that keeps a job from being enqueued while another of the same key waits or runs.
public protocol UniqueStorage: Storage {
    /// Adds a message to the queue unless the key is taken; the id of the job that has it then: the one given, or an earlier one's. Key and
    /// message are one step.
    ///
    /// - Parameters:
    ///   - id: the job's id, as in the message.
    ///   - digest: what stands for the key.
    ///   - ttl: after how long the key is free, whatever became of the job.
    /// - Throws: as ``Storage/enqueue(_:priority:)``.
    func enqueueUnique(
        _ data: [UInt8],
        priority: Double?,
        id: String,
        digest: String,
        ttl: Duration
    ) async throws -> String
    /// Frees a key if the job of that id has it.
    func releaseUnique(_ digest: String, id: String) async throws
}
