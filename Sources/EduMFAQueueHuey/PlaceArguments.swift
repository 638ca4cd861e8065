import ArgumentParser
import EduMFAQueue
import HueyRedis
import Logging
import Pickle
import SMTP

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Where the configuration is, and what stands in its place.
struct PlaceArguments: ParsableArguments {
    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "A setting, in the place of the file's and the environment's. Repeatable.",
            valueName: "name=value"
        )
    )
    var assignments: [String] = []

    @Option(help: ArgumentHelp("The Redis server: the setting …JOB_QUEUE_URL.", valueName: "url"))
    var url: String?

    @Option(help: ArgumentHelp("The queue's name: the setting …JOB_QUEUE_NAME.", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("The file with the keys: the setting …ENCFILE.", valueName: "file"))
    var keyFile: String?

    @Option(help: "How the producer's huey makes a key of the queue's name: 3, 2 (as eduMFA 2.9), or off.")
    var cleanName = CleanName.huey3

    @Option(help: ArgumentHelp("The Python that runs a configuration with expressions.", valueName: "path"))
    var python = "python3"

    @Flag(help: "privacyIDEA's names in the place of eduMFA's: settings, files and task.")
    var privacyidea = false

    @Option(help: ArgumentHelp("What the names of all settings begin with.", valueName: "prefix"))
    var prefix: String?

    @Option(help: ArgumentHelp("The e-mail job's name on the wire.", valueName: "name"))
    var taskName: String?

    enum CleanName: String, ExpressibleByArgument, CaseIterable {
        case huey3 = "3"
        case huey2 = "2"
        case off

        var cleaning: NameCleaning {
            switch self {
            case .huey3: .huey3
            case .huey2: .huey2
            case .off: .off
            }
        }
    }

    var product: Product {
        var product = privacyidea ? Product.privacyIDEA : Product.eduMFA
        if let prefix { product.prefix = prefix.hasSuffix("_") ? prefix : prefix + "_" }
        if let taskName { product.taskName = taskName }
        return product
    }

    /// The settings of file, environment and options together.
    ///
    /// - Throws: ``ConfigurationError``.
    func settings() async throws -> Settings {
        let (product, environment) = (product, ProcessInfo.processInfo.environment)
        let path = config ?? product.file(environment: environment) { FileManager.default.fileExists(atPath: $0) }
        let file = try read(path)
        let loader = SettingsLoader(
            product: product,
            file: file,
            environment: environment,
            flags: try flags(product),
            interpreter: PythonProcess(named: python, environment: environment)
        )
        var settings = try await loader.load()
        if file == nil { settings.missingFile = path }
        return settings
    }

    /// A missing file is no error, as in eduMFA: everything may come from the environment. One that is named here must be there.
    private func read(_ path: String) throws -> (path: String, source: [UInt8])? {
        do throws(FileError) {
            return (path, try SmallFile.read(path, limit: 16 << 20).content)
        } catch {
            if error.isMissing, config == nil { return nil }
            throw ConfigurationError("the configuration file \(error)")
        }
    }

    /// A worker with these settings.
    func worker(
        _ options: MailWorker.Options = MailWorker.Options(),
        _ makeLogger: (String) -> Logger = EduMFAQueueHuey.silence
    ) async throws -> MailWorker {
        var options = options
        options.cleaning = cleanName.cleaning
        return try MailWorker(settings: try await settings(), options: options, makeLogger: makeLogger)
    }

    /// Lends a worker that does not work, for its queue.
    func withWorker(_ body: (MailWorker) async throws -> Void) async throws {
        let worker = try await worker()
        do {
            try await body(worker)
            await worker.shutDown()
        } catch {
            await worker.shutDown()
            throw error
        }
    }

    private func flags(_ product: Product) throws -> [String: PickleValue] {
        var flags: [String: PickleValue] = [:]
        for assignment in assignments {
            let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ConfigurationError("--set wants NAME=VALUE")
            }
            flags[String(parts[0])] = Settings.value(ofText: String(parts[1]))
        }
        if let url { flags[product.queueOptionPrefix + "URL"] = .string(url) }
        if let name { flags[product.queueOptionPrefix + "NAME"] = .string(name) }
        if let keyFile { flags[product.keyFileSetting] = .string(keyFile) }
        return flags
    }
}
