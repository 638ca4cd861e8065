import Foundation
import Huey
import Logging
import Pickle
import Redis
import TestSupport
import Testing

@testable import EduMFAQueue

/// The executable edumfa-queue-huey as a process, on a queue that somebody else has written to.
@Suite("What edumfa-queue-huey prints and logs")
struct WorkerOutputTests {
    private let redis: PrivateRedis
    private let queue: HueyQueue
    private let tool: Tool

    init() throws {
        redis = try PrivateRedis()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        queue = try HueyQueue(options: ["url": .string(redis.url()), "name": "huey"], logger: logger)
        tool = try Tool("edumfa-queue-huey")
    }

    private func run(_ arguments: String..., url: String? = nil) async throws -> Tool.Run {
        let config = redis.directory + "/edumfa.cfg"
        let text = """
            EDUMFA_JOB_QUEUE_CLASS = 'edumfa.lib.queues.huey_queue.HueyQueue'
            EDUMFA_LOGCONFIG = '/nowhere'
            """
        #expect(FileManager.default.createFile(atPath: config, contents: Data(text.utf8)))
        let run = try await tool.run(
            arguments + ["--config", config, "--url", url ?? redis.url(), "--name", "huey"],
            directory: redis.directory
        )
        #expect(run.unsafeLines.isEmpty, "\(arguments): \(run.unsafeLines.map(\.debugDescription))")
        return run
    }

    private func message(task: String, id: String = HostileText.text) throws -> Message {
        let config: PickleValue = ["server": "127.0.0.1", "port": 1]
        return Message(
            id: id,
            name: task,
            arguments: TaskArguments([config, HostileText.text, HostileText.text, "body"])
        )
    }

    @Test("dead letters are shown without what a terminal would obey, and found by the id that is printed")
    func letters() async throws {
        let data = try queue.huey.serialize(message(task: HostileText.text))
        let detail = String(repeating: HostileText.text, count: 1000)
        try await queue.huey.storage.bury(DeadLetter(data: data, reason: .failed, detail: detail, time: 1))
        try await queue.huey.storage.bury(DeadLetter(data: [1], reason: .failed, detail: HostileText.text, time: 1))
        let list = try await run("dead", "list")
        #expect(list.output.split(separator: "\n").count == 2)
        let id = #"x\r\nFORGED\x85"#
        #expect(list.output.contains(id))
        #expect(try await run("dead", "show", id).output.contains(#"\x1b[2J"#))
        #expect(try await run("dead", "show", HostileText.text + "!").errors.contains(#"\u202e"#))
        #expect(try await run("dead", "send-again", "--all").status == 0)
        await queue.close()
    }

    @Test("what a server answers, and what was typed")
    func errors() async throws {
        let error = HostileText.text.replacing("\r\n", with: "").replacing("\u{85}", with: "")
        let hostile = try HostileRedis(error: error)
        for arguments in [["--check"], ["dead", "list"]] {
            let run = try await tool.run(
                arguments + ["--url", hostile.url, "--set", "EDUMFA_JOB_QUEUE_CLASS=x.HueyQueue"],
                directory: redis.directory
            )
            #expect(run.status != 0)
            #expect(run.unsafeLines.isEmpty, "\(arguments): \(run.unsafeLines.map(\.debugDescription))")
            #expect((run.output + run.errors).contains(#"\x1b[2J"#), "\(arguments): \(run.output) \(run.errors)")
        }
        _ = try await run("--check", "--set", "EDUMFA_JOB_QUEUE_CLASS=\(HostileText.text)")
        _ = try await run("--check", "--set", "EDUMFA_JOB_QUEUE_NAME=\(HostileText.text)")
        _ = try await run("--\(HostileText.text)")
        _ = try await run("-l", "/\(HostileText.text)/x.log")
    }

    @Test("no line of the log is forged")
    func log() async throws {
        try await queue.huey.enqueue(message(task: HostileText.text))
        try await queue.huey.enqueue(
            message(task: "edumfa.lib.smtpserver.smtpserver.send_email", id: HostileText.text + "2")
        )
        let path = redis.directory + "/edumfa-queue.log"
        async let run = run("-l", path, "-v", "-M", "2", "--retry-for", "0")
        while try await deadLetters() < 2 {
            try await Task.sleep(for: .milliseconds(20))
        }
        try await stop()
        #expect(try await run.status == 0)
        let lines = try String(contentsOfFile: path, encoding: .utf8).utf8.split(separator: UInt8(ascii: "\n"))
            .map { String(decoding: $0, as: UTF8.self) }
        let form =
            #/(!!!Log Entry Secured by SecureFormatter!!! )?\[.{23}\]\[\d+\]\[\d+\]\[[A-Z]+\]\[[a-zA-Z.]+:\d+\] .*/#
        let odd = lines.filter { $0.wholeMatch(of: form) == nil && !$0.hasPrefix("+ ") }
        #expect(odd.isEmpty, "\(odd.map(\.debugDescription))")
        #expect(lines.allSatisfy { $0.utf8.allSatisfy { (0x20...0x7E).contains($0) } && $0.utf8.count < 17_000 })
        #expect(lines.contains { $0.hasPrefix("!!!Log Entry Secured") && $0.contains(#"\x1b[2J"#) })
        await queue.close()
    }

    private func deadLetters() async throws -> Int {
        try await queue.client.command("LLEN", .init(queue.keys.dead)).integer ?? 0
    }

    /// Ends the worker, whose process id is in its first line.
    private func stop() async throws {
        let log = try String(contentsOfFile: redis.directory + "/edumfa-queue.log", encoding: .utf8)
        let match = try #require(log.firstMatch(of: #/PID (\d+)/#))
        kill(try #require(Int32(match.1)), SIGINT)
    }
}
