import ArgumentParser
import Huey
import Pickle

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What could not be run.
struct DeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead",
        abstract: "Look after messages that could not be run: list them, show one, put them back, drop them.",
        subcommands: [DeadListCommand.self, DeadShowCommand.self, DeadRequeueCommand.self, DeadDropCommand.self],
        defaultSubcommand: DeadListCommand.self
    )
}

extension QueueArguments {
    /// Runs `body` with the instance and its storage.
    fileprivate func withLetters(_ body: (Huey, any DeadLetterStorage) async throws -> Void) async throws {
        try await withHuey { huey in
            if let storage = huey.storage as? any DeadLetterStorage { try await body(huey, storage) }
        }
    }
}

struct DeadListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List them, newest first: time, id, reason, size, what happened."
    )

    @OptionGroup var queue: QueueArguments
    @Option(help: "At most so many.") var limit = 20

    func run() async throws {
        try await queue.withLetters { huey, storage in
            for entry in try await storage.deadLetterEntries(from: 0, limit: limit) {
                let letter = entry.letter
                let task = (try? huey.deserialize(letter.data))?.name ?? "?"
                printEntry(
                    "\(letter.moment)  \(entry.id.field())  \(letter.reason.rawValue)  \(task.field())  "
                        + "\(letter.detail.field(4096))  (\(letter.data.count) bytes)"
                )
            }
        }
    }
}

struct DeadShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one: the reason, the time, and the message without its arguments."
    )

    @OptionGroup var queue: QueueArguments
    @Argument(help: "The id, or its beginning.") var id: String
    @Flag(help: "Show the task's arguments, too, and the message's bytes in base64.") var arguments = false

    func run() async throws {
        try await queue.withLetters { huey, storage in
            let entry = try await storage.onlyLetter(id)
            let letter = entry.letter
            print("id         \(entry.id)")
            print("time       \(letter.moment)")
            print("reason     \(letter.reason.rawValue)")
            print("detail     \(letter.detail)")
            print("size       \(letter.data.count) bytes")
            do {
                let message = try huey.deserialize(letter.data)
                print("message    \(message.summary)")
                let views = try message.arguments.views()
                if arguments {
                    print("args       \(views.args)")
                    print("kwargs     \(views.kwargs)")
                } else {
                    print("arguments  \(views.args.elements?.count ?? 0) and \(views.kwargs.pairs?.count ?? 0) by name")
                }
            } catch {
                // What an error says of a message may quote it.
                print("message    cannot be decoded\(arguments ? ": \(error)" : "")")
            }
            if arguments { print("bytes      \(Data(letter.data).base64EncodedString())") }
        }
    }
}

/// Which letters a command is about.
struct DeadSelection: ParsableArguments {
    @OptionGroup var queue: QueueArguments
    @Argument(help: "The ids, or their beginnings.") var ids: [String] = []
    @Flag(help: "All of them.") var all = false

    func validate() throws {
        guard all != !ids.isEmpty else { throw ValidationError("Name the letters by their ids, or say --all.") }
    }

    /// Calls `body` for each, oldest first.
    func forEach(_ body: (Huey, any DeadLetterStorage, DeadLetterEntry) async throws -> Void) async throws {
        try await queue.withLetters { huey, storage in
            var entries: [DeadLetterEntry] = []
            if all {
                entries = try await storage.deadLetterEntries(from: 0, limit: storage.deadLetterCount()).reversed()
            } else {
                for id in ids { entries.append(try await storage.onlyLetter(id)) }
            }
            for entry in entries { try await body(huey, storage, entry) }
        }
    }
}

struct DeadRequeueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requeue",
        abstract:
            "Put messages back into the queue, byte for byte. What is 'unconfirmed' may have run, and runs twice then."
    )

    @OptionGroup var selection: DeadSelection

    func run() async throws {
        try await selection.forEach { huey, storage, entry in
            let priority = (try? huey.deserialize(entry.letter.data))?.priority?.double
            let isDone = try await storage.requeueDeadLetter(entry, priority: priority)
            print(isDone ? "queued \(entry.id)" : "gone already: \(entry.id)")
        }
    }
}

struct DeadDropCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "drop", abstract: "Remove messages for good.")

    @OptionGroup var selection: DeadSelection

    func run() async throws {
        try await selection.forEach { _, storage, entry in
            print(try await storage.dropDeadLetter(entry) ? "dropped \(entry.id)" : "gone already: \(entry.id)")
        }
    }
}

extension DeadLetterStorage {
    /// The letter of that id, or of the only id that begins so.
    ///
    /// - Throws: an error for the user when there is none, or more than one.
    fileprivate func onlyLetter(_ id: String) async throws -> DeadLetterEntry {
        let found = try await deadLetterEntries(id: id)
        guard let first = found.first else { throw ValidationError("There is no dead letter \(id).") }
        guard found.count == 1 else { throw ValidationError("More than one dead letter begins with \(id).") }
        return first
    }
}

extension DeadLetter {
    fileprivate var moment: String {
        (try? PickleDateTime(microsecondsSinceEpoch: time)).map { "\($0) UTC" } ?? "?"
    }
}
