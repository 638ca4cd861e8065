import ArgumentParser
import Pickle

/// `huey pickle`: looks at pickles without running anything in them.
struct PickleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pickle",
        abstract: "Look into pickles, safely: nothing in them is imported, called or executed.",
        subcommands: [
            PickleShowCommand.self, PickleJSONCommand.self, PickleTimeCommand.self, PickleRecodeCommand.self,
        ]
    )
}

struct PickleShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print the opcodes as pickletools does, then the value."
    )

    @OptionGroup var input: PickleInput

    func run() throws {
        let bytes = try input.read()
        let disassembly = PickleDisassembly(bytes)
        StandardStreams.write(Array(disassembly.text.utf8))
        if let error = disassembly.error { StandardStreams.write(Array("\(error)\n".utf8)) }
        let root = try PickleDocument(bytes).root
        StandardStreams.write(Array("\n\(root.repr)\n".utf8))
    }
}
