import EduMFAQueue
import Foundation
import Huey
import HueyConsumer
import Logging
import Pickle

/// Where the worker logs to: the rules of Python's `edumfa-queue-huey`.
struct WorkerLog: Sendable {
    /// What the worker prints when it starts.
    let announcement: String
    private let level: Logger.Level
    private let output: LogFile

    /// - Throws: ``ConfigurationError`` for `-l` beside a logging configuration, or a file that cannot be opened.
    init(settings: Settings, arguments: ConsumerArguments) throws {
        let product = settings.product
        let configuration = settings.text(product.loggingConfigurationSetting) ?? product.defaultLoggingConfiguration
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: configuration, isDirectory: &isDirectory), !isDirectory.boolValue {
            guard arguments.logfile == nil else {
                throw ConfigurationError(
                    "-l is unsupported if \(product.loggingConfigurationSetting) is used. Exiting."
                )
            }
            // It is Python's to be carried out; the service manager takes the lines.
            output = .standardError
            announcement = "Using logging configuration from '\(configuration)'"
        } else {
            let path = arguments.logfile ?? product.logFile
            guard let file = LogFile(path: path) else {
                throw ConfigurationError("the log file \(path) cannot be opened")
            }
            output = file
            announcement = "Logging to '\(path)'"
        }
        level =
            arguments.verbose
            ? .debug : arguments.quiet ? .warning : Self.level(settings[product.logLevelSetting] ?? .none)
    }

    func logger(_ label: String) -> Logger {
        let (level, output) = (level, output)
        return Logger(label: label) { EduMFALogHandler(label: $0, logLevel: level, output: output) }
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
