public import Pickle

extension Message: PickleDecodable {
    /// What one message may hold. Messages in a message may share parts, so that a kilobyte can stand for a million of them; each
    /// costs here as if it were sent alone.
    enum Limit {
        // A pipeline is a message in a message; nobody chains thousands, and recursion must have an end.
        static let nesting = 200
        /// Messages in a message, itself included.
        static let messages = 1000
        /// Bytes of all ids and names.
        static let text = 1 << 20

        /// Whether a message may have this id.
        static func mayHold(_ id: UnsafeBufferPointer<UInt8>) -> Bool { id.count <= text / 2 }
    }

    /// What is left of the limits while a message is read.
    private struct Budget {
        var messages = Limit.messages
        var text = Limit.text

        mutating func takeMessage() throws {
            messages -= 1
            guard messages >= 0 else {
                throw HueyError.malformedMessage("more than \(Limit.messages) messages in one message")
            }
        }

        /// Takes what an id or a name costs.
        mutating func take(_ view: PickleView) throws {
            text -= view.textLength
            guard text >= 0 else {
                throw HueyError.malformedMessage("ids and names of more than \(Limit.text) bytes in one message")
            }
        }
    }

    /// Reads a message of any release.
    ///
    /// - Throws: ``HueyError`` `.malformedMessage` when the value is no message, ``PickleError`` when a field has another type.
    public init(pickle view: PickleView) throws { try self.init(pickle: view, likely: "") }

    /// The same for a message that is likely of this name, which is shared then.
    init(pickle view: PickleView, likely name: String) throws {
        var budget = Budget()
        try self.init(pickle: view, likely: name, depth: 0, &budget)
    }

    private init(pickle view: PickleView, likely likelyName: String, depth: Int, _ budget: inout Budget) throws {
        try budget.takeMessage()
        guard depth < Limit.nesting else { throw HueyError.malformedMessage("a pipeline nests too deeply") }
        guard let object = view.object, object.isInstance(of: "huey.registry", "Message") else {
            throw HueyError.malformedMessage("expected a huey message, found \(view.briefType)")
        }
        let fields = object.arguments
        guard [10, 12, 14, 15].contains(fields.count) || (10...15).contains(fields.count) else {
            throw HueyError.malformedMessage("a message has 10 to 15 fields, this one \(fields.count)")
        }
        func field(_ index: Int) -> PickleView? {
            guard index < fields.count, !fields.isNone(at: index) else { return nil }
            return fields[index]
        }
        func nested(_ index: Int) throws -> Next? {
            try field(index).map { Next(try Message(pickle: $0, likely: "", depth: depth + 1, &budget)) }
        }
        let isLikely = !likelyName.isEmpty && field(1)?.equals(likelyName) == true
        if let id = field(0) { try budget.take(id) }
        if !isLikely, let name = field(1) { try budget.take(name) }
        guard let id = field(0), let name = isLikely ? likelyName : field(1)?.string else {
            throw HueyError.malformedMessage("a message without id or name")
        }
        if let text = id.string {
            self.id = text
        } else {
            self.id = try Self.text(of: id)
            wireID = id
        }
        self.name = name
        eta = try field(2).map(Self.naive)
        retryDelay = field(4).map(PythonNumber.init(field:))
        priority = field(5).map(PythonNumber.init(field:))
        arguments = try Self.arguments(field(6), field(7))
        onComplete = try nested(8)
        onError = try nested(9)
        expires = try field(10).map(Expiry.init(field:))
        // huey compares only what is true.
        expiresResolved = try field(11).flatMap { $0.isTrue ? try Self.naive($0) : nil }
        timeout = field(12).map(PythonNumber.init(field:))
        chord = try field(13).map { try Self.chord($0, depth: depth, &budget) }
        retryBackoff = field(14).map(PythonNumber.init(field:))
        if let view = field(3) { setRetries(view) }
    }

    /// A moment that huey can compare with its own.
    private static func naive(_ view: PickleView) throws -> PickleDateTime {
        let moment = try PickleDateTime(pickle: view)
        guard moment.tzinfo == nil else { throw HueyError.malformedMessage("a moment with a time zone") }
        return moment
    }

    /// The id as part of a key: redis-py's encoding of what is no string.
    private static func text(of id: PickleView) throws -> String {
        if let text = id.string ?? id.decimal { return text }
        if let number = id.double { return PythonNumber.float(number).description }
        if let bytes = id.bytes { return String(decoding: bytes, as: UTF8.self) }
        throw HueyError.malformedMessage("an id that is no string, or an int of too many digits")
    }

    /// Both as they are: what cannot be called with is the call's `TypeError`, not the message's fault. None is no argument.
    private static func arguments(_ args: PickleView?, _ kwargs: PickleView?) throws -> TaskArguments {
        if let args, let kwargs { return TaskArguments(args: args, kwargs: kwargs) }
        guard args != nil || kwargs != nil else { return TaskArguments() }
        let none = try TaskArguments().views()
        return TaskArguments(args: args ?? none.args, kwargs: kwargs ?? none.kwargs)
    }

    private static func chord(_ view: PickleView, depth: Int, _ budget: inout Budget) throws -> ChordMembership {
        guard let elements = view.elements ?? view.object?.arguments, elements.count == 4 else {
            throw HueyError.malformedMessage("a chord membership that is no tuple of four")
        }
        let parts = Array(elements)
        try budget.take(parts[0])
        return ChordMembership(
            id: try String(pickle: parts[0]),
            size: try Int(pickle: parts[1]),
            index: try Int(pickle: parts[2]),
            callback: Next(try Message(pickle: parts[3], likely: "", depth: depth + 1, &budget))
        )
    }
}

extension PickleView {
    /// The Python type's name where it is known, for messages to people. Never a value: it may be secret.
    var briefType: String {
        switch kind {
        case .object: object?.className.map { "\($0.module).\($0.name)".bounded() } ?? "an object"
        case .none: "None"
        default: "\(kind)"
        }
    }
}

/// Writes messages for one wire version.
struct MessageEncoder {
    let wire: WireVersion
    /// What a registered task sets for fields that the producer left open; nil for a task that only Python knows.
    let defaults: @Sendable (String) -> TaskSettings?

    /// Writes the message as huey's named tuple.
    ///
    /// - Throws: ``HueyError`` `.wireTooOld` when the version has no field for what the message carries.
    func write(_ message: Message, to writer: inout PickleWriter) throws {
        if wire == .auto {
            try writeFields(message, to: &writer)
        } else {
            try writeFields(filled(message), to: &writer)
        }
    }

    private func writeFields(_ message: Message, to writer: inout PickleWriter) throws {
        let count: Int
        if let fixed = wire.fieldCount {
            let needed = Self.fieldsNeeded(by: message, zeroMatters: false)
            guard needed <= fixed else { throw HueyError.wireTooOld(wire, field: Self.names[needed - 1]) }
            count = fixed
        } else {
            count = Self.fieldsNeeded(by: message, zeroMatters: true)
        }
        try writer.writeNewObject(module: "huey.registry", name: "Message", argumentCount: count) { writer in
            if let id = message.wireID { try writer.write(id) } else { writer.write(message.id) }
            writer.write(message.name)
            try writer.write(message.eta)
            if let retries = message.wireRetries {
                try writer.write(retries)
            } else {
                try writer.write(message.retries)
            }
            try writer.write(message.retryDelay)
            try writer.write(message.priority)
            try message.arguments.writeArgs(to: &writer)
            try message.arguments.writeKwargs(to: &writer)
            try write(message.onComplete, to: &writer)
            try write(message.onError, to: &writer)
            if count > 10 { try writer.write(message.expires) }
            if count > 11 { try writer.write(message.expiresResolved) }
            if count > 12 { try writer.write(message.timeout) }
            if count > 13 { try write(message.chord, to: &writer) }
            if count > 14 { try writer.write(message.retryBackoff) }
        }
    }

    private func write(_ next: Message.Next?, to writer: inout PickleWriter) throws {
        if let next {
            try write(next.message, to: &writer)
        } else {
            writer.writeNone()
        }
    }

    private func write(_ chord: ChordMembership?, to writer: inout PickleWriter) throws {
        guard let chord else { return writer.writeNone() }
        try writer.writeTuple(count: 4) { writer in
            writer.write(chord.id)
            writer.write(chord.size)
            writer.write(chord.index)
            try write(chord.callback, to: &writer)
        }
    }

    /// A chosen version means that huey of that version wrote it: every field is set to what its `Task` would have.
    private func filled(_ message: Message) -> Message {
        var message = message
        let settings = defaults(message.name)
        if settings != nil || wire == .v2_0 {
            if message.retries == nil { message.retries = settings?.retries ?? 0 }
            message.retryDelay = message.retryDelay ?? settings?.retryDelay ?? 0
        }
        guard let settings else { return message }
        message.priority = message.priority ?? settings.priority
        if wire != .v2_0 { message.expires = message.expires ?? settings.expires }
        if wire == .v3_0 || wire == .v3_3 { message.timeout = message.timeout ?? settings.timeout }
        if wire == .v3_3 { message.retryBackoff = message.retryBackoff ?? settings.retryBackoff ?? 0 }
        return message
    }

    private static let names = [
        "id", "name", "eta", "retries", "retry_delay", "priority", "args", "kwargs", "on_complete", "on_error",
        "expires", "expires_resolved", "timeout", "chord_config", "retry_backoff",
    ]

    /// - Parameter zeroMatters: a release that has no field for a number does what 0 means; where the field may be there or not, 0 is
    ///   a value that a task's own default does not replace.
    private static func fieldsNeeded(by message: Message, zeroMatters: Bool) -> Int {
        func needs(_ isTrue: Bool?) -> Bool { isTrue.map { $0 || zeroMatters } ?? false }
        if needs(message.retryBackoff?.isTrue) { return 15 }
        if message.chord != nil { return 14 }
        if needs(message.timeout?.isTrue) { return 13 }
        if message.expiresResolved != nil { return 12 }
        if needs(message.expires?.isTrue) { return 11 }
        return 10
    }
}
