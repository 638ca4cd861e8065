import ArgumentParser
import Foundation
import Huey
import Logging
import TestSupport
import Testing

@testable import HueyConsumer

@Suite("huey_consumer's command line")
struct ArgumentsTests {
    private static func parse(_ arguments: String...) throws -> ConsumerArguments {
        try ConsumerArguments.parse(arguments)
    }

    @Test("the defaults are huey's")
    func defaults() throws {
        let options = try Self.parse().options
        #expect(options.workers == 1)
        #expect(options.periodic)
        #expect(options.initialDelay == .seconds(0.1))
        #expect(options.maxDelay == .seconds(10))
        #expect(options.backoff == 1.15)
        #expect(options.schedulerInterval == 1)
        #expect(options.checkWorkerHealth)
        #expect(!options.flushLocks)
        #expect(options.extraLocks.isEmpty)
        #expect(options.maxTasks == nil)
        #expect(options.shutdownTimeout == nil)
        #expect(try Self.parse().gracefulSignal == .int)
    }

    @Test("every option in its short form, joined as optparse takes it")
    func short() throws {
        let arguments = try Self.parse(
            "-w4",
            "-kgreenlet",
            "-d0.5",
            "-m3",
            "-b2.5",
            "-c7",
            "-f",
            "-La,b",
            "-M100",
            "-t30",
            "-gTERM",
            "-s15",
            "-n",
            "-v",
            "-S",
            "-lx.log"
        )
        let options = arguments.options
        #expect(options.workers == 4)
        #expect(arguments.workerType == .greenlet)
        #expect(options.initialDelay == .seconds(0.5))
        #expect(options.maxDelay == .seconds(3))
        #expect(options.backoff == 2.5)
        #expect(options.flushLocks)
        #expect(options.extraLocks == ["a", "b"])
        #expect(options.maxTasks == 100)
        #expect(options.shutdownTimeout == .seconds(30))
        #expect(arguments.gracefulSignal == .term)
        #expect(options.schedulerInterval == 15)
        #expect(!options.periodic)
        #expect(arguments.verbose && arguments.simple)
        #expect(arguments.logfile == "x.log")
    }

    @Test("every option in its long form")
    func long() throws {
        let arguments = try Self.parse(
            "--workers",
            "4",
            "--worker-type",
            "process",
            "--delay=0.5",
            "--max-delay",
            "3",
            "--backoff",
            "2.5",
            "--health-check-interval",
            "7",
            "--flush-locks",
            "--extra-locks",
            "a,b",
            "--max-tasks",
            "100",
            "--shutdown-timeout",
            "30",
            "--graceful-signal",
            "TERM",
            "--scheduler-interval",
            "15",
            "--no-periodic",
            "--quiet",
            "--simple",
            "--logfile",
            "x.log"
        )
        #expect(arguments.options.workers == 4)
        #expect(arguments.options.schedulerInterval == 15)
        #expect(arguments.quiet)
        #expect(try Self.parse("--disable-health-check").options.checkWorkerHealth == false)
        #expect(try Self.parse("-C").options.checkWorkerHealth == false)
    }

    @Test(
        "joined and separate values mean the same",
        arguments: [["-w", "8"], ["-w8"], ["--workers", "8"], ["--workers=8"]]
    )
    func joined(arguments: [String]) throws {
        #expect(try ConsumerArguments.parse(arguments).options.workers == 8)
    }

    @Test(
        "what huey refuses is refused",
        arguments: [
            ["-w", "0"], ["-w", "-1"], ["-w", "two"], ["-w"], ["-b", "0.9"], ["-s", "0"], ["-s", "61"], ["-s", "7"],
            ["-s", "1.5"],
            ["-g", "HUP"], ["-g", "int"], ["-k", "fiber"], ["-d", "soon"], ["--no-such-option"], ["stray"],
            ["-M", "5", "-C"],
            ["-M", "x"], ["-t", "never"],
        ]
    )
    func refused(arguments: [String]) {
        #expect(throws: (any Error).self) { try ConsumerArguments.parse(arguments) }
    }

    @Test(
        "a number of seconds that is none is refused and ends nothing",
        arguments: [
            ["-d", "nan"], ["-m", "inf"], ["-d", "1e300"], ["-c", "-1"], ["-t", "-5"], ["-t", "nan"], ["-b", "nan"],
            ["-b", "inf"],
        ]
    )
    func seconds(arguments: [String]) {
        #expect(throws: (any Error).self) { try ConsumerArguments.parse(arguments) }
    }

    // MARK: the log

    private static func lines(
        simple: Bool = false,
        level: Logger.Level = .trace,
        _ body: (Logger) -> Void
    ) throws -> [Substring] {
        let path = NSTemporaryDirectory() + "/huey-log-\(UInt64.random(in: 0...UInt64.max))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let output = try #require(LogOutput(path: path))
        body(
            Logger(label: "huey.consumer") { label in
                HueyLogHandler(label: label, logLevel: level, simple: simple, output: output)
            }
        )
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    }

    @Test("a line is [date time,milliseconds] LEVEL:logger:worker:message")
    func line() throws {
        let lines = try Self.lines { logger in
            logger.info("hello")
            var logger = logger
            logger[metadataKey: "worker"] = "Worker-2"
            logger.warning("careful", metadata: ["b": "2", "a": "1"])
            logger.debug("d")
            logger.error("e")
            logger.critical("c")
        }
        let stamp = #/\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] /#
        #expect(lines.allSatisfy { $0.prefixMatch(of: stamp) != nil })
        #expect(
            lines.map { $0.replacing(stamp, with: "", maxReplacements: 1) } == [
                "INFO:huey.consumer:MainThread:hello", "WARNING:huey.consumer:Worker-2:careful (a=1, b=2)",
                "DEBUG:huey.consumer:Worker-2:d", "ERROR:huey.consumer:Worker-2:e", "CRITICAL:huey.consumer:Worker-2:c",
            ]
        )
    }

    @Test("the simple form is the time and the message")
    func simple() throws {
        let lines = try Self.lines(simple: true) { $0.info("hello") }
        #expect(lines.first?.wholeMatch(of: #/\d\d:\d\d:\d\d hello/#) != nil)
    }

    @Test("nothing in a message, its metadata or the label makes a second line or reaches a terminal as it is")
    func hostile() throws {
        for simple in [false, true] {
            let lines = try Self.lines(simple: simple) { logger in
                var logger = logger
                logger[metadataKey: "worker"] = "\(HostileText.text)"
                logger.info("\(HostileText.text)", metadata: ["\(HostileText.text)": ["\(HostileText.text)"]])
                logger.error("\(String(repeating: HostileText.text, count: 100_000))")
            }
            #expect(lines.count == 2)
            #expect(lines.allSatisfy { HostileText.isSafe(String($0)) && $0.utf8.count < 17_000 })
        }
    }

    @Test("the tasks are listed on lines of their own")
    func commands() throws {
        let lines = try Self.lines(simple: true) { logger in
            let following = LogLines(["+ tasks.one", "+ tasks.two"])
            logger.info("The following commands are available:", metadata: ["lines": .stringConvertible(following)])
        }
        #expect(
            lines.map { $0.drop { $0 != "T" && $0 != "+" } } == [
                "The following commands are available:", "+ tasks.one", "+ tasks.two",
            ]
        )
    }

    @Test("less than the level is not written")
    func level() throws {
        let lines = try Self.lines(level: .warning) { logger in
            logger.info("no")
            logger.warning("yes")
        }
        #expect(lines.count == 1)
    }

    @Test("-v writes debug lines, -q warnings only, neither from info on")
    func verbosity() throws {
        #expect(try Self.parse("-v").makeLogger(label: "x").logLevel == .debug)
        #expect(try Self.parse("-q").makeLogger(label: "x").logLevel == .warning)
        #expect(try Self.parse().makeLogger(label: "x").logLevel == .info)
    }

    @Test("a log file that cannot be opened is an error")
    func badLogFile() throws {
        let arguments = try Self.parse("-l", "/no/such/directory/x.log")
        #expect(throws: HueyError.self) { try arguments.makeLogger(label: "x") }
    }
}
