import ArgumentParser
import EduMFAQueue
import Huey
import Pickle
import Redis

/// Says what the worker would do, and whether it could.
struct Check {
    let worker: MailWorker

    /// - Throws: `ExitCode` 1 when the worker could not work.
    func run() async throws {
        let settings = worker.settings
        row("configuration", settings.file ?? "no file")
        for (name, entry) in settings.entries.sorted(by: { $0.key < $1.key }) {
            row(name, "\(shown(name, entry.value))  (\(entry.source))")
        }
        for warning in settings.warnings { row("warning", warning) }
        row("task", settings.product.taskName)
        row("queue", worker.queue.keys.queue)
        let isReachable = await checkRedis()
        let hasKeys = checkKeys()
        await worker.shutDown()
        guard isReachable, hasKeys else { throw ExitCode(1) }
    }

    private func checkRedis() async -> Bool {
        let client = worker.queue.client
        row("redis", client.configuration.description)
        do {
            let connection = try await client.connect()
            await connection.close()
            let waiting = try await client.command("LLEN", .init(worker.queue.keys.queue)).integer ?? 0
            row("redis", "ok, \(waiting) mail(s) wait, \(try await worker.letters.count()) dead letter(s)")
            if try await !worker.canAcknowledge() {
                row("redis", "this server is older than 6.2: mail is delivered at most once")
            }
            if let warning = try await worker.otherGeneration() { row("warning", warning) }
            return true
        } catch {
            row("redis", "FAILED: \(error)")
            return false
        }
    }

    private func checkKeys() -> Bool {
        switch worker.passwords {
        case .keyFile:
            row("key file", "ok")
            return true
        case .unavailable(let reason):
            row("key file", "FAILED: \(reason)")
            return false
        }
    }

    private func row(_ name: String, _ text: String) {
        print(name.padding(26) + " " + text)
    }

    /// A value without secrets.
    private func shown(_ name: String, _ value: PickleValue) -> String {
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
