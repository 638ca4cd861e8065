public import Huey
package import Logging
import Pickle

/// eduMFA's e-mail job as a task: sends, tries again later what may pass, and puts aside what will not.
package struct MailTask: Sendable {
    let mailer: Mailer
    let policy: MailPolicy
    let ledger: any MailLedger
    let watch: MailWatch
    let logger: Logger

    package init(mailer: Mailer, policy: MailPolicy, ledger: any MailLedger, watch: MailWatch, logger: Logger) {
        self.mailer = mailer
        self.policy = policy
        self.ledger = ledger
        self.watch = watch
        self.logger = logger
    }

    /// Registers the task under its wire name.
    package func register(on huey: Huey, as name: String) {
        huey.unboundTask(name) { context in
            let (args, kwargs) = try context.message.arguments.views()
            return try await MailRun(task: self, context: context, args: args, kwargs: kwargs).perform()
        }
    }
}

/// One attempt to send one mail.
struct MailRun {
    let task: MailTask
    let context: TaskContext
    let args: PickleView
    let kwargs: PickleView

    private var huey: Huey { context.huey }
    private var id: String { context.id }

    /// Whether every recipient got the mail: what eduMFA's job returns.
    ///
    /// - Throws: ``RetryTask`` for another attempt, ``MailFailure`` for what is to be put aside, `CancellationError`.
    func perform() async throws -> Bool {
        let now = huey.time.microseconds()
        // eduMFA itself never asks for a time: a mail with one has failed before.
        // A ledger that cannot be read only means that the waits begin anew.
        let earlier = context.message.eta == nil ? nil : try? await task.ledger.attempts(of: id)
        let firstSeen = earlier?.firstSeen ?? task.watch.firstSeen(id, now: now)
        let age = Duration.microseconds(max(0, now - firstSeen))
        if let limit = task.policy.maxAge, age > limit {
            let failure = MailFailure(
                .permanent,
                "too old: first seen \(age.rounded) ago, the limit is \(limit.rounded)"
            )
            throw try await giveUp(failure, earlier)
        }
        let receipt: MailReceipt
        do throws(MailFailure) {
            receipt = try await task.mailer.send(MailJob(args: args, kwargs: kwargs))
        } catch {
            switch error.kind {
            case .transient:
                // Interrupted by our own end: the mail goes back as it was.
                try Task.checkCancellation()
                throw try await postpone(error, earlier, firstSeen: firstSeen, age: age)
            case .permanent, .unconfirmed:
                throw try await giveUp(error, earlier)
            }
        }
        await settle(earlier)
        task.logger.info("Mail sent: \(id), \(receipt.code) \(receipt.reply)")
        if let remark = receipt.remark { task.logger.warning("Mail \(id)\(addressees): \(remark)") }
        guard !receipt.refused.isEmpty else { return true }
        try await keep(receipt.refused, firstSeen: firstSeen)
        return false
    }

    /// Forgets earlier attempts. What cannot be forgotten now expires.
    private func settle(_ earlier: MailAttempts?) async {
        task.watch.done(id)
        if earlier != nil { try? await task.ledger.forget(id) }
    }

    /// Remembers a failed attempt. A mail is not lost because that cannot be written.
    private func remember(_ attempts: MailAttempts, of id: String, _ delay: Duration) async {
        do {
            try await task.ledger.remember(attempts, of: id, seconds: ledgerSeconds(delay))
        } catch {
            task.logger.warning("Mail \(id): its attempts could not be written down, and are counted anew: \(error)")
        }
    }

    /// What to throw for another attempt, or for the last one.
    private func postpone(
        _ failure: MailFailure,
        _ earlier: MailAttempts?,
        firstSeen: Int,
        age: Duration
    ) async throws -> any Error {
        let count = (earlier?.count ?? 0) + 1
        guard let delay = task.policy.delay(afterFailures: count, age: age) else {
            var last = failure
            last.reason = "given up after \(count) attempts: \(failure.reason)"
            return try await giveUp(last, earlier)
        }
        if let limit = task.policy.maxAge, age + delay > limit {
            var last = failure
            last.reason = "too old by the next attempt: \(failure.reason)"
            return try await giveUp(last, earlier)
        }
        let attempts = MailAttempts(count: count, firstSeen: firstSeen, reason: failure.deadLetterDetail)
        await remember(attempts, of: id, delay)
        task.watch.waits(id, since: firstSeen)
        task.logger.warning(
            "Mail \(id)\(addressees) could not be sent (attempt \(count)), next attempt in \(delay.rounded): \(failure.deadLetterDetail)"
        )
        return RetryTask(failure.reason, start: .delay(seconds: .float(delay.inSeconds)))
    }

    /// Longer than the wait, so that a worker may be down for a while.
    private func ledgerSeconds(_ delay: Duration) -> Int {
        Int((delay + task.policy.retryFor).components.seconds) + 7 * 86_400
    }

    /// What to throw so that the mail is put aside, in the write that acknowledges it.
    private func giveUp(_ failure: MailFailure, _ earlier: MailAttempts?) async throws -> MailFailure {
        await settle(earlier)
        task.logger.error("Mail \(id)\(addressees) is put aside: \(failure.deadLetterDetail)")
        return failure
    }

    /// To whom, for a log line that somebody has to act upon; not more than a few.
    private var addressees: String {
        let recipients = MailJob.summary(args: args, kwargs: kwargs).recipients
        guard !recipients.isEmpty else { return "" }
        let others = recipients.count > 3 ? " and \(recipients.count - 3) others" : ""
        return " to " + recipients.prefix(3).map { $0.shortened }.joined(separator: ", ") + others
    }

    // MARK: recipients that were refused while others were served

    /// So many refused recipients get a line of their own.
    private static let mostLogged = 100

    /// Whoever was refused for now gets another attempt alone; the others are put aside.
    private func keep(_ refused: [RefusedRecipient], firstSeen: Int) async throws {
        let age = Duration.microseconds(max(0, huey.time.microseconds() - firstSeen))
        let delay = task.policy.delay(afterFailures: 1, age: age).flatMap { isTooLate(age + $0) ? nil : $0 }
        // Who gets another attempt may get it yet.
        func level(_ isTransient: Bool) -> Logger.Level { isTransient && delay != nil ? .warning : .error }
        for recipient in refused.prefix(Self.mostLogged) {
            task.logger.log(
                level: level(recipient.isTransient),
                "Failed to send email to '\(recipient.name)': \(recipient.code), '\(recipient.reply)'"
            )
        }
        let others = refused.dropFirst(Self.mostLogged)
        if !others.isEmpty {
            let level = level(others.allSatisfy(\.isTransient))
            task.logger.log(level: level, "Failed to send email to \(others.count) other recipient(s)")
        }
        let later = refused.filter(\.isTransient)
        if !later.isEmpty, let delay {
            let message = try message(to: later, start: .delay(seconds: .float(delay.inSeconds)))
            let reason = later.first.map { "transient: \($0)" }
            await remember(MailAttempts(count: 1, firstSeen: firstSeen, reason: reason), of: message.id, delay)
            task.logger.warning(
                "Mail \(id) goes to \(later.count) refused recipient(s) again as \(message.id) in \(delay.rounded)"
            )
            if let eta = message.eta { try await huey.storage.addToSchedule(try huey.serialize(message), at: eta) }
            task.watch.waits(message.id, since: firstSeen)
        } else if !later.isEmpty {
            try await putAside(later)
        }
        let never = refused.filter { !$0.isTransient }
        if !never.isEmpty { try await putAside(never) }
    }

    private func isTooLate(_ age: Duration) -> Bool { task.policy.maxAge.map { age > $0 } ?? false }

    private func putAside(_ refused: [RefusedRecipient]) async throws {
        let message = try message(to: refused, start: nil)
        let failure = MailFailure(.permanent, "refused, while others were served", refused: refused)
        let letter = DeadLetter(
            data: try huey.serialize(message),
            reason: failure.deadLetterReason,
            detail: failure.deadLetterDetail,
            time: huey.time.microseconds()
        )
        try await huey.storage.bury(letter)
        task.logger.error("Mail \(id) was put aside for \(refused.count) refused recipient(s) as \(message.id)")
    }

    /// The same job for some of its recipients.
    private func message(to refused: [RefusedRecipient], start: TaskOptions.Start?) throws -> Message {
        let recipients = PickleValue.list(refused.map { .string($0.recipient) })
        var positional: [TaskArguments.Value] = args.elements.map { $0.map { $0 as TaskArguments.Value } } ?? []
        var keywords: [(key: TaskArguments.Value, value: TaskArguments.Value)] = []
        if let pairs = kwargs.pairs {
            keywords = pairs.filter { !$0.key.equals("recipient") }.map { (key: $0.key, value: $0.value) }
        }
        if positional.count > 1 {
            positional[1] = recipients
        } else {
            keywords.append((key: "recipient", value: recipients))
        }
        var options = TaskOptions()
        options.start = start
        return try huey.message(
            context.message.name,
            TaskArguments(positional: positional, keywords: keywords),
            options: options
        )
    }
}

extension MailFailure: DeadLetterExplaining {
    public var deadLetterReason: DeadLetter.Reason { kind == .unconfirmed ? .unconfirmed : .failed }

    /// So many refused recipients are named.
    private static let mostNamed = 10

    /// What happened, on one line, with the server's answer.
    public var deadLetterDetail: String {
        let answer = [code.map(String.init), reply].compactMap { $0 }.joined(separator: " ")
        let text = answer.isEmpty || reason.contains(answer) ? reason : "\(reason) (\(answer))"
        // Who was refused, where the text does not say it all already.
        let others = refused.filter { $0.code != code || $0.reply != reply }
        let named = others.isEmpty ? [] : refused.prefix(Self.mostNamed)
        let rest =
            others.isEmpty || refused.count <= Self.mostNamed ? "" : "; and \(refused.count - Self.mostNamed) others"
        let refusals = named.map { "\($0.name): \($0.code) \($0.reply)" }.joined(separator: "; ") + rest
        return refusals.isEmpty ? "\(kind.rawValue): \(text)" : "\(kind.rawValue): \(text): \(refusals)"
    }
}

extension Duration {
    /// For people: whole seconds, minutes, hours or days.
    var rounded: String {
        let seconds = components.seconds
        return switch seconds {
        case ..<180: "\(seconds) s"
        case ..<10_800: "\(seconds / 60) min"
        case ..<259_200: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) days"
        }
    }
}
