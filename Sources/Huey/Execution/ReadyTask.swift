import Pickle

/// A message with the task that it calls, decoded as far as its run needs. A class: a run hands it from step to step without copying.
package final class ReadyTask: Sendable {
    private enum Content: Sendable {
        /// Plain: its fields, left where they are on the wire.
        case wire(PickleView.Elements)
        indirect case message(Message)
    }

    /// Where its message is.
    let block: MessageBlock
    let place: Int
    let task: RegisteredTask
    /// Whether nothing is to be decided before or after its task but its revocation: no time that may have come or gone, no limit, and
    /// nothing behind it.
    let isPlain: Bool
    private let content: Content
    /// Where the message's revocations were looked up; nil where nobody has looked.
    private let look: LookPlace?

    /// Where among the revocations that were looked up at once a message's own is, and its task's.
    struct LookPlace: Sendable {
        let look: RevocationLook
        let own: Int
        let name: Int
    }

    init(_ block: MessageBlock, _ place: Int, message: Message, task: RegisteredTask, look: LookPlace? = nil) {
        self.block = block
        self.place = place
        self.task = task
        isPlain =
            message.eta == nil && message.expiresResolved == nil && message.timeout?.isTrue != true
            && message.onComplete == nil && message.onError == nil && message.chord == nil
            && !message.isUnique && !task.isPeriodic
        content = .message(message)
        self.look = look
    }

    /// A task whose message is plain, see ``PlainCall/isPlain(_:of:)``.
    init(_ block: MessageBlock, _ place: Int, plain fields: PickleFields, task: RegisteredTask, look: LookPlace) {
        self.block = block
        self.place = place
        self.task = task
        isPlain = true
        content = .wire(fields.elements)
        self.look = look
    }

    package var delivery: Delivery { block.deliveries[place] }

    /// The task's id.
    var id: String { withUTF8OfID { String(decoding: $0, as: UTF8.self) } }

    /// Whether a result stored under the task's id would stand where a revocation does.
    var hasRevocationKeyAsID: Bool { withUTF8OfID(Message.isRevocationKey) }

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
        return ReadyTask(block, place, message: message, task: task, look: look)
    }

    /// Calls `body` with the call as it lies on the wire, or with nil where the message is decoded.
    func withPlainCall<R>(_ body: (PlainCall?) throws -> R) rethrows -> R {
        guard case .wire(let elements) = content else { return try body(nil) }
        return try withExtendedLifetime(elements) { try body(PlainCall(fields: elements.fields)) }
    }

    /// The arguments as they are on the wire.
    ///
    /// - Throws: what pickling arguments throws that were never on the wire.
    func arguments() throws -> (args: PickleView, kwargs: PickleView) {
        switch content {
        case .wire(let elements): return (elements[6], elements[7])
        case .message(let message): return try message.arguments.views()
        }
    }

    /// The task as a log line names it, ``Message/summary``.
    var summary: String { withPlainCall { $0?.summary(of: task) ?? message.summary } }

    /// The message's own revocation and its task's, by their keys, where there are any.
    ///
    /// - Throws: what `read` throws; `CancellationError`.
    func revocations(
        generation: () -> Int,
        read: (_ ids: TaskIDs, _ names: [String]) async throws -> [Int: [UInt8]]
    ) async throws -> [(key: String, value: [UInt8])] {
        let values: (own: [UInt8]?, all: [UInt8]?)
        if let look {
            values = try await look.look.values(look.own, look.name, generation: generation, read: read)
        } else {
            let found = try await read(TaskIDs([id]), [task.name])
            values = (found[0], found[1])
        }
        guard values.own != nil || values.all != nil else { return [] }
        let keys = [Message.revocationKey(id), Huey.revocationKey(task: task.name)]
        return zip(keys, [values.own, values.all]).compactMap { key, value in value.map { (key, $0) } }
    }
}

extension Message {
    /// The fields of what may be a message, for as long as the view is kept.
    static func fields(of view: PickleView) -> PickleFields? {
        guard let fields = view.fields(of: "huey.registry", "Message"), fields.count > 1 else { return nil }
        return fields
    }

    /// Whether a result stored under this id would stand where a revocation does.
    static func isRevocationKey(_ id: UnsafeBufferPointer<UInt8>) -> Bool {
        guard id.count > 1, id[0] == UInt8(ascii: "r") else { return false }
        return id[1] == UInt8(ascii: ":") || id.starts(with: "rt:".utf8)
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
