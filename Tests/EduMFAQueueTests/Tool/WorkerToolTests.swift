import Foundation
import Huey
import Logging
import Pickle
import Redis
import TestSupport
import Testing

@testable import EduMFAQueue

/// What an administrator reads when edumfa-queue-huey is started in vain, or asked.
@Suite("What edumfa-queue-huey tells an administrator")
struct WorkerToolTests {
    private let redis: PrivateRedis
    private let queue: HueyQueue
    private let tool: Tool

    init() throws {
        redis = try PrivateRedis()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        queue = try HueyQueue(options: ["url": .string(redis.url()), "name": "huey"], logger: logger)
        tool = try Tool("edumfa-queue-huey")
        try Data(repeating: 1, count: 96).write(to: URL(fileURLWithPath: redis.directory + "/enckey"))
    }

    private static let basics = ["--set", "EDUMFA_JOB_QUEUE_CLASS=x.HueyQueue", "--set", "EDUMFA_LOGCONFIG=/nowhere"]

    private func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Tool.Run {
        let keys = ["--key-file", redis.directory + "/enckey"]
        return try await tool.run(
            arguments + Self.basics + (arguments.contains("--check") ? keys : []),
            environment: ["EDUMFA_CONFIGFILE": redis.directory + "/none.cfg"].merging(environment) { $1 },
            directory: redis.directory
        )
    }

    private var log: String {
        (try? String(contentsOfFile: redis.directory + "/edumfa-queue.log", encoding: .utf8)) ?? ""
    }

    @Test("a start in vain is an ERROR in the log")
    func fatal() async throws {
        try await queue.client.command("CONFIG", "SET", "requirepass", "right")
        var run = try await run(["--url", redis.url().replacing("unix://", with: "unix://:wrong@")])
        #expect(run.status == 1)
        #expect(log.contains("[ERROR]") && log.contains("WRONGPASS"), "\(log)")
        #expect(!log.contains(":wrong@"))
        let other = redis.directory + "/other.log"
        run = try await self.run(["--config", "/no/such.cfg", "-l", other])
        #expect(run.status == 1 && run.errors.contains("/no/such.cfg does not exist"))
        let text = try String(contentsOfFile: other, encoding: .utf8)
        #expect(text.contains("[ERROR]") && text.contains("/no/such.cfg does not exist"))
        run = try await self.run(["--url", redis.url(), "-l", "/no/such/folder/x.log"])
        #expect(run.status == 1 && log.contains("/no/such/folder/x.log cannot be opened"), "\(log)")
        let config = redis.directory + "/broken.cfg"
        try "A = 1\nEDUMFA_ENCFILE = = 3\n".write(toFile: config, atomically: true, encoding: .utf8)
        run = try await self.run(["--config", config])
        #expect(run.status == 1 && log.contains("syntax error in \(config), line 2"), "\(log)")
        run = try await self.run(["--log-stderr", "--config", "/no/such.cfg"])
        #expect(run.errors.hasPrefix("<3>["))
        await queue.close()
    }

    @Test("without a queue class the configuration file that is missing is named")
    func noQueue() async throws {
        let run = try await tool.run(
            [],
            environment: ["EDUMFA_CONFIGFILE": redis.directory + "/none.cfg"],
            directory: redis.directory
        )
        #expect(run.status == 1)
        #expect(run.errors.contains("eduMFA has no job queue configured!"))
        #expect(run.errors.contains("\(redis.directory)/none.cfg does not exist"))
        #expect(log.contains("[ERROR]"))
        await queue.close()
    }

    private struct Report: Decodable {
        var ok: Bool
        var waiting: Int?
        var retrying: Int?
        var dead: Int?
        var oldest: Int?
        var failed: [String]
    }

    @Test("--check tells what failed, and counts in JSON")
    func check() async throws {
        let url = ["--url", redis.url()]
        var run = try await run(["--check", "--json"] + url)
        var report = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
        #expect(run.status == 0 && report.ok && report.waiting == 0 && report.oldest == nil, "\(run)")
        let message = try queue.huey.message("x", TaskArguments(["a"]))
        let data = try queue.huey.serialize(message)
        try await queue.client.command("LPUSH", "huey.redis.huey", .init(data))
        try await queue.client.command("ZADD", "huey.schedule.huey", 5, .init(data))
        try await queue.huey.storage.bury(DeadLetter(data: data, reason: .failed, detail: "x", time: 1))
        run = try await self.run(["--check", "--json"] + url)
        report = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
        #expect((report.waiting, report.retrying, report.dead) == (1, 1, 1))
        #expect(report.oldest != nil)
        run = try await self.run(["--check"] + url)
        #expect(run.status == 0 && run.output.contains("1 mail(s) wait, 1 wait for another attempt"), "\(run)")
        run = try await self.run(["--check", "--url", "redis://127.0.0.1:1/0"])
        #expect(run.status == 1 && run.errors.contains("the check failed: redis: "), "\(run)")
        #expect(!run.errors.contains("ExitCode"))
        run = try await self.run(["--check", "--json", "--config", "/no/such.cfg"])
        report = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
        #expect(run.status == 1 && !report.ok && report.failed.first?.contains("/no/such.cfg") == true)
        try await queue.client.command("LPUSH", "huey.redis.y", .init(data))
        run = try await self.run(["--check", "--name", "My-Q"] + url)
        #expect(run.status == 1 && run.errors.contains("--clean-name 2"), "\(run)")
        await queue.close()
    }

    @Test("options that make no sense end with 2, --version with 0")
    func options() async throws {
        for arguments in [["--json"], ["--probe-smtp", "smtp://x"], ["-l", "x", "--log-stderr"]] {
            #expect(try await run(arguments).status == 2, "\(arguments)")
        }
        for arguments in [["--version"], ["dead", "list", "--version"], ["waiting", "--version"]] {
            let run = try await tool.run(arguments)
            #expect(run.status == 0 && run.output == "\(HueyPackage.version)\n", "\(arguments) \(run)")
        }
        for name in ["huey", "interop-worker"] {
            #expect(try await Tool(name).run(["--version"]).output == "\(HueyPackage.version)\n")
        }
        await queue.close()
    }

    @Test("a probe says what was done, or which step failed, and never the password")
    func probes() async throws {
        let url = ["--url", redis.url()]
        var run = try await run(["--check", "--probe-smtp", "smtp://user:top%20secret@127.0.0.1:1"] + url)
        #expect(run.status == 1 && run.errors.contains("smtp user@127.0.0.1:1: 127.0.0.1:1: connecting"), "\(run)")
        #expect(!(run.output + run.errors).contains("secret"))
        for probe in ["http://x", "smtp://", "smtp://user@127.0.0.1:1", "smtp://%zz:x@127.0.0.1"] {
            run = try await self.run(["--check", "--probe-smtp", probe] + url)
            #expect(run.status == 1 && run.errors.contains("--probe-smtp"), "\(run)")
        }
        await queue.close()
    }

    @Test("waiting mail is shown without its secrets, and dropped")
    func waiting() async throws {
        let config: PickleValue = ["server": "s", "password": "password-secret"]
        let arguments = TaskArguments([config, HostileText.text, HostileText.text, "body-secret"])
        let message = Message(id: "abc-1", name: "m", arguments: arguments)
        let data = try queue.huey.serialize(message)
        try await queue.client.command("ZADD", "huey.schedule.huey", 5, .init(data))
        for command in [["waiting"], ["waiting", "show", "abc"], ["waiting", "drop", "--all"], ["waiting", "list"]] {
            let run = try await run(command + ["--url", redis.url()])
            #expect(run.status == 0 && run.unsafeLines.isEmpty, "\(run)")
            #expect(run.output.contains("abc-1") == (command != ["waiting", "list"]))
            #expect(!run.output.contains("secret"))
        }
        await queue.close()
    }
}
