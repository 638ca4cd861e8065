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
        // The line end of the last line is printed anyway.
        printLines(disassembly.text.hasSuffix("\n") ? String(disassembly.text.dropLast()) : disassembly.text)
        if let error = disassembly.error { print(error) }
        let root = try PickleDocument(bytes).root
        print("")
        print(root.repr)
    }
}
