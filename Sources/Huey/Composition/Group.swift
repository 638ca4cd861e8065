/// Tasks that belong together and run side by side. Mirrors huey's `group`.
public struct Group: Sendable {
    /// The tasks, each with whatever pipeline it has.
    public var tasks: [Message]

    /// A group of these tasks.
    public init(_ tasks: [Message]) { self.tasks = tasks }

    /// A chord: `callback` runs with the list of the results when all tasks are done. Mirrors `group.then`.
    public func then(_ callback: Message) -> Chord { Chord(tasks, callback: callback) }

    /// The group with a handler for the errors of each task. The expression is evaluated once for each, so that
    /// `onError(try handler.s())` gives each a handler with an id of its own. Mirrors `group.error`.
    public func onError(_ handler: @autoclosure () throws -> Message) rethrows -> Group {
        Group(try tasks.map { $0.onError(try handler()) })
    }
}

extension Chord {
    /// The chord with a task behind the callback's pipeline. Mirrors `chord.then`.
    public func then(_ next: Message) -> Chord { Chord(members, callback: callback.then(next)) }

    /// The chord with a handler for the callback's errors. Mirrors `chord.error`.
    public func onError(_ handler: Message) -> Chord { Chord(members, callback: callback.onError(handler)) }
}

extension Huey {
    /// Enqueues the tasks of a group, in few writes.
    ///
    /// - Returns: the result of each task's pipeline, that is of its last task; in the group's order.
    /// - Throws: as ``enqueue(contentsOf:)``.
    @discardableResult
    public func enqueue(_ group: Group) async throws -> ResultGroup {
        try await enqueue(contentsOf: group.tasks)
        return ResultGroup(group.tasks.map { TaskResult(huey: self, message: $0.pipeline.last ?? $0) })
    }
}
