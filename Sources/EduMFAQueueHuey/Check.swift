import ArgumentParser
import EduMFAQueue
import Foundation
import Huey
import Pickle
import Redis

/// A check that has found something; says what.
struct CheckFailure: Error, CustomStringConvertible {
    let failed: [String]

    var description: String { "the check failed: \(failed.joined(separator: "; "))" }
}

/// Says what the worker would do, and whether it could.
struct Check {
    let arguments: CheckArguments
    let mail: MailOptions
    private var failed: [String] = []
    private var state: QueueState?

    init(arguments: CheckArguments, mail: MailOptions) {
        self.arguments = arguments
        self.mail = mail
    }

    /// What `--json` prints.
    private struct Report: Encodable {
        var ok: Bool
        /// Mails in the queue, mails that wait for another attempt, dead letters; null when Redis does not tell.
        var waiting: Int?
        var retrying: Int?
        var dead: Int?
        /// For how many seconds the oldest mail has waited; null when none waits.
        var oldest: Int?
        var failed: [String]

        enum Key: CodingKey { case ok, waiting, retrying, dead, oldest, failed }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(ok, forKey: .ok)
            try container.encode(waiting, forKey: .waiting)
            try container.encode(retrying, forKey: .retrying)
            try container.encode(dead, forKey: .dead)
            try container.encode(oldest, forKey: .oldest)
            try container.encode(failed, forKey: .failed)
        }
    }

    /// - Parameter makeWorker: puts the worker together from its settings.
    /// - Throws: ``CheckFailure`` when the worker could not work.
    mutating func run(_ makeWorker: () async throws -> MailWorker) async throws {
        do {
            let worker = try await makeWorker()
            showSettings(of: worker)
            await checkRedis(worker)
            await checkFiles(worker)
            await worker.shutDown()
        } catch {
            fail("configuration", "\(error)")
        }
        for url in arguments.probeSmtp { await probe(url) }
        if arguments.json { try printReport() }
        guard failed.isEmpty else { throw CheckFailure(failed: failed) }
    }

    private func printReport() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let report = Report(
            ok: failed.isEmpty,
            waiting: state?.waiting,
            retrying: state?.retrying,
            dead: state?.dead,
            oldest: (state?.oldest?.components.seconds).map(Int.init),
            failed: failed
        )
        let text = String(decoding: try encoder.encode(report), as: UTF8.self)
        printJSON(text)
    }

    // MARK: Parts

    private func showSettings(of worker: MailWorker) {
        let settings = worker.settings
        row("configuration", settings.file ?? settings.missingFile.map { "\($0) does not exist" } ?? "no file")
        for (name, entry) in settings.entries.sorted(by: { $0.key < $1.key }) {
            row(name, "\(shown(name, entry.value, worker))  (\(entry.source))")
        }
        for warning in settings.warnings { row("warning", warning) }
        row("task", settings.product.taskName)
        row("queue", worker.queue.keys.queue)
    }

    private mutating func checkRedis(_ worker: MailWorker) async {
        let client = worker.queue.client
        row("redis", client.configuration.description)
        do {
            let connection = try await client.connect()
            await connection.close()
            let state = try await worker.state()
            self.state = state
            let oldest = state.oldest.map { ", the oldest for \($0.components.seconds) s" } ?? ""
            row(
                "redis",
                """
                ok, \(state.waiting) mail(s) wait, \(state.retrying) wait for another attempt\(oldest), \
                \(state.dead) dead letter(s)
                """
            )
            if try await !worker.canAcknowledge() {
                row("redis", "this server is older than 6.2: mail is delivered at most once")
            }
            if let warning = try await worker.otherGeneration() { fail("queue", warning) }
        } catch {
            fail("redis", "\(error)")
        }
    }

    private mutating func checkFiles(_ worker: MailWorker) async {
        if let problem = await worker.passwords.problem() { fail("key file", problem) } else { row("key file", "ok") }
        if mail.authorityFile != nil {
            if let problem = await worker.authorityProblem() {
                fail("--smtp-ca-file", problem)
            } else {
                row("--smtp-ca-file", "ok")
            }
        }
    }

    private mutating func probe(_ url: String) async {
        do {
            let password = ProcessInfo.processInfo.environment["SMTP_PROBE_PASSWORD"]
            let probe = try SMTPProbe(url, password: password)
            do throws(MailFailure) {
                row("smtp \(probe.name)", "ok: \(try await probe.run(mail))")
            } catch {
                fail("smtp \(probe.name)", error.reason)
            }
        } catch {
            fail("smtp", "\(error)")
        }
    }

    // MARK: Rows

    private mutating func fail(_ name: String, _ reason: String) {
        failed.append("\(name): \(reason)")
        row(name, "FAILED: \(reason)")
    }

    private func row(_ name: String, _ text: String) {
        if !arguments.json { print(name.padding(26) + " " + text) }
    }

    /// A value without secrets.
    private func shown(_ name: String, _ value: PickleValue, _ worker: MailWorker) -> String {
        let prefix = worker.settings.product.queueOptionPrefix
        guard name.hasPrefix(prefix) else { return worker.settings.product.uses(name) ? value.repr : "***" }
        switch name.dropFirst(prefix.count) {
        case "URL": return "'\(worker.queue.client.configuration.description)'"
        case "CLASS", "NAME", "HOST", "PORT", "DB", "USERNAME", "IMMEDIATE", "UTC", "CLEAN_NAME", "READ_TIMEOUT",
            "BLOCKING", "CLIENT_NAME":
            return value.repr
        default: return "***"
        }
    }
}

extension String {
    /// With blanks behind, up to a width.
    func padding(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
