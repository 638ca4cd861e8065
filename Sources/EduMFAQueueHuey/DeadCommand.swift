import ArgumentParser
import EduMFAQueue
import Huey

/// The mail that was put aside.
struct DeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead",
        abstract: "Look after mail that could not be sent: list it, show it, send it again, drop it.",
        subcommands: [DeadListCommand.self, DeadShowCommand.self, DeadSendAgainCommand.self, DeadDropCommand.self],
        defaultSubcommand: DeadListCommand.self
    )
}

/// What the commands about dead letters share.
struct DeadArguments: ParsableArguments {
    @OptionGroup(title: "Configuration")
    var place: PlaceArguments

    func withLetters(_ body: (DeadMail) async throws -> Void) async throws {
        try await place.withWorker { try await body($0.letters) }
    }
}

struct DeadListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List them, newest first: time, id, reason, recipients, subject, what happened."
    )

    @OptionGroup var dead: DeadArguments
    @Option(help: "At most so many.") var limit = 50

    func run() async throws {
        try await dead.withLetters { letters in
            for entry in try await letters.entries(limit: limit) { print(entry.line) }
        }
    }
}

struct DeadShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one, without its body and its password."
    )

    @OptionGroup var dead: DeadArguments
    @Argument(help: "The id, or its beginning.") var id: String

    func run() async throws {
        try await dead.withLetters { letters in
            let entry = try await letters.entry(id)
            print("id         \(entry.id)")
            print("time       \(entry.time)")
            print("reason     \(entry.letter.reason.rawValue)")
            print("detail     \(entry.letter.detail)")
            print("task       \(entry.task ?? "unreadable")")
            for recipient in entry.recipients { print("recipient  \(recipient)") }
            if let subject = entry.subject { print("subject    \(subject)") }
            print("size       \(entry.letter.data.count) bytes")
        }
    }
}

/// Which letters a command is about.
struct DeadSelection: ParsableArguments {
    @OptionGroup var dead: DeadArguments
    @Argument(help: "The ids, or their beginnings.") var ids: [String] = []
    @Flag(help: "All of them.") var all = false

    func validate() throws {
        guard all != !ids.isEmpty else { throw ValidationError("Name the letters by their ids, or say --all.") }
    }

    /// Calls `body` for each, oldest first.
    func forEach(_ body: (DeadMail, DeadMail.Entry) async throws -> Void) async throws {
        try await dead.withLetters { letters in
            if all {
                for entry in try await letters.entries(limit: letters.count()).reversed() {
                    try await body(letters, entry)
                }
            } else {
                for id in ids { try await body(letters, letters.entry(id)) }
            }
        }
    }
}

struct DeadSendAgainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send-again",
        abstract: "Put mail back into the queue. What is 'unconfirmed' may have been delivered, and arrive twice then."
    )

    @OptionGroup var selection: DeadSelection

    func run() async throws {
        try await selection.forEach { letters, entry in
            print(try await letters.sendAgain(entry) ? "queued \(entry.id)" : "gone already: \(entry.id)")
        }
    }
}

struct DeadDropCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "drop", abstract: "Remove mail for good.")

    @OptionGroup var selection: DeadSelection

    func run() async throws {
        try await selection.forEach { letters, entry in
            print(try await letters.drop(entry) ? "dropped \(entry.id)" : "gone already: \(entry.id)")
        }
    }
}

extension DeadMail.Entry {
    var time: String { moment(letter.time) }

    /// The letter on one line.
    var line: String {
        let to = SafeText.escaped(recipients.joined(separator: ", "), limit: 4096)
        let subject = subject.map { " \"\(SafeText.escaped($0, limit: 1024))\"" } ?? ""
        let detail = SafeText.escaped(letter.detail, limit: 4096)
        return "\(time)  \(SafeText.escaped(id, limit: 1024))  \(letter.reason.rawValue)  \(to)\(subject)  \(detail)"
    }
}
