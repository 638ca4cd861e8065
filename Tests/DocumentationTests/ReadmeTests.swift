import Foundation
import Testing

/// The README's code is the examples' code, and the examples are compiled.
struct ReadmeTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// The fenced blocks of a language in the README.
    private static func blocks(of language: String) throws -> [String] {
        try text("README.md").components(separatedBy: "```\(language)\n").dropFirst()
            .compactMap { $0.components(separatedBy: "```").first }
    }

    @Test(
        "every block of Swift and Python in the README stands in an example",
        arguments: [
            ("swift", ["Worker/Worker.swift", "Producer/main.swift", "Pickle/main.swift"]),
            ("python", ["python/tasks.py", "python/produce.py"]),
        ]
    )
    func blocksAreExamples(language: String, paths: [String]) throws {
        let examples = try paths.map { try Self.text("Examples/\($0)") }
        let blocks = try Self.blocks(of: language)
        #expect(!blocks.isEmpty)
        for block in blocks {
            #expect(examples.contains { $0.contains(block) }, "no example has:\n\(block)")
        }
    }
}
