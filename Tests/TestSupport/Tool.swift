import Foundation
import Testing

/// One of the package's executables, run as a process of its own.
public struct Tool: Sendable {
    /// What a run left behind.
    public struct Run: Sendable {
        public var status: Int32
        public var output: String
        public var errors: String

        /// The lines of both streams that show something else than safe text, or begin like a forged line.
        public var unsafeLines: [String] {
            (output + "\n" + errors).utf8.split(separator: UInt8(ascii: "\n")).map {
                String(decoding: $0, as: UTF8.self)
            }
            .filter { !HostileText.isSafe($0) }
        }
    }

    private let path: String

    /// The executable beside the test bundle, which `swift build --build-tests` builds.
    public init(_ name: String) throws {
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
        var folder = URL(fileURLWithPath: bundle)
        repeat { folder.deleteLastPathComponent() } while folder.path.contains(".xctest")
        path = folder.appendingPathComponent(name).path
        try #require(FileManager.default.isExecutableFile(atPath: path), "\(path) is not built")
    }

    /// Runs it to its end, away from the threads of Swift's tasks.
    public func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        directory: String? = nil
    ) async throws -> Run {
        let path = path
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try Self.run(path, arguments, environment, directory) })
            }
        }
    }

    private static func run(
        _ path: String,
        _ arguments: [String],
        _ environment: [String: String],
        _ directory: String?
    ) throws -> Run {
        let names = ["output", "errors"].map {
            NSTemporaryDirectory() + "/tool-\(UInt64.random(in: 0...UInt64.max))-\($0)"
        }
        for name in names { _ = FileManager.default.createFile(atPath: name, contents: nil) }
        defer { for name in names { try? FileManager.default.removeItem(atPath: name) } }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: names[0])
        process.standardError = FileHandle(forWritingAtPath: names[1])
        try process.run()
        process.waitUntilExit()
        let texts = names.map { String(decoding: FileManager.default.contents(atPath: $0) ?? Data(), as: UTF8.self) }
        return Run(status: process.terminationStatus, output: texts[0], errors: texts[1])
    }
}

/// Text that forges a log line, drives a terminal, and hides and reorders what is around it.
public enum HostileText {
    /// What a forged line begins with.
    public static let forged = "FORGED"
    public static let text =
        "x\r\n\(forged)\u{85}\(forged)\u{2028}\(forged)\u{1B}[2J\u{1B}]0;title\u{07}\u{9B}31m\u{08}\u{7F}\u{202E}\u{2066}\u{200B}"
        + "\u{AD}\u{FEFF}\u{E0041}\u{3164}\u{E000}"

    /// Whether a line of output has only characters that a terminal shows as themselves, and is not forged.
    ///
    /// This is the tests' own list, apart from the one that is tested.
    public static func isSafe(_ line: String) -> Bool {
        !line.hasPrefix(forged)
            && line.unicodeScalars.allSatisfy { scalar in
                switch scalar.value {
                case 0..<0x20, 0x7F..<0xA0, 0xAD, 0x61C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0x3164,
                    0xE000...0xF8FF, 0xFEFF, 0xE0000...0xE0FFF:
                    false
                default: true
                }
            }
    }
}
