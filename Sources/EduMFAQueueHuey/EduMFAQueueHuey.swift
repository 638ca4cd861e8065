import ArgumentParser
import EduMFAQueue
import Huey
import HueyConsumer
import Logging

/// The worker that sends eduMFA's mail, in the place of Python's `edumfa-queue-huey`.
@main
struct EduMFAQueueHuey: ConsumerCommand {
    static let configuration = CommandConfiguration(
        commandName: "edumfa-queue-huey",
        abstract: "Send the mail that eduMFA has put on its job queue.",
        discussion: """
            The queue is the one that eduMFA's configuration names: $EDUMFA_CONFIGFILE, or /etc/edumfa/edumfa.cfg. Environment \
            variables of a setting's name come before the file, options before both. Times are seconds, or numbers with s, m, h or d.
            """,
        subcommands: [DeadCommand.self]
    )

    @OptionGroup(title: "Configuration")
    var place: PlaceArguments

    @OptionGroup(title: "Mail")
    var mail: MailArguments

    @OptionGroup(title: "Worker")
    var consumer: ConsumerArguments

    @Flag(
        help:
            "A worker that dies loses the mail it had in hand, as Python's does; otherwise another sends it, perhaps again."
    )
    var atMostOnce = false

    @Flag(help: "Print the effective configuration, test Redis and the key file, and end.")
    var check = false

    func consumerOptions() throws -> ConsumerOptions {
        var options = consumer.options
        if atMostOnce { options.delivery = .atMostOnce }
        // Mail that is given up becomes a dead letter.
        options.messagePolicy.keepsFailedTasks = true
        return options
    }

    func makeHuey(logger: Logger) async throws -> Huey {
        try await makeWorker { _ in logger }.huey
    }

    private func makeWorker(_ makeLogger: (String) -> Logger) async throws -> MailWorker {
        var options = mail.options
        options.cleaning = place.cleanName.cleaning
        return try MailWorker(settings: try await place.settings(), options: options, makeLogger: makeLogger)
    }

    func run() async throws {
        if check { return try await Check(worker: makeWorker(Self.silence)).run() }
        let settings = try await place.settings()
        var options = mail.options
        options.cleaning = place.cleanName.cleaning
        // Once without a log, so that a configuration that makes no queue is told before any log file is touched.
        let probe = try MailWorker(settings: settings, options: options, makeLogger: Self.silence)
        await probe.shutDown()
        let log = try WorkerLog(settings: settings, arguments: consumer)
        print(log.announcement)
        LogFlush.standardOutput()
        let worker = try MailWorker(settings: settings, options: options, makeLogger: log.logger)
        try await work(worker, log)
    }

    static func silence(_ label: String) -> Logger { Logger(label: label) { _ in SwiftLogNoOpLogHandler() } }

    private func work(_ worker: MailWorker, _ log: WorkerLog) async throws {
        // Ages first: any other look at the queue would spoil them.
        await worker.monitor.begin()
        await worker.logWarnings()
        let monitor = Task { await worker.monitor.run() }
        var command = self
        if !atMostOnce, (try? await worker.canAcknowledge()) == false {
            log.logger("huey.consumer").warning(
                "This server is older than Redis 6.2: a worker that dies loses the mail it had in hand"
            )
            command.atMostOnce = true
        }
        try await command.consume(for: worker.huey, logger: log.logger("huey.consumer")) {
            monitor.cancel()
            await monitor.value
            await worker.shutDown()
        }
    }
}
