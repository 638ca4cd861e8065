import Huey
import Logging
import Pickle
import Synchronization
import TestSupport
import Testing

@testable import EduMFAQueue

/// What becomes of mail that cannot be sent at once.
struct MailTaskTests {
    /// A server that does what it is told, and writes down who got mail.
    final class Server: MailTransport {
        let answers: Mutex<[Result<MailReceipt, MailFailure>]>
        let sent = Recorder<[String]>()

        init(_ answers: [Result<MailReceipt, MailFailure>]) { self.answers = Mutex(answers) }

        func send(_ message: MailMessage, via access: MailAccess) throws(MailFailure) -> MailReceipt {
            let answer = answers.withLock {
                $0.isEmpty ? .success(MailReceipt(code: 250, reply: "ok")) : $0.removeFirst()
            }
            let receipt = try answer.get()
            sent.append(message.recipients.map(\.text))
            return receipt
        }
    }

    /// An instance with the e-mail job, a time and a log of its own.
    struct Worker {
        let time = ManualTime()
        let storage = MemoryStorage()
        let server: Server
        let huey: Huey
        let ledger: any MailLedger
        let watch = MailWatch()
        let lines: Recorder<String>

        init(
            _ answers: [Result<MailReceipt, MailFailure>],
            policy: MailPolicy = MailPolicy(),
            ledger: any MailLedger = MemoryMailLedger()
        ) {
            let (logger, lines) = CollectingLog.make()
            self.lines = lines
            self.ledger = ledger
            server = Server(answers)
            huey = Huey(
                "mail",
                storage: storage,
                options: HueyOptions(results: false),
                time: time.source,
                logger: logger
            )
            MailTask(
                mailer: Mailer(transport: server, passwords: .unavailable("none"), time: time.source),
                policy: policy,
                ledger: ledger,
                watch: watch,
                logger: logger
            ).register(on: huey, as: "send")
        }

        static let config: PickleValue = [
            "server": "mail.example.org", "port": 25, "username": "", "password": "", "sender": "from@example.org",
            "tls": false, "timeout": 5, "enqueue_job": true,
        ]

        func enqueue(_ recipients: [PickleValue] = ["a@example.org"], config: PickleValue = config) async throws {
            let arguments = TaskArguments([
                config, PickleValue.list(recipients), "Your token", "body-secret", PickleValue.none, PickleValue.none,
                "plain",
            ])
            try await huey.enqueue(huey.message("send", arguments))
        }

        /// Runs what stands in the queue; due appointments first.
        func work() async throws {
            let due = try await storage.readSchedule(dueAt: huey.now())
            for data in due { try await storage.enqueue(data, priority: nil) }
            var policy = MessagePolicy()
            policy.keepsFailedTasks = true
            let executor = Executor(
                huey: huey,
                sink: DirectSink(storage: storage),
                inFlight: InFlight(),
                policy: policy,
                logger: huey.logger
            )
            while let data = try await storage.dequeue() { try await executor.run(Delivery(data: data)) }
        }
    }

    private let refusal = MailFailure(
        .transient,
        "mail.example.org:25: recipients: busy",
        code: 451,
        reply: "4.3.0 busy"
    )

    @Test("mail that goes leaves nothing behind")
    func sends() async throws {
        let worker = Worker([])
        try await worker.enqueue()
        try await worker.work()
        #expect(worker.server.sent.all == [["a@example.org"]])
        #expect(try await worker.storage.queueSize() == 0)
        #expect(try await worker.storage.scheduleSize() == 0)
        #expect(worker.storage.deadLetters.isEmpty)
    }

    @Test("a transient failure is tried again with growing waits, until it goes")
    func retries() async throws {
        let worker = Worker([.failure(refusal), .failure(refusal)])
        try await worker.enqueue()
        try await worker.work()
        #expect(try await worker.storage.scheduleSize() == 1)
        worker.time.advance(seconds: 4.9)
        try await worker.work()
        #expect(worker.server.answers.withLock { $0.count } == 1, "it came too early")
        worker.time.advance(seconds: 0.2)
        try await worker.work()
        #expect(worker.server.answers.withLock { $0.isEmpty })
        worker.time.advance(seconds: 9)
        try await worker.work()
        #expect(worker.server.sent.all.isEmpty)
        worker.time.advance(seconds: 2)
        try await worker.work()
        #expect(worker.server.sent.all == [["a@example.org"]])
        #expect(worker.storage.deadLetters.isEmpty)
        #expect(worker.watch.oldestRetry == nil)
    }

    @Test("when time is up the mail is put aside, with the server's answer, as it was enqueued")
    func givesUp() async throws {
        var policy = MailPolicy()
        policy.retryFor = .seconds(8)
        let worker = Worker([.failure(refusal), .failure(refusal)], policy: policy)
        try await worker.enqueue()
        try await worker.work()
        worker.time.advance(seconds: 6)
        try await worker.work()
        let letter = try #require(worker.storage.deadLetters.first)
        #expect(letter.reason == .failed)
        #expect(letter.detail.contains("given up after 2 attempts"))
        #expect(letter.detail.contains("451 4.3.0 busy"))
        #expect(try await worker.storage.scheduleSize() == 0)
        let message = try worker.huey.deserialize(letter.data)
        let views = try message.arguments.views()
        #expect(MailJob.summary(args: views.args).recipients == ["a@example.org"])
    }

    @Test(
        "what will not go, and what may have gone, is never tried again",
        arguments: [(MailFailure.Kind.permanent, DeadLetter.Reason.failed), (.unconfirmed, .unconfirmed)]
    )
    func putsAside(kind: MailFailure.Kind, reason: DeadLetter.Reason) async throws {
        let worker = Worker([.failure(MailFailure(kind, "no", code: 550, reply: "never"))])
        try await worker.enqueue()
        try await worker.work()
        #expect(worker.storage.deadLetters.map(\.reason) == [reason])
        worker.time.advance(seconds: 100_000)
        try await worker.work()
        #expect(worker.server.sent.all.isEmpty)
        #expect(try await worker.storage.scheduleSize() == 0)
    }

    @Test("a job that makes no mail is put aside", arguments: ["text", 5, nil, ["port": 25], [:]] as [PickleValue])
    func badConfig(config: PickleValue) async throws {
        let worker = Worker([])
        try await worker.enqueue(config: config)
        try await worker.work()
        #expect(worker.storage.deadLetters.map(\.reason) == [.failed])
        #expect(worker.server.sent.all.isEmpty)
    }

    @Test("mail that is too old when its turn comes is put aside")
    func tooOld() async throws {
        var policy = MailPolicy()
        policy.maxAge = .seconds(60)
        let worker = Worker([], policy: policy)
        try await worker.enqueue()
        let ids = try await worker.storage.enqueuedItems(limit: nil).map { try worker.huey.deserialize($0).id }
        worker.watch.found(ids, since: worker.time.microseconds)
        worker.time.advance(seconds: 61)
        try await worker.work()
        #expect(worker.server.sent.all.isEmpty)
        #expect(try #require(worker.storage.deadLetters.first).detail.contains("too old"))
        try await worker.enqueue()
        try await worker.work()
        #expect(worker.server.sent.all.count == 1, "a fresh one goes")
    }

    @Test("mail that would be too old by its next attempt is put aside at once")
    func tooOldForRetry() async throws {
        var policy = MailPolicy()
        policy.maxAge = .seconds(3)
        let worker = Worker([.failure(refusal)], policy: policy)
        try await worker.enqueue()
        try await worker.work()
        #expect(try await worker.storage.scheduleSize() == 0)
        #expect(try #require(worker.storage.deadLetters.first).detail.contains("too old"))
    }

    @Test("of several recipients only those who were refused are tried again, or put aside")
    func refusedRecipients() async throws {
        let receipt = MailReceipt(
            code: 250,
            reply: "ok",
            refused: [
                RefusedRecipient(recipient: "b@example.org", code: 451, reply: "later"),
                RefusedRecipient(recipient: "c@example.org", code: 550, reply: "never"),
            ]
        )
        let worker = Worker([.success(receipt)])
        try await worker.enqueue(["a@example.org", "b@example.org", "c@example.org"])
        try await worker.work()
        let letter = try #require(worker.storage.deadLetters.first)
        let views = try worker.huey.deserialize(letter.data).arguments.views()
        #expect(MailJob.summary(args: views.args).recipients == ["c@example.org"])
        worker.time.advance(seconds: 6)
        try await worker.work()
        #expect(worker.server.sent.all.last == ["b@example.org"])
        #expect(worker.storage.deadLetters.count == 1)
        #expect(worker.lines.all.contains("error Failed to send email to 'c@example.org': 550, 'never'"))
        // Who gets another attempt is none yet who did not get it.
        #expect(worker.lines.all.contains("warning Failed to send email to 'b@example.org': 451, 'later'"))
    }

    /// A ledger on a server that is gone.
    private struct LostLedger: MailLedger {
        struct Outage: Error {}

        func attempts(of id: String) throws -> MailAttempts? { throw Outage() }
        func remember(_ attempts: MailAttempts, of id: String, seconds: Int) throws { throw Outage() }
        func forget(_ id: String) throws { throw Outage() }
    }

    @Test("a ledger that cannot be written loses no mail, and makes no dead letter of one that was sent")
    func lostLedger() async throws {
        let worker = Worker([.failure(refusal)], ledger: LostLedger())
        try await worker.enqueue()
        try await worker.work()
        #expect(try await worker.storage.scheduleSize() == 1)
        worker.time.advance(seconds: 6)
        try await worker.work()
        #expect(worker.server.sent.all == [["a@example.org"]])
        #expect(worker.storage.deadLetters.isEmpty)
        #expect(!worker.lines.all.contains { $0.hasPrefix("error") })
    }

    @Test("no line of the log has the body or the subject")
    func discretion() async throws {
        let worker = Worker([.failure(refusal), .failure(MailFailure(.permanent, "no"))])
        try await worker.enqueue()
        try await worker.work()
        worker.time.advance(seconds: 6)
        try await worker.work()
        #expect(!worker.lines.all.isEmpty)
        #expect(!worker.lines.all.contains { $0.contains("body-secret") || $0.contains("Your token") })
    }
}
