import Pickle

/// A message with the task that it calls, decoded as far as its run needs. A class: a run hands it from step to step without copying.
package final class ReadyTask: Sendable {
    private enum Content: Sendable {
        /// Of the kind that ``Message/isPlain(_:)`` tells, and without a trace: its fields, left where they are on the wire.
        case wire(PickleView.Elements)
        indirect case message(Message)
    }

    package let delivery: Delivery
    let task: RegisteredTask
    /// By what the queue sorted it; 0 where the producer chose none.
    let priority: Double
    /// Whether nothing is to be decided before or after its task but its revocation: no time that may have come or gone, no limit, and
    /// nothing behind it.
    let isPlain: Bool
    private let content: Content
    /// Where the message's revocations were looked up; nil where nobody has looked.
    private let place: Place?

    /// Where among the revocations that were looked up at once a message's own is, and its task's.
    struct Place: Sendable {
        let look: RevocationLook
        let own: Int
        let name: Int
    }

    init(
        delivery: Delivery,
        message: Message,
        task: RegisteredTask,
        priority: Double = 0,
        place: Place? = nil
    ) {
        self.delivery = delivery
        self.priority = priority
        self.task = task
        isPlain =
            message.eta == nil && message.expiresResolved == nil && message.timeout?.isTrue != true
            && message.onComplete == nil && message.onError == nil && message.chord == nil
            && !message.isUnique && !task.isPeriodic
        content = .message(message)
        self.place = place
    }

    /// A task whose message is plain, as ``Message/isPlain(_:)`` has found.
    init(
        delivery: Delivery,
        plain fields: PickleFields,
        task: RegisteredTask,
        priority: Double,
        place: Place
    ) {
        self.delivery = delivery
        self.priority = priority
        self.task = task
        isPlain = true
        content = .wire(fields.elements)
        self.place = place
    }

    /// The task's id.
    var id: String { withUTF8OfID { String(decoding: $0, as: UTF8.self) } }

    /// Whether a result stored under the task's id would stand where a revocation does.
    var hasRevocationKeyAsID: Bool {
        withUTF8OfID { id in
            guard id.count > 1, id[0] == UInt8(ascii: "r") else { return false }
            return id[1] == UInt8(ascii: ":") || id.starts(with: "rt:".utf8)
        }
    }

    /// Calls `body` with the UTF-8 of the task's id, where it lies on the wire if it does: most ids are never made a string.
    func withUTF8OfID<R>(_ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R {
        switch content {
        case .message(let message):
            var id = message.id
            return try id.withUTF8(body)
        case .wire(let elements):
            return try withExtendedLifetime(elements) {
                try body(elements.fields.utf8(at: 0) ?? UnsafeBufferPointer(start: nil, count: 0))
            }
        }
    }

    /// The message, with the task's defaults for what its producer left open.
    var message: Message {
        switch content {
        case .message(let message): return message
        case .wire(let elements):
            // It was looked at before; the second form is there because this cannot throw.
            let root = elements.document.root
            var message = (try? Message(pickle: root, likely: task.name)) ?? Message(id: id, name: task.name)
            message.fill(from: task.settings)
            return message
        }
    }

    /// The same task with its message decoded, for a run that looks at it again and again.
    var decoded: ReadyTask {
        guard case .wire = content else { return self }
        return ReadyTask(delivery: delivery, message: message, task: task, priority: priority, place: place)
    }

    /// The arguments as they are on the wire.
    ///
    /// - Throws: what pickling arguments throws that were never on the wire.
    func arguments() throws -> (args: PickleView, kwargs: PickleView) {
        switch content {
        case .wire(let elements): return (elements[6], elements[7])
        case .message(let message):
            return try message.arguments.views()
        }
    }

    /// The positional arguments where they lie on the wire, if there are so many, and no others; nil, too, where that is not known.
    func positionalArguments(_ count: Int) -> PickleView.Elements? {
        guard case .wire(let elements) = content else { return nil }
        return withExtendedLifetime(elements) {
            let fields = elements.fields
            guard fields.isEmptyDict(at: 7), let arguments = fields.tuple(at: 6), arguments.count == count else {
                return nil
            }
            return arguments
        }
    }

    // MARK: revocations

    /// Whether somebody is about to look at the revocations of its batch for the first time.
    var isBeingLookedAt: Bool { place?.look.isUnderWay ?? false }

    /// Returns once the revocations of its batch have been looked at, if somebody is about to.
    nonisolated(nonsending) func waitForLook() async {
        await place?.look.wait()
    }

    /// Whether nobody has revoked the message or its task, as far as is known without asking.
    func isKnownToRun(generation: Int, at now: ContinuousClock.Instant) -> Bool {
        guard let place else { return false }
        return place.look.isClear(place.own, place.name, generation: generation, at: now)
    }

    /// The message's own revocation and its task's, by their keys, where there are any; read again, for this message and all behind it,
    /// where somebody may have changed them since.
    ///
    /// - Throws: what `read` throws.
    func revocations(
        generation: Int,
        read: (_ ids: TaskIDs, _ names: [String]) async throws -> [Int: [UInt8]]
    ) async throws -> [(key: String, value: [UInt8])] {
        let values: (own: [UInt8]?, all: [UInt8]?)
        if let place, let fresh = place.look.fresh(place.own, place.name, generation: generation) {
            values = fresh
        } else if let place {
            let (ids, names) = place.look.subjects(from: place.own)
            place.look.update(try await read(ids, names), from: place.own, generation: generation)
            values = place.look.values(place.own, place.name)
        } else {
            let found = try await read(TaskIDs([id]), [task.name])
            values = (found[0], found[1])
        }
        let keys = [Message.revocationKey(id), Huey.revocationKey(task: task.name)]
        return zip(keys, [values.own, values.all]).compactMap { key, value in value.map { (key, $0) } }
    }
}

/// A message as a consumer holds it until its turn.
package enum HeldMessage: Sendable {
    /// As it came: whoever runs it decodes it, and reports what is wrong with it.
    indirect case raw(Delivery)
    case ready(ReadyTask)
    /// As it came, with others that are looked at together; its id was guessed, see ``Message/likelyID(in:)``.
    case fetched(RevocationLook, place: Int)

    package var delivery: Delivery {
        switch self {
        case .raw(let delivery): delivery
        case .fetched(let look, let place): look.deliveries[place]
        case .ready(let task): task.delivery
        }
    }

    /// Whether its handler is synchronous; nil where that is not known yet.
    package var isSynchronous: Bool? {
        guard case .ready(let task) = self else { return nil }
        return task.task.isSynchronous
    }

    /// By what the queue sorted it, as far as that can be told: below everything else where it cannot.
    package var priority: Double {
        switch self {
        case .raw, .fetched: -.infinity
        case .ready(let task): task.priority
        }
    }
}

extension Message {
    /// The fields of what may be a message, for as long as the view is kept.
    static func fields(of view: PickleView) -> PickleFields? {
        guard let fields = view.fields(of: "huey.registry", "Message"), fields.count > 1 else { return nil }
        return fields
    }

    /// Whether the fields of a message are those of a task to run now, with nothing behind it and no limit of its own. Looks at their
    /// kinds only: what is odd is for the decoder to judge.
    static func isPlain(_ fields: PickleFields) -> Bool {
        guard (10...15).contains(fields.count) else { return false }
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

    /// What the producer left open is what the task was registered with.
    mutating func fill(from settings: TaskSettings) {
        // Setting it forgets what stood on the wire.
        if retries == nil { retries = settings.retries }
        retryDelay = retryDelay ?? settings.retryDelay
        priority = priority ?? settings.priority
        expires = expires ?? settings.expires
        timeout = timeout ?? settings.timeout
        retryBackoff = retryBackoff ?? settings.retryBackoff
    }
}
