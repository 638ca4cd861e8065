public import ArgumentParser
import Huey
public import Logging

/// huey_consumer's command line.
public struct ConsumerArguments: ParsableArguments {
    public init() {}

    @Option(name: [.customShort("l", allowingJoined: true), .long], help: "Write the log to a file.")
    public var logfile: String?

    @Flag(name: .shortAndLong, help: "Verbose logging (includes debug lines).")
    public var verbose = false

    @Flag(name: .shortAndLong, help: "Minimal logging.")
    public var quiet = false

    @Flag(name: [.customShort("S"), .long], help: "Simple logging format (time message).")
    public var simple = false

    @Option(name: [.customShort("w", allowingJoined: true), .long], help: "How many tasks run at once.")
    public var workers = 1

    @Option(
        name: [.customShort("k", allowingJoined: true), .long],
        help: "Accepted and ignored: tasks run in one process (thread, greenlet, process)."
    )
    public var workerType: WorkerType?

    @Option(
        name: [.customShort("d", allowingJoined: true), .long],
        help: ArgumentHelp("Least time to wait when polling the queue.", valueName: "seconds")
    )
    public var delay = 0.1

    @Option(
        name: [.customShort("m", allowingJoined: true), .long],
        help: ArgumentHelp("Longest time to wait when polling the queue.", valueName: "seconds")
    )
    public var maxDelay = 10.0

    @Option(
        name: [.customShort("b", allowingJoined: true), .long],
        help: ArgumentHelp("Factor by which the polling interval grows, at least 1.", valueName: "factor")
    )
    public var backoff = 1.15

    @Option(
        name: [.customShort("c", allowingJoined: true), .long],
        help: ArgumentHelp("Accepted, as huey's; the check below is made every second.", valueName: "seconds")
    )
    public var healthCheckInterval = 10.0

    @Flag(
        name: [.customShort("C"), .long],
        help: "Do not check whether asynchronous handlers keep the cooperative pool."
    )
    public var disableHealthCheck = false

    @Flag(name: .shortAndLong, help: "Flush all locks when starting.")
    public var flushLocks = false

    @Option(
        name: [.customShort("L", allowingJoined: true), .long],
        help: ArgumentHelp("Additional locks to flush, separated by commas.", valueName: "names")
    )
    public var extraLocks: String?

    @Option(
        name: [.customShort("M", allowingJoined: true), .long],
        help: ArgumentHelp("Restart a worker after it has executed so many tasks.", valueName: "count")
    )
    public var maxTasks: Int?

    @Option(
        name: [.customShort("t", allowingJoined: true), .long],
        help: ArgumentHelp(
            "How long a graceful shutdown waits before running tasks are interrupted (default: for ever).",
            valueName: "seconds"
        )
    )
    public var shutdownTimeout: Double?

    @Option(
        name: [.customShort("g", allowingJoined: true), .long],
        help: "Signal that shuts down gracefully; the other one interrupts running tasks."
    )
    public var gracefulSignal = GracefulSignal.int

    @Option(
        name: [.customShort("s", allowingJoined: true), .long],
        help: ArgumentHelp("Granularity of the scheduler.", valueName: "seconds")
    )
    public var schedulerInterval = 1

    @Flag(name: .shortAndLong, help: "Do not enqueue periodic tasks.")
    public var noPeriodic = false

    @Option(
        help: ArgumentHelp(
            "At most so many messages are fetched beyond the running ones; 0 is huey's own bound (default: adaptive).",
            valueName: "count"
        )
    )
    public var prefetch: Int?

    @Option(help: ArgumentHelp("Touch a file every second while the consumer moves.", valueName: "file"))
    public var healthFile: String?

    @Option(
        help: ArgumentHelp(
            "Answer HTTP requests on this port of 127.0.0.1: 200 while the consumer moves, 503 else.",
            valueName: "port"
        )
    )
    public var healthPort: Int?

    /// huey's kinds of workers.
    public enum WorkerType: String, ExpressibleByArgument, CaseIterable, Sendable {
        case thread
        case greenlet
        case process
    }

    /// The signal that shuts a consumer down gracefully.
    public enum GracefulSignal: String, ExpressibleByArgument, CaseIterable, Sendable {
        case int = "INT"
        case term = "TERM"
    }

    /// - Throws: an error for values that huey refuses.
    public mutating func validate() throws {
        // First of all: a Duration cannot be made of what is no number.
        let durations = [delay, maxDelay, healthCheckInterval, shutdownTimeout ?? 0]
        guard durations.allSatisfy({ $0.isFinite && $0 >= 0 && $0 < 1e9 }), backoff.isFinite else {
            throw ValidationError("Times must be numbers of seconds, not negative.")
        }
        do {
            try options.validate()
        } catch let error as HueyError {
            throw ValidationError(error.message)
        }
    }

    /// The options for a ``Consumer``.
    public var options: ConsumerOptions {
        var options = ConsumerOptions()
        options.workers = workers
        options.periodic = !noPeriodic
        options.initialDelay = .seconds(delay)
        options.backoff = backoff
        options.maxDelay = .seconds(maxDelay)
        options.schedulerInterval = schedulerInterval
        options.checkWorkerHealth = !disableHealthCheck
        options.flushLocks = flushLocks
        options.extraLocks = extraLocks?.split(separator: ",").map(String.init) ?? []
        options.maxTasks = maxTasks
        options.prefetch = prefetch
        options.healthFile = healthFile
        options.healthPort = healthPort
        options.shutdownTimeout = shutdownTimeout.map { .seconds($0) }
        return options
    }

    /// A logger that writes huey's lines to standard error or to the log file.
    ///
    /// - Throws: an error when the log file cannot be opened.
    public func makeLogger(label: String) throws -> Logger {
        var output = LogOutput.standardError
        if let logfile {
            guard let file = LogOutput(path: logfile) else {
                throw HueyError(.invalidConfiguration, "the log file \(logfile) cannot be opened")
            }
            output = file
        }
        let level: Logger.Level = verbose ? .debug : quiet ? .warning : .info
        return Logger(label: label) { label in
            HueyLogHandler(label: label, logLevel: level, simple: simple, output: output)
        }
    }
}
