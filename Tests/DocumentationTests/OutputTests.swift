import Foundation
import Testing

/// Text from outside reaches a terminal or a log through `SafeText` only, so few files may write at all.
@Suite("What may write to a terminal")
struct OutputTests {
    private static let sources = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Sources")

    /// The files that may hold each, and why nothing unsafe gets out of them.
    private static let allowed: [String: Set<String>] = [
        // They escape.
        "Swift.print(": ["HueyTool/Output.swift", "EduMFAQueueHuey/Output.swift"],
        // Data for programs, and a report that is escaped.
        "StandardStreams.write(": ["HueyTool/PickleConversions.swift", "HueyTool/HueyTool+Main.swift"],
        // Handlers of the log, and errors that are escaped.
        "standardError.write(": ["HueyConsumer/ConsumerCommand.swift"],
        "output.write(": ["HueyConsumer/HueyLogHandler.swift", "EduMFAQueueHuey/EduMFALogHandler.swift"],
        "FileHandle.standard": [], "fputs(": [], "putchar(": [], "debugPrint(": [], "NSLog(": [],
        // The log on a standard stream, whose handler escapes.
        "STDOUT_FILENO": ["EduMFAQueue/Log/LogFile.swift"],
        "STDERR_FILENO": [
            "HueyConsumer/HueyLogHandler.swift", "EduMFAQueue/Log/LogFile.swift", "HueyTool/HueyTool+Main.swift",
        ],
    ]

    /// Modules whose `print` is their own and escapes.
    private static let escaping = ["HueyTool/", "EduMFAQueueHuey/"]
    /// Other files that print: text of ours.
    private static let printing: Set<String> = [
        "HueyConsumer/ConsumerCommand.swift", "InteropWorker/InteropWorker.swift",
    ]

    @Test("only the files that escape")
    func files() throws {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: Self.sources.path)
            .filter { $0.hasSuffix(".swift") }
        #expect(paths.count > 100)
        for path in paths {
            let text = try String(contentsOf: Self.sources.appendingPathComponent(path), encoding: .utf8)
            for (word, files) in Self.allowed where !files.contains(path) {
                #expect(!text.contains(word), "\(path) has \(word)")
            }
            guard !Self.escaping.contains(where: path.hasPrefix), !Self.printing.contains(path) else { continue }
            for line in text.split(separator: "\n") where !line.contains("///") && !line.contains("func print(") {
                #expect(line.firstMatch(of: #/(^|[^.\w])print\(/#) == nil, "\(path): \(line)")
            }
        }
    }
}
