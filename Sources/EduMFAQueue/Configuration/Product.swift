/// A product with this job queue: eduMFA, and privacyIDEA, which it comes from.
package struct Product: Sendable, Hashable {
    /// What it is called in messages.
    package var name: String
    /// What its loggers' names begin with.
    package var module: String
    /// The headers that it gives every mail.
    package var mailHeaders: [MailHeader]
    /// What the name of a setting has before it in the environment, for Flask's `from_prefixed_env`; nil where the product does not use it.
    package var environmentPrefix: String?
    /// What every setting's name begins with.
    package var prefix: String
    /// The environment variable with the path of the configuration file.
    package var fileVariable: String
    /// The configuration file without that variable.
    package var defaultFile: String
    /// The configuration of Python's logging without a setting that names another.
    package var defaultLoggingConfiguration: String
    /// The worker's log file, in its working directory.
    package var logFile: String
    /// The wire name of the e-mail job: the function's module, a dot, the job's name.
    package var taskName: String
    /// The queue class that a worker can work for.
    package var queueClass: String
    /// The security module whose key is in the key file.
    package var securityModule: String

    package static let eduMFA = Product(
        name: "eduMFA",
        module: "edumfa",
        mailHeaders: [
            MailHeader(name: "Precedence", value: "bulk"), MailHeader(name: "Auto-Submitted", value: "auto-generated"),
        ],
        prefix: "EDUMFA_",
        fileVariable: "EDUMFA_CONFIGFILE",
        defaultFile: "/etc/edumfa/edumfa.cfg",
        defaultLoggingConfiguration: "/etc/edumfa/logging.cfg",
        logFile: "edumfa-queue.log",
        taskName: "edumfa.lib.smtpserver.smtpserver.send_email",
        queueClass: "edumfa.lib.queues.huey_queue.HueyQueue",
        securityModule: "edumfa.lib.security.default.DefaultSecurityModule"
    )

    package static let privacyIDEA = Product(
        name: "privacyIDEA",
        module: "privacyidea",
        mailHeaders: [],
        environmentPrefix: "PRIVACYIDEA_",
        prefix: "PI_",
        fileVariable: "PRIVACYIDEA_CONFIGFILE",
        defaultFile: "/etc/privacyidea/pi.cfg",
        defaultLoggingConfiguration: "/etc/privacyidea/logging.cfg",
        logFile: "privacyidea-queue.log",
        taskName: "privacyidea.lib.smtpserver.smtpserver.send_email",
        queueClass: "privacyidea.lib.queues.huey_queue.HueyQueue",
        securityModule: "privacyidea.lib.security.default.DefaultSecurityModule"
    )

    package var queueClassSetting: String { prefix + "JOB_QUEUE_CLASS" }
    /// What the names of all settings begin with that become options of the queue.
    package var queueOptionPrefix: String { prefix + "JOB_QUEUE_" }
    package var keyFileSetting: String { prefix + "ENCFILE" }
    package var securityModuleSetting: String { prefix + "HSM_MODULE" }
    package var logLevelSetting: String { prefix + "LOGLEVEL" }
    package var loggingConfigurationSetting: String { prefix + "LOGCONFIG" }

    /// Whether a worker needs to know a setting.
    package func uses(_ name: String) -> Bool {
        name.hasPrefix(queueOptionPrefix) || isRequired(name) || name == logLevelSetting
            || name == loggingConfigurationSetting
    }

    /// Whether a worker had better not start without knowing a setting that is there.
    package func isRequired(_ name: String) -> Bool {
        name.hasPrefix(queueOptionPrefix) || name == keyFileSetting || name == securityModuleSetting
    }

    /// Where the configuration file is. Mirrors `create_app`, with its rule for containers.
    package func file(environment: [String: String], exists: (String) -> Bool) -> String {
        if let path = environment[fileVariable], !path.isEmpty { return path }
        if self == .eduMFA, environment["__EDUMFA_RUNNING_IN_CONTAINER"] == "1", !exists(defaultFile) {
            return "/opt/edumfa/edumfa_config.py"
        }
        return defaultFile
    }
}
