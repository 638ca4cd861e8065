import ArgumentParser
import EduMFAQueue
import Huey
import Pickle

/// The mail that waits for another attempt.
struct WaitingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waiting",
        abstract: "Look after mail that waits for another attempt: list it, show it, send it now, drop it.",
        subcommands: [
            WaitingListCommand.self, WaitingShowCommand.self, WaitingSendNowCommand.self, WaitingDropCommand.self,
        ],
        defaultSubcommand: WaitingListCommand.self
    )
}

struct WaitingListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract:
            "List it, next first: time of the next attempt, id, failed attempts, recipients, subject, what happened."
    )

    @OptionGroup(title: "Configuration") var place: PlaceArguments
    @Option(help: "At most so many.") var limit = 50

    func run() async throws {
        try await place.withWorker { worker in
            for entry in try await worker.waiting.entries(limit: max(1, limit)) { print(entry.line) }
        }
    }
}

struct WaitingShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one, without its body and its password."
    )

    @OptionGroup(title: "Configuration") var place: PlaceArguments
    @Argument(help: "The id, or its beginning.") var id: String

    func run() async throws {
        try await place.withWorker { worker in
            let entry = try await worker.waiting.entry(id)
            print("id         \(entry.id)")
            print("next       \(entry.nextAttempt)")
            if let attempts = entry.attempts {
                print("attempts   \(attempts.count)")
                print("seen       \(moment(attempts.firstSeen))")
                if let reason = attempts.reason { print("reason     \(reason)") }
            }
            print("task       \(entry.task ?? "unreadable")")
            for recipient in entry.recipients { print("recipient  \(recipient)") }
            if let subject = entry.subject { print("subject    \(subject)") }
            print("size       \(entry.size) bytes")
        }
    }
}

/// Which mails a command is about.
struct WaitingSelection: ParsableArguments {
    @OptionGroup(title: "Configuration") var place: PlaceArguments
    @Argument(help: "The ids, or their beginnings.") var ids: [String] = []
    @Flag(help: "All of them.") var all = false

    func validate() throws {
        guard all != !ids.isEmpty else { throw ValidationError("Name the mails by their ids, or say --all.") }
    }

    /// Calls `body` for each, the one that is due first, first.
    func forEach(_ body: (WaitingMail, WaitingMail.Entry) async throws -> Void) async throws {
        try await place.withWorker { worker in
            let waiting = worker.waiting
            if all {
                for entry in try await waiting.entries(limit: waiting.count()) { try await body(waiting, entry) }
            } else {
                for id in ids { try await body(waiting, waiting.entry(id)) }
            }
        }
    }
}

struct WaitingSendNowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send-now",
        abstract: "Make mail the next of the queue, instead of waiting for its time. Its attempts count on."
    )

    @OptionGroup var selection: WaitingSelection

    func run() async throws {
        try await selection.forEach { waiting, entry in
            print(try await waiting.sendNow(entry) ? "queued \(entry.id)" : "gone already: \(entry.id)")
        }
    }
}

struct WaitingDropCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "drop", abstract: "Remove mail for good.")

    @OptionGroup var selection: WaitingSelection

    func run() async throws {
        try await selection.forEach { waiting, entry in
            print(try await waiting.drop(entry) ? "dropped \(entry.id)" : "gone already: \(entry.id)")
        }
    }
}

extension WaitingMail.Entry {
    var nextAttempt: String {
        due.isFinite && abs(due) < 1e12 ? moment(Int(due * 1_000_000)) : "?"
    }

    /// The mail on one line.
    var line: String {
        let to = SafeText.escaped(recipients.joined(separator: ", "), limit: 4096)
        let subject = subject.map { " \"\(SafeText.escaped($0, limit: 1024))\"" } ?? ""
        let reason = attempts?.reason.map { "  " + SafeText.escaped($0, limit: 4096) } ?? ""
        let count = attempts.map { "\($0.count) failed" } ?? "not yet tried"
        return "\(nextAttempt)  \(SafeText.escaped(id, limit: 1024))  \(count)  \(to)\(subject)\(reason)"
    }
}

/// A moment in microseconds since the epoch, for people.
func moment(_ microseconds: Int) -> String {
    (try? PickleDateTime(microsecondsSinceEpoch: microseconds)).map { "\($0) UTC" } ?? "?"
}
