package import Huey
package import HueyRedis
package import Logging
import NIOPosix
import Pickle
import Redis
import SMTP

/// A worker for eduMFA's mail, put together from its settings.
package struct MailWorker: Sendable {
    /// What an administrator chooses beside the settings.
    package struct Options: Sendable {
        package var cleaning = NameCleaning.huey3
        package var deadLetterLimit = 10_000
        package var mail = MailOptions()
        package var policy = MailPolicy()
        package var monitor = QueueMonitor.Options()

        package init() {}
    }

    package let settings: Settings
    package let queue: HueyQueue
    package let passwords: MailPasswords
    package let monitor: QueueMonitor
    private let options: Options
    private let sender: MailSender
    private let logger: Logger

    /// - Parameters:
    ///   - settings: where the queue is, and the key file.
    ///   - options: how to work.
    ///   - makeLogger: makes a logger of a name.
    /// - Throws: ``ServerError`` without a queue class, ``QueueError`` for options of the queue that make none.
    package init(settings: Settings, options: Options, makeLogger: (String) -> Logger) throws {
        let product = settings.product
        guard let name = settings.text(product.queueClassSetting) else {
            throw ServerError(
                "\(product.name) has no job queue configured! (\(product.queueClassSetting) is not set\(settings.absence))"
            )
        }
        guard name == product.queueClass || name.split(separator: ".").last == "HueyQueue" else {
            throw ServerError("\(product.queueClassSetting) is \(name), and this worker is for \(product.queueClass)")
        }
        self.settings = settings
        var options = options
        options.mail.headers = product.mailHeaders
        self.options = options
        logger = makeLogger("\(product.module).lib.smtpserver")
        var storage = RedisStorageOptions(nameCleaning: options.cleaning, deadLetterLimit: options.deadLetterLimit)
        // Forever is a hundred years.
        storage.deadLetterAge = options.monitor.letterLifetime ?? .seconds(36_500 * 86_400)
        queue = try HueyQueue(options: settings.queueOptions, storage: storage, logger: makeLogger("huey"))
        passwords = Self.passwords(settings)
        sender = MailSender(options: options.mail, eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let watch = MailWatch()
        var monitorOptions = options.monitor
        monitorOptions.limitsAge = options.policy.maxAge != nil
        monitor = QueueMonitor(
            huey: queue.huey,
            client: queue.client,
            keys: queue.keys,
            watch: watch,
            options: monitorOptions,
            logger: makeLogger("\(product.module).lib.queue")
        )
        let task = MailTask(
            mailer: Mailer(transport: sender, passwords: passwords, options: options.mail),
            policy: options.policy,
            ledger: RedisMailLedger(client: queue.client, name: queue.keys.name),
            watch: watch,
            logger: logger
        )
        task.register(on: queue.huey, as: product.taskName)
    }

    package var huey: Huey { queue.huey }

    package var letters: DeadMail { DeadMail(huey: queue.huey, client: queue.client, keys: queue.keys) }

    package var waiting: WaitingMail { WaitingMail(huey: queue.huey, client: queue.client, keys: queue.keys) }

    /// How the queue stands.
    package func state() async throws -> QueueState {
        try await QueueState(huey: queue.huey, client: queue.client, keys: queue.keys)
    }

    private static func passwords(_ settings: Settings) -> MailPasswords {
        let product = settings.product
        if let module = settings[product.securityModuleSetting], module != .none,
            module != .string(product.securityModule)
        {
            return .unavailable("\(product.securityModuleSetting) names a module whose key this worker cannot have")
        }
        guard let path = settings.text(product.keyFileSetting) else {
            return .unavailable("no key file is configured (\(product.keyFileSetting))", .transient)
        }
        return .keyFile(KeyFile(path: path))
    }

    /// What an administrator should know before the first mail.
    package func logWarnings() async {
        for warning in settings.warnings { logger.warning("\(warning)") }
        if options.mail.trustsAllServers {
            logger.warning("The certificates of mail servers are not verified (--insecure-smtp-tls)")
        } else if !options.mail.trustedServers.isEmpty {
            let names = options.mail.trustedServers.sorted().joined(separator: ", ")
            logger.warning("The certificates of these mail servers are not verified: \(names)")
        }
        if let problem = await passwords.problem() {
            logger.warning("Mail that needs a login cannot be sent: \(problem)")
        }
        if let problem = await authorityProblem() {
            logger.warning("Mail that needs TLS cannot be sent: \(problem) (--smtp-ca-file)")
        }
        if let warning = try? await otherGeneration() { logger.warning("\(warning)") }
    }

    /// Why the file of authorities cannot be used now; `nil` when it can, or there is none.
    package func authorityProblem() async -> String? {
        guard let path = options.mail.authorityFile else { return nil }
        return await TLSContexts.problem(authorityFile: path)
    }

    /// A word about messages under the key that the other generation of huey makes of the queue's name.
    package func otherGeneration() async throws -> String? {
        try await OtherGenerations(client: queue.client, name: queue.huey.name, queue: queue.keys.queue).find()?.warning
    }

    /// Whether the server can keep a message until it is acknowledged: Redis 6.2 and later, and Valkey.
    package func canAcknowledge() async throws -> Bool {
        var question = RedisBatch()
        question.append("COMMAND", "INFO", "BLMOVE")
        let reply = try await queue.client.execute(question)[0]
        // Who may not ask finds out when it takes messages.
        return try reply.error?.isRefusal == true || reply.get().elements?.first?.elements?.isEmpty == false
    }

    /// Says goodbye to mail servers and to Redis.
    package func shutDown() async {
        await sender.shutdown()
        await queue.close()
    }
}
