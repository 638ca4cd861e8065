import Pickle

/// Tasks that run side by side, and one that runs with the list of their results when all are done. Mirrors huey's `chord`.
public struct Chord: Sendable {
    /// A member: a task with whatever pipeline it has, or another chord, whose callback's result counts.
    public indirect enum Member: Sendable {
        case task(Message)
        case chord(Chord)
    }

    public var members: [Member]
    public var callback: Message

    public init(_ members: [Member], callback: Message) {
        self.members = members
        self.callback = callback
    }

    public init(_ tasks: [Message], callback: Message) {
        self.init(tasks.map { Member.task($0) }, callback: callback)
    }
}

/// The results of a chord. Mirrors huey's `ChordResult`.
public struct ChordResult: Sendable {
    /// Each member's last result.
    public let members: ResultGroup
    /// The callback's result, and those of its pipeline.
    public let callback: ResultGroup
}

extension Message {
    /// This task with another one behind its pipeline, which receives its result. Mirrors `Task.then`.
    public func then(_ next: Message) -> Message {
        var copy = self
        copy.append(next: next)
        return copy
    }

    /// This task with a handler for its errors, which receives the exception. Mirrors `Task.error`.
    public func onError(_ handler: Message) -> Message {
        var copy = self
        copy.append(errorHandler: handler)
        return copy
    }

    /// Makes the last task of the pipeline a member of a chord.
    fileprivate mutating func join(_ chord: ChordMembership) {
        guard var next = onComplete?.message else {
            self.chord = chord
            return
        }
        next.join(chord)
        onComplete = Next(next)
    }
}

extension Huey {
    /// Enqueues a chord's members. Mirrors `_enqueue_chord`.
    ///
    /// - Throws: as enqueueing a task; members before the one that failed stay enqueued.
    @discardableResult
    public func enqueue(_ chord: Chord) async throws -> ChordResult {
        let id = Self.makeID()
        var results: [TaskResult<PickleValue>] = []
        for (index, member) in chord.members.enumerated() {
            let membership = ChordMembership(
                id: id,
                size: chord.members.count,
                index: index,
                callback: Message.Next(chord.callback)
            )
            switch member {
            case .task(var message):
                message.join(membership)
                try await enqueue(message)
                results.append(result(ofLast: message))
            case .chord(var nested):
                nested.callback.join(membership)
                try await enqueue(nested)
                results.append(result(ofLast: nested.callback))
            }
        }
        if chord.members.isEmpty {
            var callback = chord.callback
            try callback.arguments.append(PickleValue.list([]))
            try await enqueue(callback)
        }
        let callback = chord.callback.pipeline.map { TaskResult<PickleValue>(huey: self, message: $0) }
        return ChordResult(members: ResultGroup(results), callback: ResultGroup(callback))
    }

    private func result(ofLast message: Message) -> TaskResult<PickleValue> {
        TaskResult(huey: self, message: message.pipeline.last ?? message)
    }
}
