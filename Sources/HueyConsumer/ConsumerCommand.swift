public import ArgumentParser
public import Huey
public import Logging
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A worker executable: huey_consumer's options, signals and exit statuses around the tasks of a ``Huey``.
///
/// ```swift
/// @main
/// struct Worker: ConsumerCommand {
///     @OptionGroup var consumer: ConsumerArguments
///
///     func makeHuey(logger: Logger) throws -> Huey {
///         let huey = Huey("my-app", storage: try RedisStorage(url: "redis://localhost:6379/0"), logger: logger)
///         huey.task("tasks.add", parameters: "a", "b") { (a: Int, b: Int) in a &+ b }
///         return huey
///     }
/// }
/// ```
///
/// SIGINT lets running tasks finish, SIGTERM interrupts them (`-g TERM` swaps the two), SIGHUP finishes and starts what is installed
/// under the program's path by then. The exit status is
/// 0 after a requested stop, 1 when the consumer cannot start, 2 for a bad option.
public protocol ConsumerCommand: AsyncParsableCommand, SendableMetatype {
    /// The parsed options: declare it as `@OptionGroup`.
    var consumer: ConsumerArguments { get }

    /// The instance to consume for, its tasks registered.
    func makeHuey(logger: Logger) async throws -> Huey

    /// The consumer's options; those of ``consumer`` unless overridden.
    func consumerOptions() throws -> ConsumerOptions

    /// Called once, as soon as messages can be consumed.
    static func consumerIsReady()
}

extension ConsumerCommand {
    public func consumerOptions() throws -> ConsumerOptions { consumer.options }

    public static func consumerIsReady() {}

    /// Parses the command line and runs; ends the process.
    public static func main() async {
        // Before anybody can have installed another program in its place.
        _ = ProcessIdentity.executable
        var command: any ParsableCommand
        do {
            command = try parseAsRoot()
        } catch {
            let status = exitCode(for: error)
            // A success is help or a completion script, whose lines are ours.
            let message = status.isSuccess ? "" : message(for: error)
            let text = SafeText.escapedReport(fullMessage(for: error), message: message)
            LogOutput.standardError.write(status.isSuccess ? "" : text + "\n")
            if status.isSuccess { print(text) }
            Self.endProcess(status.isSuccess ? 0 : 2)
        }
        do {
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            Self.endProcess(0)
        } catch  where exitCode(for: error).isSuccess {
            // The request for help runs as a command of its own.
            print(SafeText.escapedLines(fullMessage(for: error)))
            Self.endProcess(0)
        } catch {
            LogOutput.standardError.write("Error: \(SafeText.escaped("\(error)", limit: SafeText.lineLimit))\n")
            Self.endProcess(1)
        }
    }

    public func run() async throws {
        let huey = try await makeHuey(logger: consumer.makeLogger(label: "huey"))
        try await consume(for: huey, logger: try consumer.makeLogger(label: "huey.consumer"))
    }

    /// Consumes until a signal asks for the end, then calls `cleanUp` and ends the process.
    package func consume(
        for huey: Huey,
        logger: Logger,
        cleanUp: @Sendable () async -> Void = {}
    ) async throws {
        let instance = Consumer(
            huey,
            options: try consumerOptions(),
            logger: logger,
            onReady: { Self.consumerIsReady() }
        )
        // Handlers that keep the pool busy must not keep the process from its end.
        try await withTaskExecutorPreference(instance.upkeep) {
            try await consume(with: instance, logger: logger, cleanUp: cleanUp)
        }
    }

    private func consume(
        with instance: Consumer,
        logger: Logger,
        cleanUp: @Sendable () async -> Void
    ) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        let graceful: UnixSignal = consumer.gracefulSignal == .int ? .sigint : .sigterm
        let restart = RestartFlag()
        let listener = Task(executorPreference: instance.upkeep) {
            for await signal in signals {
                logger.info("Received \(signal)")
                if signal == .sighup { restart.set() } else { restart.clear() }
                let how: Consumer.Stop = signal == .sighup || signal == graceful ? .graceful : .interrupt
                instance.stop(how)
            }
        }
        defer { listener.cancel() }
        try await instance.run()
        await cleanUp()
        if restart.isSet {
            logger.info("Consumer will restart.")
            ProcessIdentity.restart()
            throw HueyError(.invalidConfiguration, "the consumer could not be started again")
        }
        // A task that did not heed its interruption must not keep the process alive.
        Self.endProcess(0)
    }

    private static func endProcess(_ status: Int32) -> Never {
        fflush(nil)
        systemExit(status)
    }
}

private func systemExit(_ status: Int32) -> Never {
    exit(status)
}
