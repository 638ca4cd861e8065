import Foundation
import Huey
import Pickle
import Redis
import TestSupport
import Testing

@testable import HueyRedis

/// The operator's tool as a process, on a server that somebody else has written to.
@Suite("What the command huey prints")
struct ToolOutputTests {
    private let server: PrivateRedis
    private let storage: RedisStorage
    private let huey: Huey
    private let tool: Tool

    init() throws {
        server = try PrivateRedis()
        huey = Huey("tool", storage: try RedisStorage(url: server.url()))
        storage = try #require(huey.storage as? RedisStorage)
        tool = try Tool("huey")
    }

    private func run(_ arguments: String...) async throws -> Tool.Run {
        let run = try await tool.run(arguments, environment: ["HUEY_URL": server.url()])
        let unsafe = run.unsafeLines
        #expect(unsafe.isEmpty, "\(arguments): \(unsafe.map(\.debugDescription))")
        return run
    }

    private func message() -> Message {
        var message = Message(
            id: HostileText.text,
            name: HostileText.text,
            arguments: TaskArguments([HostileText.text])
        )
        message.onComplete = Message.Next(Message(id: HostileText.text, name: HostileText.text))
        return message
    }

    @Test("pending, scheduled and status")
    func queues() async throws {
        try await huey.enqueue(message())
        var later = message()
        later.eta = PickleDateTime(year: 2099, month: 1, day: 1)
        try await storage.addToSchedule(huey.serialize(later), at: #require(later.eta))
        #expect(try await run("pending", "-n", "tool").output.hasPrefix(#"x\r\nFORGED\x85FORGED\u2028FORGED\x1b[2J"#))
        #expect(try await run("scheduled", "-n", "tool").output.contains(#"\x9b31m\x08\x7f\u202e\u2066"#))
        #expect(try await run("status", "-n", "tool").status == 0)
        await huey.close()
    }

    @Test("help has lines", arguments: [["--help"], ["enqueue", "--help"], ["help", "dead"]])
    func help(arguments: [String]) async throws {
        let run = try await tool.run(arguments, environment: [:])
        #expect(run.status == 0)
        #expect(run.output.split(separator: "\n").count > 8)
        #expect(!run.output.contains(#"\n"#))
    }

    @Test("negative numbers are arguments, a misspelt option is none")
    func negativeNumbers() async throws {
        #expect(try await run("enqueue", "tasks.add", "-5", "-1.5", "3", "-n", "tool", "--delay", "-5").status == 0)
        #expect(try await run("enqueue", "tasks.add", "-n", "tool", "--", "-x", "--delay").status == 0)
        #expect(try await run("enqueue", "tasks.add", "-n", "tool", "--dealy", "5").status != 0)
        let waiting = try await huey.pending() + huey.scheduled()
        let texts = try waiting.map { try $0.arguments.views().args.repr }
        #expect(Set(texts) == ["(-5, -1.5, 3)", "('-x', '--delay')"])
        await huey.close()
    }

    @Test("results and errors of tasks")
    func results() async throws {
        try await storage.putData(PickleValue.string(HostileText.text).pickled(), forKey: "text", isResult: true)
        // huey's error: an instance of huey.utils.Error with a dict.
        let error = PickleValue.dict([
            "error": .string(HostileText.text), "task_id": "x", "retries": 0, "traceback": "",
        ])
        let failure = try PickleValue.tuple([error]).pickled(protocol: 2)
        let body = Array("\u{63}huey.utils\nError\n".utf8) + failure.dropFirst(2).dropLast() + [0x81, 0x2E]
        try await storage.putData([0x80, 2] + body, forKey: "error", isResult: true)
        #expect(try await run("result", "text", "-n", "tool").output.contains(#"\x1b[2J"#))
        let failed = try await run("result", "error", "-n", "tool")
        #expect(failed.status != 0)
        #expect(failed.errors.contains(#"x\r\nFORGED"#))
        _ = try await run("result", HostileText.text, "-n", "tool")
        await huey.close()
    }

    @Test("dead letters")
    func letters() async throws {
        let detail = String(repeating: HostileText.text, count: 10_000)
        let time = TimeSource.system.microseconds()
        try await storage.bury(DeadLetter(data: huey.serialize(message()), reason: .failed, detail: detail, time: time))
        try await storage.bury(DeadLetter(data: [0x2E], reason: .undecodable, detail: HostileText.text, time: time))
        let list = try await run("dead", "list", "-n", "tool")
        #expect(list.output.split(separator: "\n").count == 2)
        #expect(list.output.utf8.count < 2 * 17_000)
        for entry in try await storage.deadLetterEntries() {
            #expect(
                try await run("dead", "show", entry.id, "-n", "tool", "--arguments").output.contains(#"\u2028FORGED"#)
            )
        }
        #expect(try await run("dead", "show", HostileText.text, "-n", "tool").errors.contains(#"\x1b[2J"#))
        #expect(try await run("dead", "requeue", "--all", "-n", "tool").status == 0)
        await huey.close()
    }

    @Test("what a server answers, and what was typed")
    func errors() async throws {
        let error = HostileText.text.replacing("\r\n", with: "").replacing("\u{85}", with: "")
        let hostile = try HostileRedis(error: error)
        for command in [
            ["status"], ["pending"], ["scheduled"], ["result", "x"], ["dead", "list"], ["dead", "show", "x"],
            ["enqueue", "x"], ["enqueue", "x", "--count", "2"], ["dead", "drop", "x"],
        ] {
            let run = try await tool.run(command + ["--url", hostile.url])
            #expect(run.status != 0)
            #expect(run.unsafeLines.isEmpty, "\(command)")
            #expect((run.errors + run.output).contains(#"\x1b[2J"#), "\(command): \(run.errors)")
        }
        for command in [
            ["--\(HostileText.text)"], [HostileText.text], ["status", "--storage", HostileText.text],
            ["status", "--url", HostileText.text], ["pickle", "show", HostileText.text],
            ["enqueue", "x", "-k", HostileText.text],
        ] {
            let run = try await tool.run(command)
            #expect(run.status != 0)
            #expect(run.unsafeLines.isEmpty, "\(command): \(run.unsafeLines.map(\.debugDescription))")
        }
    }

    @Test("pickles, as text and as JSON")
    func pickles() async throws {
        let text = HostileText.text
        let path = server.directory + "/x.pickle"
        func show(_ bytes: [UInt8], _ command: String) async throws -> Tool.Run {
            #expect(FileManager.default.createFile(atPath: path, contents: Data(bytes)))
            return try await run("pickle", command, path)
        }
        let name = [0x8C, UInt8(text.utf8.count)] + Array(text.utf8)
        // The class x.text, made by STACK_GLOBAL; a float that is none, which pickletools prints as it came.
        #expect(try await show([0x80, 4] + name + name + [0x93, 0x2E], "show").output.contains(#"\x1b[2J"#))
        #expect(try await show([0x46] + Array("\u{1B}[2J\n.".utf8), "show").output.contains(#"\x1b[2J"#))
        let value = PickleValue.dict([.string(text): .string(text + "😀ü")])
        let json = try await show(value.pickled(), "json").output
        #expect(json.utf8.allSatisfy { $0 < 0x7F })
        let decoded = try JSONDecoder().decode([String: String].self, from: Data(json.utf8))
        #expect(decoded.first?.value.unicodeScalars.elementsEqual((text + "😀ü").unicodeScalars) == true)
        #expect(decoded.first?.key.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
    }
}
