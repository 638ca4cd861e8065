import Pickle

extension Huey {
    /// Adds many tasks to the queue in few writes.
    ///
    /// - Returns: the ids, in order.
    /// - Throws: as ``enqueue(_:)``; tasks of writes that went through before stay enqueued.
    @discardableResult
    public func enqueue(contentsOf messages: some Sequence<Message>) async throws -> [String] {
        var ids: [String] = []
        ids.reserveCapacity(messages.underestimatedCount)
        try await enqueue(messages, { ids.append($0.id) }, progress: nil)
        return ids
    }

    /// Adds any number of tasks to the queue in few writes. Messages are taken from the sequence as they are written: give a lazy one, and
    /// memory holds a few hundred at a time.
    ///
    /// ```swift
    /// let messages = pictures.lazy.compactMap { try? thumbnail.s($0) }
    /// try await huey.enqueue(streaming: messages) { print("\($0) enqueued") }
    /// ```
    ///
    /// - Parameter progress: told how many are in the queue, after each write.
    /// - Returns: how many there were.
    /// - Throws: as ``enqueue(_:)``; tasks of writes that went through before stay enqueued.
    @discardableResult
    public func enqueue(
        streaming messages: some Sequence<Message>,
        progress: (@Sendable (Int) async -> Void)? = nil
    ) async throws -> Int {
        try await enqueue(messages, { _ in }, progress: progress)
    }

    @discardableResult
    private func enqueue(
        _ messages: some Sequence<Message>,
        _ see: (borrowing Message) -> Void,
        progress: (@Sendable (Int) async -> Void)?
    ) async throws -> Int {
        try await tracedBatch { stamp in
            let storage = try await flushedStorage()
            var pump = MessagePump(self, messages.makeIterator(), stamp)
            guard !immediate, options.enqueueBudget == nil, !listens(to: .enqueued) else {
                while let message = pump.next() {
                    let prepared = try prepare(message)
                    see(prepared)
                    if listens(to: .enqueued) { await emit(.enqueued, prepared) }
                    if immediate {
                        try await runImmediately(prepared)
                    } else {
                        try await push(try serialize(prepared), prepared, budget: options.enqueueBudget)
                    }
                    await progress?(pump.count)
                }
                return pump.count
            }
            // The next messages are written out while the last ones are on their way.
            var chunk = try pump.chunk(see)
            while !chunk.isEmpty {
                let written = chunk
                async let sent: Void = storage.enqueue(contentsOf: written)
                let count = pump.count
                let next = Result { try pump.chunk(see) }
                try await sent
                await progress?(count)
                chunk = try next.get()
            }
            if pump.count > 0 { await makeWay(for: .infinity) }
            return pump.count
        }
    }
}

/// Takes messages from a sequence and makes them ready for the queue.
private struct MessagePump<Iterator: IteratorProtocol<Message>> {
    private static var chunk: Int { 500 }

    private let huey: Huey
    private var messages: Iterator
    private let stamp: (Message) -> Message
    /// How many were taken.
    private(set) var count = 0

    init(_ huey: Huey, _ messages: Iterator, _ stamp: @escaping (Message) -> Message) {
        self.huey = huey
        self.messages = messages
        self.stamp = stamp
    }

    mutating func next() -> Message? {
        guard let message = messages.next() else { return nil }
        count += 1
        return stamp(message)
    }

    /// The next messages as they stand in the queue.
    mutating func chunk(_ see: (borrowing Message) -> Void) throws -> [(data: [UInt8], priority: Double?)] {
        var chunk: [(data: [UInt8], priority: Double?)] = []
        chunk.reserveCapacity(Self.chunk)
        var writer = MessageWriter(huey)
        while chunk.count < Self.chunk, var message = next() {
            try huey.prepare(&message)
            see(message)
            chunk.append((try writer.write(message), try huey.queuePriority(of: message)))
        }
        return chunk
    }
}

/// Writes messages one after the other into the same memory.
private struct MessageWriter: ~Copyable {
    private let huey: Huey
    private let serializer: PickleSerializer?
    private let encoder: MessageEncoder
    private var writer: PickleWriter

    init(_ huey: Huey) {
        self.huey = huey
        serializer = huey.serializer as? PickleSerializer
        encoder = huey.messageEncoder
        writer = PickleWriter(protocol: serializer?.pickleProtocol ?? 5)
    }

    mutating func write(_ message: borrowing Message) throws -> [UInt8] {
        guard let serializer else { return try huey.serialize(copy message) }
        do {
            try encoder.write(message, to: &writer)
        } catch {
            // What is half written must not stand before the next.
            writer = PickleWriter(protocol: serializer.pickleProtocol)
            throw error
        }
        let pickle = try writer.finish()
        let trailer = message.trace?.bytes ?? []
        try huey.checkSize(pickle.count + trailer.count, id: message.id)
        return try serializer.seal(pickle, followedBy: trailer)
    }
}
