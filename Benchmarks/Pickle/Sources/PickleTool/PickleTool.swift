import ArgumentParser

/// The commands of `huey pickle` that are timed and fed, without the rest of the tool: built in a minute, from the same sources.
@main
struct PickleTool: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "PickleTool", subcommands: [Group.self])

    struct Group: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pickle",
            subcommands: [PickleJSONCommand.self, PickleTimeCommand.self, PickleRecodeCommand.self]
        )
    }
}
