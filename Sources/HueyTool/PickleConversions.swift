import ArgumentParser
import Pickle

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where a pickle comes from.
struct PickleInput: ParsableArguments {
    @Argument(help: "The file with the pickle; standard input when there is none.")
    var file: String?

    func read() throws -> [UInt8] {
        guard let file, file != "-" else { return StandardStreams.readToEnd() }
        do {
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
            throw ValidationError("cannot read \(file)")
        }
    }
}

struct PickleJSONCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "json",
        abstract: "Print the value as JSON.",
        discussion: """
            Tuples and sets become arrays, bytes text where they are UTF-8 and {"$base64": …} where they are not, other \
            objects {"$class": …}, keys of dicts that are not str their repr.
            """
    )

    @OptionGroup var input: PickleInput

    func run() throws {
        var printer = PickleJSONPrinter()
        try printer.print(PickleDocument(input.read()).root, depth: 0)
        StandardStreams.write(printer.text + [0x0A])
    }
}

struct PickleTimeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "time",
        abstract: "Measure decoding and encoding again of a whole pickle: CPU nanoseconds of one operation."
    )

    @Argument(help: "The file with the pickle.")
    var file: String

    @Option(help: "How often to do each.")
    var count = 100_000

    func validate() throws {
        if count < 1 { throw ValidationError("--count must be positive") }
    }

    func run() throws {
        var input = PickleInput()
        input.file = file
        let bytes = try input.read()
        let document = try PickleDocument(bytes)
        var sink = 0
        let start = Self.processorTime()
        for _ in 0..<count { sink &+= try PickleDocument(bytes).pickleProtocol }
        let middle = Self.processorTime()
        for _ in 0..<count { sink &+= try document.encoded().count }
        let end = Self.processorTime()
        withExtendedLifetime(sink) {
            print("decode \((middle - start) / count) encode \((end - middle) / count)")
        }
    }

    private static func processorTime() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
    }
}

struct PickleRecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recode",
        abstract: "Decode pickles and encode them again.",
        discussion: """
            With --stream, reads from standard input 4 bytes big-endian length and that many bytes, again and again, and \
            answers each with a status byte (0 pickle, 1 error), 4 bytes big-endian length and the new pickle or the \
            error's text. Without it, recodes the whole input once.
            """
    )

    @Flag(help: "Answer frame after frame until the input ends.")
    var stream = false

    @Option(name: .customLong("protocol"), help: "The protocol to write, 0 to 5; each pickle's own by default.")
    var version: Int?

    @Argument(help: "The file with the pickle; standard input when there is none.")
    var file: String?

    func validate() throws {
        if let version, !(0...5).contains(version) { throw ValidationError("--protocol must be 0 to 5") }
    }

    func run() throws {
        guard stream else {
            var input = PickleInput()
            input.file = file
            StandardStreams.write(try recode(input.read()))
            return
        }
        while let head = StandardStreams.read(4) {
            guard let bytes = StandardStreams.read(head.reduce(0) { $0 << 8 | Int($1) }) else { return }
            let status: UInt8
            let answer: [UInt8]
            do {
                answer = try recode(bytes)
                status = 0
            } catch {
                answer = Array("\(error)".utf8)
                status = 1
            }
            let length = UInt32(truncatingIfNeeded: answer.count)
            let header = [status] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * UInt32($0))) }
            if !StandardStreams.write(header + answer) { return }
        }
    }

    /// What passes through is not walked, so that sharing may expand without bound.
    private func recode(_ bytes: [UInt8]) throws -> [UInt8] {
        let limits = PickleLimits(bytes: .max, nodes: .max, nesting: .max, expansion: .max, memory: .max)
        return try PickleDocument(bytes, limits: limits).encoded(protocol: version)
    }
}

/// Standard input and output in whole pieces.
enum StandardStreams {
    /// Reads exactly so many bytes; `nil` at the end of input. Memory grows with what arrives, not with what is announced.
    static func read(_ count: Int) -> [UInt8]? {
        var result: [UInt8] = []
        while result.count < count {
            guard let piece = some(min(count - result.count, 1 << 20)) else { return nil }
            result += piece
        }
        return result
    }

    static func readToEnd() -> [UInt8] {
        var result: [UInt8] = []
        while let piece = some(1 << 16) { result += piece }
        return result
    }

    private static func some(_ most: Int) -> [UInt8]? {
        let piece = [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
            var got = -1
            repeat {
                #if canImport(Glibc)
                    got = Glibc.read(0, buffer.baseAddress, most)
                #elseif canImport(Musl)
                    got = Musl.read(0, buffer.baseAddress, most)
                #else
                    got = Darwin.read(0, buffer.baseAddress, most)
                #endif
            } while got < 0 && errno == EINTR
            count = max(0, got)
        }
        return piece.isEmpty ? nil : piece
    }

    /// Writes everything at once, as it is.
    ///
    /// - Returns: whether that worked.
    @discardableResult
    static func write(_ bytes: [UInt8], to descriptor: Int32 = 1) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                #if canImport(Glibc)
                    Glibc.write(descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done)
                #elseif canImport(Musl)
                    Musl.write(descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done)
                #else
                    Darwin.write(descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done)
                #endif
            }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return false }
            done += count
        }
        return true
    }
}
