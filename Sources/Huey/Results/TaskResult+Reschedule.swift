extension TaskResult {
    /// Whether the task is revoked, by its id or with all tasks of its name; the revocation stays. Mirrors `Result.is_revoked`.
    ///
    /// - Throws: the storage's error.
    public func isRevoked() async throws -> Bool {
        try await huey.isRevoked(id: id, task: message.name.isEmpty ? nil : message.name)
    }

    /// Revokes the task once, and enqueues it anew under another id. Whether it has run already is not looked at.
    /// Mirrors `Result.reschedule`.
    ///
    /// - Parameters:
    ///   - start: when to run; as soon as may be when nil.
    ///   - expires: another expiry than the task's own.
    ///   - priority: another priority than the task's own.
    ///   - preservingPipeline: whether what follows it and its error handlers come along, with their ids.
    /// - Returns: the result of the new task.
    /// - Throws: ``HueyError`` `.unknownTask` for a result of which only the id is known; else as ``Huey/enqueue(_:)``.
    @discardableResult
    public func reschedule(
        _ start: TaskOptions.Start? = nil,
        expires: Expiry? = nil,
        priority: PythonNumber? = nil,
        preservingPipeline: Bool = true
    ) async throws -> TaskResult<Value> {
        guard !message.name.isEmpty else {
            throw HueyError(.unknownTask, "only the id of the task is known, so it cannot be enqueued anew")
        }
        try await revoke()
        var copy = message
        copy.id = Huey.makeID()
        copy.wireID = nil
        copy.eta = try start.map(huey.moment(of:))
        copy.expires = expires ?? message.expires
        copy.expiresResolved = nil
        copy.priority = priority ?? message.priority
        if !preservingPipeline {
            copy.onComplete = nil
            copy.onError = nil
        }
        try await huey.enqueue(copy)
        return TaskResult(huey: huey, message: copy)
    }
}
