import ArgumentParser
import Huey
import HueyConsumer
import Testing

@Suite("What a consumer promises, on the command line")
struct DeliveryArgumentsTests {
    /// Both groups in one command, as a worker has them.
    private struct Command: ParsableCommand {
        @OptionGroup var consumer: ConsumerArguments
        @OptionGroup var delivery: DeliveryArguments
    }

    private static func options(_ arguments: String...) throws -> ConsumerOptions {
        let command = try Command.parse(arguments)
        return command.delivery.applied(to: command.consumer.options)
    }

    @Test("the defaults are the library's")
    func defaults() throws {
        let (options, library) = (try Self.options("-w", "3"), ConsumerOptions())
        #expect(options.workers == 3)
        #expect(options.delivery == library.delivery && options.delivery == nil)
        #expect(options.lease == library.lease)
        #expect(options.catchUpPeriodic == library.catchUpPeriodic)
        #expect(options.messagePolicy.deathLimit == library.messagePolicy.deathLimit)
        #expect(options.messagePolicy.keepsFailedTasks == library.messagePolicy.keepsFailedTasks)
        guard case .deadLetter = options.messagePolicy.unknownTasks else {
            Issue.record("unknown tasks are not put aside")
            return
        }
    }

    @Test("every option")
    func all() throws {
        let options = try Self.options(
            "--at-most-once",
            "--lease=90",
            "--unknown-tasks=return",
            "--death-limit=7",
            "--keep-failed",
            "--catch-up"
        )
        #expect(options.delivery == .atMostOnce)
        #expect(options.lease == .seconds(90))
        #expect(options.messagePolicy.deathLimit == 7)
        #expect(options.messagePolicy.keepsFailedTasks)
        #expect(options.catchUpPeriodic)
        guard case .giveBack = options.messagePolicy.unknownTasks else {
            Issue.record("unknown tasks do not return")
            return
        }
        #expect(try Self.options("--at-least-once").delivery == .atLeastOnce)
        #expect(try Self.options("--death-limit", "0").messagePolicy.deathLimit == nil)
        guard case .drop = try Self.options("--unknown-tasks", "drop").messagePolicy.unknownTasks else {
            Issue.record("unknown tasks are not dropped")
            return
        }
    }

    @Test(
        "what makes no sense is refused",
        arguments: ["--lease=0.5", "--lease=nan", "--death-limit=-1", "--unknown-tasks=keep"]
    )
    func refused(argument: String) {
        #expect(throws: (any Error).self) { try Self.options(argument) }
        #expect(throws: (any Error).self) { try Self.options("--at-most-once", "--at-least-once") }
    }
}
