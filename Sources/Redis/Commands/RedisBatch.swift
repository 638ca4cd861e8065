internal import NIOCore

/// Commands encoded back to back: they go out in one write, and each gets one reply.
///
///     var batch = RedisBatch()
///     batch.append("SET", "greeting", "hello")
///     batch.append("GET", "greeting")
///     let replies = try await client.execute(batch)
///
/// Where many commands are built, ``command(_:argumentCount:)`` and ``argument(_:)-(String)`` write straight into the
/// batch's buffer. A batch is not atomic; ``transaction(_:)`` is.
public struct RedisBatch: Sendable {
    /// What would make a server's view of the batch differ from ours.
    enum Fault: Sendable {
        case argumentCount
        case tooLarge
    }

    /// The encoded commands.
    private(set) var buffer = ByteBuffer()
    /// Arguments that the last command still lacks; negative if it got too many.
    private var missingArguments = 0
    private var recordedFault: Fault?
    /// How many arguments the commands make as arguments of a script; nil for commands of their own.
    private var scriptArgumentCount: Int?

    /// The number of commands, and so of replies.
    public private(set) var count = 0

    /// A server's limit for one string is 512 MB; NIO's for a buffer is 4 GB.
    static let maximumByteCount = 1 << 30

    /// No commands yet.
    public init() {}

    /// No commands yet, with room for `byteCount` bytes of them.
    public init(reservingCapacity byteCount: Int) {
        buffer.reserveCapacity(min(max(byteCount, 0), Self.maximumByteCount))
    }

    /// No commands yet; those that come are arguments of a script that carries them out: for each command how many words it has, and the
    /// words. See ``evaluate(_:bySource:keys:arguments:commands:)``.
    package static func forScript(reservingCapacity byteCount: Int = 0) -> RedisBatch {
        var batch = RedisBatch(reservingCapacity: byteCount)
        batch.scriptArgumentCount = 0
        return batch
    }

    /// Whether the commands are arguments of a script.
    package var isForScript: Bool { scriptArgumentCount != nil }

    /// The size of the encoded commands in bytes.
    public var byteCount: Int { buffer.readableBytes }

    /// Whether there are no commands.
    public var isEmpty: Bool { count == 0 }

    /// What is wrong with the batch, if anything.
    var fault: Fault? { recordedFault ?? (missingArguments == 0 ? nil : .argumentCount) }

    /// Removes all commands and keeps the memory for the next ones, unless the batch is still being sent.
    public mutating func removeAll() {
        buffer.clear()
        count = 0
        missingArguments = 0
        recordedFault = nil
    }

    /// Adds a command with its arguments. A subcommand is an argument: `append("CLIENT", "ID")`.
    public mutating func append(_ name: StaticString, _ arguments: RedisArgument...) {
        append(name, arguments)
    }

    /// Adds a command with its arguments.
    public mutating func append(_ name: StaticString, _ arguments: [RedisArgument]) {
        command(name, argumentCount: arguments.count)
        for argument in arguments { self.argument(argument) }
    }

    /// Adds all commands of another batch.
    public mutating func append(contentsOf other: RedisBatch) {
        if missingArguments != 0 { recordedFault = .argumentCount }
        guard hasRoom(other.byteCount) else { return }
        var bytes = other.buffer
        buffer.writeBuffer(&bytes)
        count += other.count
        missingArguments = other.missingArguments
        recordedFault = recordedFault ?? other.recordedFault
    }

    /// Begins a command; exactly `argumentCount` calls of `argument` must follow.
    public mutating func command(_ name: StaticString, argumentCount: Int) {
        if missingArguments != 0 { recordedFault = .argumentCount }
        missingArguments = argumentCount
        count += 1
        // Enough for most single commands, instead of growing three times.
        if buffer.capacity == 0 { buffer.reserveCapacity(256) }
        if let words = scriptArgumentCount { scriptArgumentCount = words + argumentCount + 2 }
        let isScripted = scriptArgumentCount != nil
        name.withUTF8Buffer { name in
            guard hasRoom(name.count + 3 * Self.headerSize) else { return }
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: name.count + 3 * Self.headerSize) { target in
                var writer = RESPWriter(target)
                if isScripted {
                    writer.bulk(argumentCount + 1)
                } else {
                    writer.header(UInt8(ascii: "*"), argumentCount + 1)
                }
                writer.bulk(UnsafeRawBufferPointer(name))
                return writer.offset
            }
        }
    }

    /// Adds an argument to the command that was begun: a string's UTF-8.
    public mutating func argument(_ string: String) {
        var string = string
        string.withUTF8 { argument(UnsafeRawBufferPointer($0)) }
    }

    /// Adds an argument to the command that was begun: two strings' UTF-8, one behind the other.
    public mutating func argument(_ prefix: String, _ string: String) {
        var string = string
        string.withUTF8 { argument(prefix, UnsafeRawBufferPointer($0)) }
    }

    /// Adds an argument to the command that was begun: a string's UTF-8, and bytes behind it.
    public mutating func argument(_ prefix: String, _ bytes: UnsafeRawBufferPointer) {
        missingArguments -= 1
        let count = prefix.utf8.count + bytes.count
        guard hasRoom(count + Self.headerSize) else { return }
        var prefix = prefix
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count + Self.headerSize) { target in
            var writer = RESPWriter(target)
            prefix.withUTF8 { writer.bulk(UnsafeRawBufferPointer($0), bytes) }
            return writer.offset
        }
    }

    /// Adds an argument to the command that was begun.
    public mutating func argument(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { argument($0) }
    }

    /// Adds an argument to the command that was begun.
    public mutating func argument(_ bytes: UnsafeRawBufferPointer) {
        missingArguments -= 1
        guard hasRoom(bytes.count + Self.headerSize) else { return }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.count + Self.headerSize) { target in
            var writer = RESPWriter(target)
            writer.bulk(bytes)
            return writer.offset
        }
    }

    /// Adds many arguments to the command that was begun.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - byteCount: how many bytes they have together, at most.
    ///   - body: writes exactly so many.
    package mutating func arguments(_ count: Int, byteCount: Int, _ body: (inout ArgumentWriter) -> Void) {
        missingArguments -= count
        let (headers, isOver) = count.multipliedReportingOverflow(by: Self.headerSize)
        guard !isOver, hasRoom(headers), hasRoom(headers &+ byteCount) else {
            recordedFault = .tooLarge
            return
        }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: headers + byteCount) { target in
            var writer = ArgumentWriter(RESPWriter(target), byteCount)
            body(&writer)
            return writer.resp.offset
        }
    }

    /// Writes arguments into memory that is large enough for what was announced; more than that is left out.
    package struct ArgumentWriter {
        fileprivate var resp: RESPWriter
        private var left: Int

        fileprivate init(_ resp: RESPWriter, _ byteCount: Int) {
            self.resp = resp
            left = byteCount
        }

        /// Writes an argument.
        @inline(__always)
        package mutating func add(_ bytes: UnsafeRawBufferPointer) {
            left -= bytes.count
            precondition(left >= 0, "more bytes than announced")
            resp.bulk(bytes)
        }

        /// Writes an argument of two parts.
        @inline(__always)
        package mutating func add(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) {
            left -= first.count + second.count
            precondition(left >= 0, "more bytes than announced")
            resp.bulk(first, second)
        }
    }

    /// Adds an argument to the command that was begun: an integer in decimal.
    public mutating func argument(_ int: Int) {
        missingArguments -= 1
        guard hasRoom(2 * Self.headerSize) else { return }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 2 * Self.headerSize) { target in
            var writer = RESPWriter(target)
            writer.bulk(int)
            return writer.offset
        }
    }

    /// Adds an argument to the command that was begun: a number as Python's `repr` writes it.
    public mutating func argument(_ double: Double) {
        argument(double.pythonText)
    }

    /// Adds an argument to the command that was begun.
    public mutating func argument(_ argument: RedisArgument) {
        switch argument.value {
        case .string(let string): self.argument(string)
        case .bytes(let bytes): self.argument(bytes)
        case .int(let int): self.argument(int)
        case .double(let double): self.argument(double)
        }
    }

    /// Adds the call of a script whose last arguments are commands: by its hash, or with its text.
    package mutating func evaluate(
        _ script: RedisScript,
        bySource: Bool = false,
        keys: [RedisArgument],
        arguments: [RedisArgument],
        commands: RedisBatch
    ) {
        let words = commands.scriptArgumentCount ?? 0
        command(
            bySource ? "EVAL" : "EVALSHA",
            argumentCount: 2 + keys.count + arguments.count + words
        )
        argument(bySource ? script.source : script.sha1)
        argument(keys.count)
        for key in keys { argument(key) }
        for argument in arguments { self.argument(argument) }
        missingArguments -= words
        guard hasRoom(commands.byteCount) else { return }
        var bytes = commands.buffer
        buffer.writeBuffer(&bytes)
        recordedFault = recordedFault ?? commands.fault
    }

    /// Adds `MULTI`, the commands of `body`, and `EXEC`: two replies more than commands, of which the last holds the
    /// others' results. If `body` throws, nothing is added.
    public mutating func transaction(_ body: (inout RedisBatch) throws -> Void) rethrows {
        let before = (buffer.writerIndex, count, missingArguments, recordedFault)
        command("MULTI", argumentCount: 0)
        do {
            try body(&self)
        } catch {
            buffer.moveWriterIndex(to: before.0)
            (count, missingArguments, recordedFault) = (before.1, before.2, before.3)
            throw error
        }
        command("EXEC", argumentCount: 0)
    }

    /// A type byte, 20 characters of an integer, and CR LF after it and after what it announces.
    private static let headerSize = 25

    private mutating func hasRoom(_ size: Int) -> Bool {
        guard size <= Self.maximumByteCount - buffer.readableBytes else {
            recordedFault = .tooLarge
            return false
        }
        return true
    }
}

/// Writes RESP into memory that is known to be large enough.
fileprivate struct RESPWriter {
    private let target: UnsafeMutableRawBufferPointer
    private(set) var offset = 0

    init(_ target: UnsafeMutableRawBufferPointer) { self.target = target }

    mutating func header(_ type: UInt8, _ length: Int) {
        byte(type)
        decimal(UInt(bitPattern: max(length, 0)))
        newline()
    }

    mutating func bulk(_ bytes: UnsafeRawBufferPointer) {
        header(UInt8(ascii: "$"), bytes.count)
        copy(bytes)
        newline()
    }

    mutating func bulk(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) {
        header(UInt8(ascii: "$"), first.count + second.count)
        copy(first)
        copy(second)
        newline()
    }

    private mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, let start = target.baseAddress else { return }
        (start + offset).copyMemory(from: base, byteCount: bytes.count)
        offset += bytes.count
    }

    mutating func bulk(_ int: Int) {
        let magnitude = int.magnitude
        header(UInt8(ascii: "$"), Self.digits(magnitude) + (int < 0 ? 1 : 0))
        if int < 0 { byte(UInt8(ascii: "-")) }
        decimal(magnitude)
        newline()
    }

    private mutating func byte(_ byte: UInt8) {
        target[offset] = byte
        offset += 1
    }

    private mutating func newline() {
        byte(UInt8(ascii: "\r"))
        byte(UInt8(ascii: "\n"))
    }

    private mutating func decimal(_ number: UInt) {
        let count = Self.digits(number)
        var rest = number
        var position = offset + count
        repeat {
            position -= 1
            target[position] = UInt8(truncatingIfNeeded: 48 &+ rest % 10)
            rest /= 10
        } while rest > 0
        offset += count
    }

    private static func digits(_ number: UInt) -> Int {
        var count = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        return count
    }
}
