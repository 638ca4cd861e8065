import EduMFAQueue
import Foundation
import Huey
import HueyConsumer
import Logging
import Pickle

/// Where the worker logs to: the rules of Python's `edumfa-queue-huey`, and standard streams.
struct WorkerLog: Sendable {
    /// What the worker prints when it starts.
    let announcement: String
    private let level: Logger.Level
    private let output: LogFile
    private let simple: Bool

    /// - Throws: ``ConfigurationError`` for `-l` beside a logging configuration, ``LogFileError`` for a file that cannot be opened.
    init(settings: Settings, consumer: ConsumerArguments, log: LogArguments) throws {
        let product = settings.product
        let configuration = settings.text(product.loggingConfigurationSetting) ?? product.defaultLoggingConfiguration
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: configuration, isDirectory: &isDirectory), !isDirectory.boolValue {
            guard consumer.logfile == nil else {
                throw ConfigurationError(
                    "-l is unsupported if \(product.loggingConfigurationSetting) is used. Exiting."
                )
            }
            // It is Python's to be carried out; the service manager takes the lines.
            output = LogFile(stream: .error, hasPriorities: log.logStderr ? true : nil)
            announcement = "Using logging configuration from '\(configuration)'"
        } else {
            (output, announcement) = try Self.output(product, consumer, log)
        }
        level =
            consumer.verbose
            ? .debug : consumer.quiet ? .warning : Self.level(settings[product.logLevelSetting] ?? .none)
        simple = consumer.simple
    }

    /// A log for what goes wrong before the settings are known. Where the file that was asked for cannot be opened, it is the usual one.
    ///
    /// - Returns: nil where neither can be opened.
    init?(product: Product, consumer: ConsumerArguments, log: LogArguments) {
        let made =
            (try? Self.output(product, consumer, log))
            ?? (try? LogFile(path: product.logFile)).map { ($0, "") }
        guard let made else { return nil }
        (output, announcement) = made
        level = .info
        simple = consumer.simple
    }

    private static func output(
        _ product: Product,
        _ consumer: ConsumerArguments,
        _ log: LogArguments
    ) throws -> (LogFile, announcement: String) {
        if log.logStderr {
            return (LogFile(stream: .error, hasPriorities: true), "Logging to standard error")
        }
        let path = consumer.logfile ?? product.logFile
        if path == "-" { return (LogFile(stream: .output), "Logging to standard output") }
        return (try LogFile(path: path), "Logging to '\(path)'")
    }

    func logger(_ label: String) -> Logger {
        let (level, output, simple) = (level, output, simple)
        return Logger(label: label) {
            EduMFALogHandler(label: $0, logLevel: level, output: output, simple: simple)
        }
    }

    /// A level of Python's `logging`: a number or a name.
    static func level(_ value: PickleValue) -> Logger.Level {
        let names = ["DEBUG": 10, "INFO": 20, "WARNING": 30, "WARN": 30, "ERROR": 40, "CRITICAL": 50, "FATAL": 50]
        let number: Int? =
            switch value {
            case .int(let number): number
            case .string(let name): names[name.uppercased()] ?? Int(name)
            default: nil
            }
        return switch number ?? 20 {
        case ...10: .debug
        case ...20: .info
        case ...30: .warning
        case ...40: .error
        default: .critical
        }
    }
}
