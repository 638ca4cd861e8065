import ArgumentParser
import EduMFAQueue

/// What becomes of mail, and when somebody is warned.
struct MailArguments: ParsableArguments {
    @Flag(help: "Do not verify the certificates of mail servers, as Python's worker does not.")
    var insecureSmtpTls = false

    @Option(
        help: ArgumentHelp("Do not verify the certificate of this mail server. Repeatable.", valueName: "host[:port]")
    )
    var insecureSmtpTlsServer: [String] = []

    @Option(help: ArgumentHelp("A PEM file with authorities to trust beside the system's.", valueName: "file"))
    var smtpCaFile: String?

    @Option(help: ArgumentHelp("The wait before the second attempt; it doubles with each.", valueName: "time"))
    var retryDelay = Seconds(5)

    @Option(help: ArgumentHelp("The longest wait between two attempts.", valueName: "time"))
    var retryMaxDelay = Seconds(600)

    @Option(help: ArgumentHelp("How long to try; 0 for one attempt. Then the mail is put aside.", valueName: "time"))
    var retryFor = Seconds(86_400)

    @Option(
        help: ArgumentHelp(
            "Mail older than this is put aside instead of sent: a one-time password is worthless late.",
            valueName: "time"
        )
    )
    var maxMailAge: Seconds?

    @Option(help: ArgumentHelp("How many dead letters are kept; the oldest go first.", valueName: "count"))
    var deadLetterLimit = 10_000

    @Option(help: ArgumentHelp("How long dead letters are kept; 0 for ever.", valueName: "time"))
    var deadLetterTtl = Seconds(30 * 86_400)

    @Option(
        help: ArgumentHelp("How much space dead letters may take; 0 for any. The oldest go first.", valueName: "bytes")
    )
    var deadLetterSize = Bytes(256 << 20)

    @Option(help: ArgumentHelp("Warn when so many mails wait.", valueName: "count"))
    var warnQueue = 100

    @Option(help: ArgumentHelp("Warn when a mail has waited so long.", valueName: "time"))
    var warnAge = Seconds(300)

    /// A number of seconds, or one with a unit: `90`, `90s`, `15m`, `12h`, `30d`.
    struct Seconds: ExpressibleByArgument, CustomStringConvertible {
        var duration: Duration

        init(_ seconds: Int) { duration = .seconds(seconds) }

        init?(argument: String) {
            let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
            let unit = argument.last.flatMap { units[$0] }
            guard let number = Double(unit == nil ? argument : String(argument.dropLast())), number >= 0 else {
                return nil
            }
            let seconds = number * (unit ?? 1)
            guard seconds < 1e9 else { return nil }
            duration = .seconds(seconds)
        }

        var description: String { "\(duration.components.seconds)" }
    }

    /// A number of bytes, or one with a unit: `500k`, `256m`, `2g`.
    struct Bytes: ExpressibleByArgument, CustomStringConvertible {
        var count: Int

        init(_ count: Int) { self.count = count }

        init?(argument: String) {
            let units: [Character: Int] = ["k": 1 << 10, "m": 1 << 20, "g": 1 << 30]
            let unit = argument.last.flatMap { units[Character($0.lowercased())] }
            guard let number = Int(unit == nil ? argument : String(argument.dropLast())), number >= 0 else {
                return nil
            }
            let (count, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
            guard !overflow else { return nil }
            self.count = count
        }

        var description: String { count.isMultiple(of: 1 << 20) ? "\(count >> 20)m" : "\(count)" }
    }

    func validate() throws {
        guard deadLetterLimit > 0, warnQueue > 0 else { throw ValidationError("Counts must be positive.") }
        guard retryDelay.duration > .zero, warnAge.duration > .zero else {
            throw ValidationError("--retry-delay and --warn-age must be positive.")
        }
    }

    var options: MailWorker.Options {
        var options = MailWorker.Options()
        options.mail.trustsAllServers = insecureSmtpTls
        options.mail.trustedServers = Set(insecureSmtpTlsServer.map { $0.lowercased() })
        options.mail.authorityFile = smtpCaFile
        options.policy.firstRetry = retryDelay.duration
        options.policy.longestRetry = retryMaxDelay.duration
        options.policy.retryFor = retryFor.duration
        options.policy.maxAge = maxMailAge?.duration
        options.deadLetterLimit = deadLetterLimit
        options.monitor.letterLifetime = deadLetterTtl.duration > .zero ? deadLetterTtl.duration : nil
        options.monitor.letterSpace = deadLetterSize.count > 0 ? deadLetterSize.count : nil
        options.monitor.warnLength = warnQueue
        options.monitor.warnAge = warnAge.duration
        return options
    }
}
