public import Logging
package import Pickle
import Synchronization

/// A task queue by name, on a storage: what a producer enqueues to and what a consumer runs. Mirrors `huey.api.Huey`.
///
/// ```swift
/// let huey = Huey("my-app", storage: try RedisStorage(url: "redis://localhost:6379/0"))
/// let add = huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in a &+ b }
/// ```
public final class Huey: Sendable {
    /// The instance's name, as given.
    public let name: String
    /// The storage, bound to the name: the one given, or memory in immediate mode.
    public var storage: any Storage { mode.storage }
    private let mode: ImmediateSwitch
    public let serializer: any Serializer
    public let options: HueyOptions
    /// Reads what messages are made of, within the limits of messages.
    let messageCodec: MessageCodec
    package let time: TimeSource
    package let logger: Logger
    let registry = Registry()
    let hooks = Hooks()
    let knownLocks = KnownLocks()
    let revocationGeneration = RevocationGeneration()
    let tracing: TraceSource

    /// - Parameters:
    ///   - name: the queue's name, the same as on Python's side.
    ///   - storage: where tasks wait; it is bound to the name.
    ///   - serializer: how messages and results are written; plain pickles by default.
    ///   - options: what is stored and how; huey's defaults.
    ///   - time: where the time comes from.
    ///   - logger: where the instance logs to; nowhere by default.
    public init(
        _ name: String = "huey",
        storage: any Storage,
        serializer: any Serializer = PickleSerializer(),
        options: HueyOptions = HueyOptions(),
        time: TimeSource = .system,
        logger: Logger = Logger(label: "huey", factory: { _ in SwiftLogNoOpLogHandler() })
    ) {
        self.name = name
        mode = ImmediateSwitch(storage.bound(to: name), usesMemory: options.immediateUsesMemory)
        mode.turn(options.immediate)
        self.serializer = serializer
        self.options = options
        messageCodec = MessageCodec(serializer, options)
        self.time = time
        self.logger = logger
        tracing = TraceSource(options.tracer)
    }

    /// Now, naive: UTC, or local time with `utc: false`. Mirrors `_get_timestamp`.
    package func now() -> PickleDateTime { .now(time, utc: options.utc) }

    /// The names of the tasks that run here, in the order of registration.
    public var taskNames: [String] { registry.names }

    /// Reports a mistake made while tasks were registered: two tasks of one name, or impossible parameters.
    ///
    /// - Throws: ``HueyError`` `.duplicateTask` or `.invalidConfiguration`.
    public func checkRegistrations() throws { try registry.check() }

    /// Whether a task runs at once, in whoever enqueues it; see ``HueyOptions/immediate``. Mirrors `Huey.immediate`.
    ///
    /// Each change to true begins with an empty memory; a change to false comes back to the storage given. To be changed while no
    /// consumer runs and nothing is being enqueued.
    public var immediate: Bool {
        get { mode.isOn }
        set { mode.turn(newValue) }
    }

    /// Releases the storage's connections.
    public func close() async { await mode.close() }

    /// Writes a message with the instance's wire version.
    ///
    /// - Throws: ``HueyError`` `.wireTooOld` or `.tooLarge`, or what encoding the arguments throws.
    package func serialize(_ message: Message) throws -> [UInt8] {
        let value = EncodableMessage(message: message, encoder: messageEncoder)
        guard let pickles = messageCodec.pickles else {
            let data = try serializer.serialize(value)
            try checkSize(data.count, id: message.id)
            return data
        }
        var writer = PickleWriter(protocol: pickles.pickleProtocol)
        try value.encode(to: &writer)
        let pickle = try writer.finish()
        // Before compression: so many bytes a consumer will have to read.
        let trailer = message.trace?.bytes ?? []
        try checkSize(pickle.count + trailer.count, id: message.id)
        return try pickles.seal(pickle, followedBy: trailer)
    }

    func checkSize(_ count: Int, id: String) throws {
        guard count <= options.maximumMessageSize else {
            throw HueyError.tooLarge("the message of task \(id.bounded())", count, options.maximumMessageSize)
        }
    }

    /// Reads a message.
    ///
    /// - Throws: ``HueyError`` `.malformedMessage` or `.tooLarge`, ``PickleError``, or an error of the serializer's own.
    package func deserialize(_ data: [UInt8]) throws -> Message {
        try message(from: messageCodec.view(data), likely: "")
    }

    /// Reads a message, likely one for the task of that name.
    func message(from view: PickleView, likely name: String) throws -> Message {
        var message = try Message(pickle: view, likely: name)
        if (1...TraceCarrier.Limit.bytes).contains(view.document.trailingCount) {
            message.trace = TraceCarrier(trailing: view.document.trailingBytes)
        }
        return message
    }

    var messageEncoder: MessageEncoder {
        MessageEncoder(wire: options.wire) { [registry] in registry.task(named: $0)?.settings }
    }

    private struct EncodableMessage: PickleEncodable {
        let message: Message
        let encoder: MessageEncoder

        func encode(to writer: inout PickleWriter) throws { try encoder.write(message, to: &writer) }
    }
}
