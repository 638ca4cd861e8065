import Pickle

extension Huey {
    /// Reads a message as a consumer does: what the producer left open is what the registered task says, in this message and those
    /// behind it. Mirrors `Registry.create_task`; a task that only Python knows stays as it is.
    ///
    /// - Throws: as ``deserialize(_:)``.
    package func deserializeResolved(_ data: [UInt8]) throws -> Message {
        try resolvedMessage(from: messageCodec.view(data))
    }

    /// The same of a view.
    func resolvedMessage(from view: PickleView) throws -> Message {
        var message = try message(from: view, likely: "")
        resolve(&message, registry.task(named: message.name))
        return message
    }

    /// The first task behind a message that nobody has registered here, where that matters.
    func unknownFollowUp(of message: Message) -> String? {
        guard options.requiresKnownFollowUps else { return nil }
        let next = [message.onComplete, message.onError, message.chord?.callback].compactMap { $0?.message }
        for follower in next {
            if registry.task(named: follower.name) == nil { return follower.name }
            if let unknown = unknownFollowUp(of: follower) { return unknown }
        }
        return nil
    }

    func resolve(_ message: inout Message, _ task: RegisteredTask?) {
        if let next = message.onComplete { message.onComplete = Message.Next(resolved(next.message)) }
        if let handler = message.onError { message.onError = Message.Next(resolved(handler.message)) }
        if var chord = message.chord {
            chord.callback = Message.Next(resolved(chord.callback.message))
            message.chord = chord
        }
        if let settings = task?.settings { message.fill(from: settings) }
    }

    private func resolved(_ message: Message) -> Message {
        var message = message
        resolve(&message, registry.task(named: message.name))
        return message
    }
}
