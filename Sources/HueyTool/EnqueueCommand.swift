import ArgumentParser
import Huey
import Pickle

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Puts a task on a queue.
struct EnqueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enqueue",
        abstract: "Put a task on the queue, for whichever worker is first.",
        discussion: """
            Arguments are JSON where they read as such, plain text otherwise:

              huey enqueue tasks.add 2 3 --wait 10
              huey enqueue images.thumbnail cat.png -k size='{"width": 640}' --delay 60
            """
    )

    @OptionGroup var queue: QueueArguments
    @Argument(help: "The task: Python's module, a dot, the function.") var task: String
    // Whatever is no option, so that negative numbers need no `--`.
    @Argument(parsing: .allUnrecognized, help: "Positional arguments.") var arguments: [String] = []
    @Option(name: .shortAndLong, help: ArgumentHelp("A keyword argument.", valueName: "name=value"))
    var keyword: [String] = []
    @Option(parsing: .unconditional, help: ArgumentHelp("Run it so much later.", valueName: "seconds"))
    var delay: Double?
    @Option(help: "How often to try again after a failure.") var retries: Int?
    @Option(help: ArgumentHelp("Seconds between tries.", valueName: "seconds")) var retryDelay: Double?
    @Option(help: ArgumentHelp("Keep trying while Redis is away; never enqueues twice.", valueName: "seconds"))
    var tryFor: Double?
    @Option(help: ArgumentHelp("Wait for the result and print it.", valueName: "seconds")) var wait: Double?
    @Option(help: "Put it there so many times, one after the other; what fails is told, and the rest goes on.")
    var count = 1
    @Option(help: ArgumentHelp("The time between two of them.", valueName: "seconds")) var pause = 0.0

    func validate() throws {
        for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("-") && Double(argument) == nil
        {
            throw ValidationError("\(argument) is no option. Behind -- it is an argument.")
        }
        guard count >= 1, pause >= 0 else { throw ValidationError("Neither --count nor --pause can be that.") }
        guard count == 1 || wait == nil else { throw ValidationError("--wait waits for one task only.") }
    }

    func run() async throws {
        // The first -- only says that no option follows.
        let terminator = arguments.firstIndex(of: "--")
        let positional = arguments.indices.filter { $0 != terminator }.map { JSONArgument.value(arguments[$0]) }
        let keywords = try keyword.map { text -> (key: TaskArguments.Value, value: TaskArguments.Value) in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw ValidationError("\(text) is no name=value") }
            return (String(parts[0]), JSONArgument.value(String(parts[1])))
        }
        var options = TaskOptions()
        options.start = delay.map { .delay(seconds: .float($0)) }
        options.retries = retries
        options.retryDelay = retryDelay.map { .float($0) }
        let start = options
        let call = TaskArguments(positional: positional, keywords: keywords)
        try await queue.withHuey { huey in
            if count > 1 { return try await enqueueMany(huey, call, start) }
            let result = try await enqueue(try huey.message(task, call, options: start), huey)
            guard let wait else { return print(result.id) }
            print(try await result.value(timeout: .bounded(seconds: wait)))
        }
    }

    private func enqueue(_ message: Message, _ huey: Huey) async throws -> TaskResult<PickleValue> {
        let results =
            if let tryFor {
                try await huey.enqueue(message, retryingFor: .bounded(seconds: tryFor))
            } else {
                try await huey.enqueue(message)
            }
        return results[0]
    }

    private func enqueueMany(_ huey: Huey, _ call: TaskArguments, _ options: TaskOptions) async throws {
        var failures = 0
        for index in 0..<count {
            if index > 0, pause > 0 { try await Task.sleep(for: .bounded(seconds: pause)) }
            let message = try huey.message(task, call, options: options)
            do {
                print(try await enqueue(message, huey).id)
            } catch {
                failures += 1
                printEntry("\(message.id) failed: \(error)")
            }
            // Whoever reads along sees when it was.
            fflush(nil)
        }
        if failures > 0 { throw ValidationError("\(failures) of \(count) were not enqueued.") }
    }
}

/// Reads a task's result.
struct ResultCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "result",
        abstract: "Print a task's result, as Python would; it is taken out of the store unless --peek is given."
    )

    @OptionGroup var queue: QueueArguments
    @Argument(help: "The task's id.") var id: String
    @Flag(help: "Leave the result where it is.") var peek = false
    @Option(help: ArgumentHelp("Wait for it.", valueName: "seconds")) var wait = 0.0

    func run() async throws {
        try await queue.withHuey { huey in
            print(try await huey.result(id: id).value(timeout: .bounded(seconds: wait), preserve: peek))
        }
    }
}
