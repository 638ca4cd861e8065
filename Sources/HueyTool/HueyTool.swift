import ArgumentParser
import Huey

/// The operator's tool.
@main
struct HueyTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "huey",
        abstract: "Look at huey's task queues on Redis, and put tasks on them.",
        discussion: """
            Every command that talks to a queue takes --url, in redis-py's forms (redis://, rediss://, unix://; the \
            environment variable HUEY_URL is the default), and --name, the name that the Huey instance has in Python.
            """,
        version: HueyPackage.version,
        subcommands: [
            StatusCommand.self, PendingCommand.self, ScheduledCommand.self, EnqueueCommand.self, ResultCommand.self,
            DeadCommand.self, CheckCommand.self, PickleCommand.self,
        ]
    )
}
