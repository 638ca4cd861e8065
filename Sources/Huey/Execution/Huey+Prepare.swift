import Pickle
import Synchronization

/// Decodes messages one after the other. Most are of the same task as the one before, which is looked up once.
private struct MessageReader {
    let huey: Huey
    let look: RevocationLook
    /// The memory that pickles share; nil where there is another serializer, or few messages.
    private let memory: PickleMemory?
    /// How many bytes of memory may still be taken: what is beyond is decoded by whoever runs it.
    private var left = Self.most
    private(set) var ids = TaskIDs()
    private(set) var names: [String] = []
    private var tasks: [RegisteredTask?] = []
    /// Which of the names the last message had.
    private var last = 0

    /// What messages that wait may take. A batch of a few kilobytes may decompress to anything.
    private static let most = 1 << 24
    /// So many messages are worth a block of memory.
    private static let fewest = 16

    init(_ huey: Huey, _ look: RevocationLook, count: Int) {
        self.huey = huey
        self.look = look
        memory = huey.messageCodec.pickles == nil || count < Self.fewest ? nil : PickleMemory()
    }

    /// The task that a message calls; nil where it is not registered here, or something behind it is not.
    mutating func read(_ delivery: Delivery) throws -> ReadyTask? {
        guard left > 0 else { return nil }
        let view = try huey.messageCodec.smallView(delivery.data, in: memory)
        left -= view.document.memorySize
        return try withExtendedLifetime(view) {
            guard let fields = Message.fields(of: view), findName(in: fields), let task = tasks[last] else {
                return nil
            }
            let place = ReadyTask.Place(look: look, own: ids.count, name: last)
            guard let ready = try huey.ready(delivery, view, fields, task, place) else { return nil }
            ready.withUTF8OfID { ids.append($0) }
            return ready
        }
    }

    /// Makes a message's name the last one; whether it has one.
    private mutating func findName(in fields: PickleFields) -> Bool {
        if last < names.count, fields.equals(names[last], at: 1) { return true }
        guard let name = fields.string(at: 1) else { return false }
        if let known = names.firstIndex(of: name) {
            last = known
        } else {
            last = names.count
            names.append(name)
            let task = huey.registry.task(named: name)
            tasks.append(task)
            if let task { huey.busyTasks.note(task) }
        }
        return true
    }
}

/// The tasks whose messages have come here: a look at revocations asks for theirs before it is known whose messages they are.
final class BusyTasks: Sendable {
    /// Where there are more, asking for all of them costs more than it saves.
    private static let most = 32

    private let tasks = Mutex<[RegisteredTask]>([])

    /// Nil where there are none yet, or too many.
    var all: [RegisteredTask]? {
        let tasks = tasks.withLock { $0 }
        return (1...Self.most).contains(tasks.count) ? tasks : nil
    }

    func note(_ task: RegisteredTask) {
        tasks.withLock { tasks in
            if tasks.count <= Self.most, !tasks.contains(where: { $0 === task }) { tasks.append(task) }
        }
    }
}

/// Messages as a consumer holds them; their revocations are still to be looked at.
package struct PreparedMessages: Sendable {
    package let messages: [HeldMessage]
    fileprivate let look: RevocationLook
}

extension Huey {
    /// Decodes a batch of small messages. What is large, or cannot be decoded, is left to whoever runs the message. Nothing is run before ``look(at:)`` has been called.
    package func prepare(_ deliveries: [Delivery]) -> PreparedMessages {
        let look = RevocationLook()
        var reader = MessageReader(self, look, count: deliveries.count)
        let messages = deliveries.map { delivery -> HeldMessage in
            // What came back is charged with the deaths of its consumers before it is decoded.
            guard delivery.redeliveries == 0 else { return .raw(delivery) }
            return (try? reader.read(delivery)).map(HeldMessage.ready) ?? .raw(delivery)
        }
        look.begin(reader.ids, reader.names)
        return PreparedMessages(messages: messages, look: look)
    }

    /// The same without decoding anything, so that whoever runs a message does that: what the look needs is guessed, and compared later.
    /// Nil where nothing can be guessed.
    package func prepareUnread(_ deliveries: [Delivery]) -> PreparedMessages? {
        guard let tasks = busyTasks.all, deliveries.allSatisfy({ $0.redeliveries == 0 }) else { return nil }
        var ids = TaskIDs()
        for delivery in deliveries {
            guard let place = Message.likelyID(in: delivery.data) else { return nil }
            ids.append(delivery.data[place])
        }
        let look = RevocationLook(of: deliveries, guessing: ids, of: tasks)
        let messages = deliveries.indices.map { HeldMessage.fetched(look, place: $0) }
        return PreparedMessages(messages: messages, look: look)
    }

    /// Looks at the revocations of a whole batch at once; where the storage does not answer, that is left to whoever runs a message.
    package func look(at prepared: PreparedMessages) async {
        defer { prepared.look.end() }
        let (ids, names) = prepared.look.subjects()
        guard ids.count > 0 else { return }
        let generation = revocationGeneration.current
        if let found = try? await storage.peekRevocations(ofTasks: ids, named: names) {
            prepared.look.update(found, generation: generation)
        }
    }

    /// Decodes a message whose revocation was looked up by a guess; nil where that was wrong, or anything is unusual.
    func read(_ look: RevocationLook, _ place: Int) -> ReadyTask? {
        guard let view = try? messageCodec.smallView(look.deliveries[place].data) else { return nil }
        return withExtendedLifetime(view) {
            guard let fields = Message.fields(of: view),
                let name = look.tasks.firstIndex(where: { fields.equals($0.name, at: 1) })
            else { return nil }
            let place = ReadyTask.Place(look: look, own: place, name: name)
            guard let ready = try? ready(look.deliveries[place.own], view, fields, look.tasks[name], place),
                ready.withUTF8OfID({ look.guessed($0, at: place.own) })
            else { return nil }
            return ready
        }
    }

    /// The task that a message calls; nil where something behind it is not registered here.
    ///
    /// - Throws: as ``deserialize(_:)``.
    fileprivate func ready(
        _ delivery: Delivery,
        _ view: PickleView,
        _ fields: PickleFields,
        _ task: RegisteredTask,
        _ place: ReadyTask.Place
    ) throws -> ReadyTask? {
        let priority = fields.count > 5 ? fields.int(at: 5).map { Double($0) } ?? fields.double(at: 5) ?? 0 : 0
        if let id = fields.utf8(at: 0), !task.needsMessage, !view.document.hasTrailingBytes, Message.isPlain(fields),
            !Message.isUnique(id), Message.Limit.mayHold(id)
        {
            return ReadyTask(delivery: delivery, plain: fields, task: task, priority: priority, place: place)
        }
        var message = try message(from: view, likely: task.name)
        resolve(&message, task)
        guard unknownFollowUp(of: message) == nil else { return nil }
        return ReadyTask(delivery: delivery, message: message, task: task, priority: priority, place: place)
    }

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
