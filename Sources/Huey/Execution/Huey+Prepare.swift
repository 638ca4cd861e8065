import Pickle

/// Decodes messages one after the other. Most are of the same task as the one before, which is looked up once.
private struct MessageReader {
    let huey: Huey
    let look: RevocationLook
    var ids: [String] = []
    private(set) var names: [String] = []
    private var tasks: [RegisteredTask?] = []
    /// Which of the names the last message had.
    private var last = 0

    init(_ huey: Huey, _ look: RevocationLook, count: Int) {
        self.huey = huey
        self.look = look
        ids.reserveCapacity(count)
    }

    /// The task that a message calls; nil where it is not registered here, or something behind it is not.
    mutating func read(_ delivery: Delivery) throws -> ReadyTask? {
        let view = try huey.serializer.deserialize(delivery.data)
        guard let object = view.object, object.isInstance(of: "huey.registry", "Message") else { return nil }
        let fields = object.arguments
        guard fields.count > 1, find(fields[1]), let task = tasks[last] else { return nil }
        let id = fields[0].string
        let priority = fields.count > 5 ? fields[5].int.map { Double($0) } ?? fields[5].double ?? 0 : 0
        if let id, !task.needsMessage, !view.document.hasTrailingBytes, Message.isPlain(fields), !Message.isUnique(id) {
            ids.append(id)
            return ReadyTask(
                delivery: delivery,
                plain: view,
                id: id,
                task: task,
                priority: priority,
                look: look,
                place: ids.count - 1,
                namePlace: last
            )
        }
        var message = try huey.message(from: view, likely: names[last])
        huey.resolve(&message, task)
        guard huey.unknownFollowUp(of: message) == nil else { return nil }
        ids.append(message.id)
        return ReadyTask(
            delivery: delivery,
            message: message,
            task: task,
            priority: priority,
            look: look,
            place: ids.count - 1,
            namePlace: last
        )
    }

    /// Makes the name in a field the last one; whether it is a name.
    private mutating func find(_ field: PickleView) -> Bool {
        if last < names.count, field.equals(names[last]) { return true }
        guard let name = field.string else { return false }
        if let known = names.firstIndex(of: name) {
            last = known
        } else {
            last = names.count
            names.append(name)
            tasks.append(huey.registry.task(named: name))
        }
        return true
    }
}

extension Huey {
    /// Decodes a batch and looks at the revocations of all of it at once. What cannot be decoded, and everything when the storage does
    /// not answer, is left to whoever runs the message.
    package func prepare(_ deliveries: [Delivery]) async -> [HeldMessage] {
        guard !deliveries.isEmpty else { return [] }
        let generation = revocationGeneration.current
        let look = RevocationLook()
        var reader = MessageReader(self, look, count: deliveries.count)
        var held: [HeldMessage] = []
        held.reserveCapacity(deliveries.count)
        for delivery in deliveries {
            if let ready = try? reader.read(delivery) {
                held.append(.ready(ready))
            } else {
                held.append(.raw(delivery))
            }
        }
        guard !reader.ids.isEmpty else { return held }
        look.begin(reader.ids, reader.names)
        if let found = try? await storage.peekRevocations(ofTasks: reader.ids, named: reader.names) {
            look.update(found, generation: generation)
        }
        return held
    }

    /// Reads a message as a consumer does: what the producer left open is what the registered task says, in this message and those
    /// behind it. Mirrors `Registry.create_task`; a task that only Python knows stays as it is.
    ///
    /// - Throws: as ``deserialize(_:)``.
    package func deserializeResolved(_ data: [UInt8]) throws -> Message {
        var message = try deserialize(data)
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
