import Pickle
import Synchronization

/// Messages of one instance that were fetched together. Each is claimed once; their revocations are looked at together.
///
/// They lie here as they came: whoever claims a message decodes it. What the look needs of them, ids and names, is read off the wire
/// without decoding anything, and compared with the decoded message later. Only messages that are no pickles as they stand, because they are
/// compressed or signed, are decoded at once.
package final class MessageBlock: Sendable {
    private enum Limit {
        /// What messages that are decoded before their turn may take. A batch of a few kilobytes may decompress to anything.
        static let memory = 1 << 24
        /// So many names are looked at together; what has another is looked at by itself.
        static let names = 32
    }

    /// Whose messages they are.
    package let huey: Huey
    package let deliveries: [Delivery]
    let look: RevocationLook
    /// The tasks that the names of the look are registered for.
    private let tasks: [RegisteredTask?]
    /// Which of the names a message has, or ``noName``.
    private let nameOf: [UInt8]
    private static let noName = UInt8.max
    /// Those that are decoded already; empty where none is.
    private let views: [PickleView?]
    /// How many are claimed.
    private let head = Atomic(0)
    private let priorities = Mutex<[Double]?>(nil)

    /// - Parameter isLookedAt: whether ``lookAtRevocations()`` is going to be called.
    package init(_ huey: Huey, _ deliveries: [Delivery], isLookedAt: Bool = true) {
        var reader = NameReader(huey, count: deliveries.count)
        for delivery in deliveries { reader.read(delivery, Limit.names, memory: Limit.memory) }
        self.huey = huey
        self.deliveries = deliveries
        look = RevocationLook(reader.ids, reader.names, isBegun: isLookedAt)
        tasks = reader.names.map { huey.registry.task(named: $0) }
        nameOf = reader.nameOf
        views = reader.views
    }

    /// Reads ids and names of messages that come one after the other. Most are of the same task as the one before.
    private struct NameReader {
        let huey: Huey
        var ids: TaskIDs
        var names: [String] = []
        var nameOf: [UInt8] = []
        var views: [PickleView?] = []
        private let areDecoded: Bool
        /// How much memory the decoded ones take.
        private var used = 0
        /// Where the class's name stood in the message before.
        private var hint = 0
        private var last = 0

        init(_ huey: Huey, count: Int) {
            self.huey = huey
            areDecoded = !huey.messageCodec.areMessagesPickles
            ids = TaskIDs(reserving: count)
            nameOf.reserveCapacity(count)
        }

        mutating func read(_ delivery: Delivery, _ mostNames: Int, memory: Int) {
            let isRead: Bool
            if areDecoded {
                isRead = decode(delivery, mostNames, memory)
            } else {
                isRead = delivery.data.withUnsafeBytes { data in
                    guard let places = Message.likelyPlaces(in: data, hint: &hint),
                        find(UnsafeRawBufferPointer(rebasing: data[places.name]), mostNames)
                    else { return false }
                    ids.append(UnsafeRawBufferPointer(rebasing: data[places.id]))
                    return true
                }
            }
            if isRead {
                nameOf.append(UInt8(truncatingIfNeeded: last))
            } else {
                ids.append(UnsafeRawBufferPointer(start: nil, count: 0))
                nameOf.append(MessageBlock.noName)
            }
        }

        /// What came back is charged with the deaths of its consumers before it is decoded.
        private mutating func decode(_ delivery: Delivery, _ mostNames: Int, _ memory: Int) -> Bool {
            guard delivery.redeliveries == 0, used < memory, let view = try? huey.messageCodec.smallView(delivery.data)
            else {
                views.append(nil)
                return false
            }
            views.append(view)
            used = used.saturatingAdded(to: view.document.memorySize)
            return withExtendedLifetime(view) {
                guard let fields = Message.fields(of: view), let id = fields.utf8(at: 0), let name = fields.utf8(at: 1),
                    find(UnsafeRawBufferPointer(name), mostNames)
                else { return false }
                ids.append(UnsafeRawBufferPointer(id))
                return true
            }
        }

        /// Makes a name the last one; whether there is room for it.
        private mutating func find(_ name: UnsafeRawBufferPointer, _ most: Int) -> Bool {
            if last < names.count, names[last].hasUTF8(name) { return true }
            if let known = names.firstIndex(where: { $0.hasUTF8(name) }) {
                last = known
                return true
            }
            guard names.count < most else { return false }
            last = names.count
            names.append(String(decoding: name, as: UTF8.self))
            return true
        }
    }

    /// Looks at the revocations of all of them; where the storage does not answer, that is left to whoever runs a message.
    package func lookAtRevocations() async {
        defer { look.end() }
        guard look.ids.count > 0 else { return }
        let generation = huey.revocationGeneration.current
        if let found = try? await huey.storage.peekRevocations(ofTasks: look.ids, named: look.names) {
            look.update(found, generation: generation)
        }
    }

    /// Returns once the revocations have been looked at, if somebody is about to.
    package nonisolated(nonsending) func waitForLook() async {
        if look.isUnderWay { await look.wait() }
    }

    // MARK: claims

    package var count: Int { deliveries.count }

    /// How many nobody has claimed.
    package var remaining: Int { max(0, count - head.load(ordering: .relaxed)) }

    /// The place of the next message, which is the caller's to run; nil when all are claimed.
    package func claim() -> Int? {
        let place = head.add(1, ordering: .relaxed).oldValue
        return place < count ? place : nil
    }

    /// Takes what nobody has claimed.
    package func reclaim() -> [Delivery] {
        let place = head.exchange(count, ordering: .relaxed)
        return place < count ? Array(deliveries[place...]) : []
    }

    /// Whether a message that nobody has claimed comes behind one of this priority in the queue, as far as that can be told.
    package func holds(below priority: Double) -> Bool {
        let first = head.load(ordering: .relaxed)
        guard first < count else { return false }
        return priorities.withLock { known in
            let all = known ?? deliveries.indices.map { priorityOfMessage(at: $0) }
            known = all
            return all[first...].contains { $0 < priority }
        }
    }

    /// By what the queue sorted a message: below everything else where that cannot be told.
    private func priorityOfMessage(at place: Int) -> Double {
        guard let view = view(of: place) else { return -.infinity }
        return withExtendedLifetime(view) {
            guard let fields = Message.fields(of: view) else { return -.infinity }
            guard fields.count > 5 else { return 0 }
            return fields.int(at: 5).map { Double($0) } ?? fields.double(at: 5) ?? 0
        }
    }

    // MARK: one message

    /// How many bytes a message has.
    package func size(at place: Int) -> Int { deliveries[place].data.count }

    /// Whether the handler of a message's task is synchronous; nil where that is not known before it is decoded.
    package func isSynchronous(_ place: Int) -> Bool? { likelyTask(at: place)?.isSynchronous }

    /// The task that a message calls, to all appearances.
    func likelyTask(at place: Int) -> RegisteredTask? {
        let name = Int(nameOf[place])
        return name < tasks.count ? tasks[name] : nil
    }

    /// Where in the look a message's revocations are, if its id and name are what they seemed.
    func lookPlace(of place: Int, _ fields: PickleFields) -> ReadyTask.LookPlace? {
        let name = Int(nameOf[place])
        guard name < look.names.count, let id = fields.utf8(at: 0), look.ids.holds(id, at: place),
            fields.equals(look.names[name], at: 1)
        else { return nil }
        return ReadyTask.LookPlace(look: look, own: place, name: name)
    }

    /// A message that is decoded already.
    func keptView(at place: Int) -> PickleView? { views.isEmpty ? nil : views[place] }

    private func view(of place: Int) -> PickleView? {
        if let view = keptView(at: place) { return view }
        let delivery = deliveries[place]
        guard delivery.redeliveries == 0 else { return nil }
        return try? huey.messageCodec.smallView(delivery.data)
    }

    /// Decodes a small message of a task that is registered here; nil for any other, and for whatever else is odd.
    func read(_ place: Int) -> ReadyTask? {
        guard let view = view(of: place) else { return nil }
        return withExtendedLifetime(view) {
            guard let fields = Message.fields(of: view) else { return nil }
            let known = lookPlace(of: place, fields)
            guard let task = known.flatMap({ tasks[$0.name] }) ?? registeredTask(fields) else { return nil }
            return try? ready(place, view, fields, task, known)
        }
    }

    private func registeredTask(_ fields: PickleFields) -> RegisteredTask? {
        fields.string(at: 1).flatMap { huey.registry.task(named: $0) }
    }

    /// Nil where something behind the message is not registered here.
    ///
    /// - Throws: as ``Huey/deserialize(_:)``.
    private func ready(
        _ place: Int,
        _ view: PickleView,
        _ fields: PickleFields,
        _ task: RegisteredTask,
        _ known: ReadyTask.LookPlace?
    ) throws -> ReadyTask? {
        if let known, PlainCall.isPlain(fields, of: view.document), !task.needsMessage {
            return ReadyTask(self, place, plain: fields, task: task, look: known)
        }
        var message = try huey.message(from: view, likely: task.name)
        huey.resolve(&message, task)
        guard huey.unknownFollowUp(of: message) == nil else { return nil }
        return ReadyTask(self, place, message: message, task: task, look: known)
    }
}

extension String {
    /// Whether its UTF-8 is this.
    fileprivate func hasUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var text = self
        return text.withUTF8 { $0.count == bytes.count && UnsafeRawBufferPointer($0).elementsEqual(bytes) }
    }
}
