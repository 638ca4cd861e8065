import Pickle

/// A call as it lies on the wire, of a message about which nothing is to be decided but its task's outcome. Whoever has it keeps the
/// document alive.
struct PlainCall {
    let fields: PickleFields

    /// Whether a message is plain: one to run now, with nothing behind it and no limit of its own. Looks at the kinds of its fields only:
    /// what is odd is for the decoder to judge.
    static func isPlain(_ fields: PickleFields, of document: PickleDocument) -> Bool {
        guard (10...15).contains(fields.count), !document.hasTrailingBytes, let id = fields.utf8(at: 0),
            Message.Limit.mayHold(id), !Message.isUnique(id)
        else { return false }
        // eta, on_complete, on_error, expires_resolved, timeout, chord_config
        for position in [2, 8, 9, 11, 12, 13] where position < fields.count && !fields.isNone(at: position) {
            return false
        }
        // retries, retry_delay, priority, expires, retry_backoff
        for position in [3, 4, 5, 10, 14] where position < fields.count && !fields.isNone(at: position) {
            guard fields.int(at: position) != nil else { return false }
        }
        return fields.isTuple(at: 6) && fields.isDict(at: 7)
    }

    /// The positional arguments, if there are so many, and no others.
    func positionalArguments(_ count: Int) -> PickleView.Elements? {
        guard fields.isEmptyDict(at: 7), let arguments = fields.tuple(at: 6), arguments.count == count else {
            return nil
        }
        return arguments
    }

    /// The arguments as they are on the wire.
    var arguments: (args: PickleView, kwargs: PickleView) {
        let elements = fields.elements
        return (elements[6], elements[7])
    }

    /// The task as a log line names it, ``Message/summary``.
    func summary(of task: RegisteredTask) -> String {
        func number(_ position: Int) -> PythonNumber? {
            position < fields.count ? fields.int(at: position).map { .int($0) } : nil
        }
        var message = Message(id: fields.string(at: 0) ?? "", name: task.name)
        message.retries = fields.int(at: 3)
        message.priority = number(5)
        message.expires = number(10).map { .seconds($0) }
        message.fill(from: task.settings)
        return message.summary
    }
}
