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
        version: HueyPackage.version,
        subcommands: [DeadCommand.self, WaitingCommand.self]
    )

    @OptionGroup(title: "Configuration")
    var place: PlaceArguments

    @OptionGroup(title: "Check")
    var checking: CheckArguments

    @OptionGroup(title: "Mail")
    var mail: MailArguments

    @OptionGroup(title: "Worker")
    var consumer: ConsumerArguments

    @OptionGroup(title: "Log")
    var log: LogArguments

    @Flag(
        help:
            "A worker that dies loses the mail it had in hand, as Python's does; otherwise another sends it, perhaps again."
    )
    var atMostOnce = false

    func validate() throws {
        guard consumer.logfile == nil || !log.logStderr else {
            throw ValidationError("-l and --log-stderr exclude each other.")
        }
    }

    func consumerOptions() throws -> ConsumerOptions {
        var options = consumer.options
        if atMostOnce { options.delivery = .atMostOnce }
        // Mail that is given up becomes a dead letter.
        options.messagePolicy.keepsFailedTasks = true
        return options
    }

    static func consumerIsReady() { Systemd.notify("READY=1") }

    func makeHuey(logger: Logger) async throws -> Huey {
        try await place.worker(mail.options) { _ in logger }.huey
    }

    func run() async throws {
        if checking.check {
            var check = Check(arguments: checking, mail: mail.options.mail)
            return try await check.run { try await place.worker(mail.options) }
        }
        var opened: WorkerLog?
        do {
            try await start(&opened)
        } catch {
            // Whoever reads the log must not look for the reason on a stream that nobody keeps.
            let log = opened ?? WorkerLog(product: place.product, consumer: consumer, log: log)
            log?.logger("\(place.product.module).lib.queue").error("The worker cannot start: \(error)")
            throw error
        }
    }

    private func start(_ opened: inout WorkerLog?) async throws {
        let settings = try await place.settings()
        var options = mail.options
        options.cleaning = place.cleanName.cleaning
        // Once without a log: a configuration that makes no queue names no log either.
        let probe = try MailWorker(settings: settings, options: options, makeLogger: Self.silence)
        await probe.shutDown()
        let log = try WorkerLog(settings: settings, consumer: consumer, log: log)
        opened = log
        print(log.announcement)
        LogFlush.standardOutput()
        let worker = try MailWorker(settings: settings, options: options, makeLogger: log.logger)
        try await work(worker, log)
    }

    static func silence(_ label: String) -> Logger { Logger(label: label) { _ in SwiftLogNoOpLogHandler() } }

    private func work(_ worker: MailWorker, _ log: WorkerLog) async throws {
        log.logger("\(place.product.module).lib.queue").info("edumfa-queue-huey \(HueyPackage.version)")
        // Ages first: any other look at the queue would spoil them.
        await worker.monitor.begin()
        await worker.logWarnings()
        let monitor = Task { await worker.monitor.run() }
        let signsOfLife = Task { await Systemd.keepAlive() }
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
            signsOfLife.cancel()
        }
    }
}
