import Pickle
import Testing

@testable import EduMFAQueue

/// Where a worker's settings come from.
struct SettingsLoaderTests {
    /// An interpreter that answers what it is told.
    struct Interpreter: PythonInterpreter {
        let path = "python"
        var answer: [String: PickleValue]?

        func settings(ofFile file: String, prefix: String) throws -> [String: PickleValue] {
            guard let answer else { throw ConfigurationError("python could not run it") }
            return answer
        }
    }

    private func load(
        _ source: String,
        environment: [String: String] = [:],
        flags: [String: PickleValue] = [:],
        interpreter: (any PythonInterpreter)? = nil
    ) async throws -> Settings {
        try await SettingsLoader(
            product: .eduMFA,
            file: (path: "edumfa.cfg", source: Array(source.utf8)),
            environment: environment,
            flags: flags,
            interpreter: interpreter
        ).load()
    }

    @Test("options of the queue are named by what stands behind the prefix, in small letters")
    func queueOptions() async throws {
        let settings = try await load(
            """
            EDUMFA_JOB_QUEUE_CLASS = 'edumfa.lib.queues.huey_queue.HueyQueue'
            EDUMFA_JOB_QUEUE_URL = 'redis://localhost/1'
            EDUMFA_JOB_QUEUE_NAME = 'mail'
            EDUMFA_PEPPER = 'secret'
            """
        )
        #expect(settings.queueOptions == ["url": "redis://localhost/1", "name": "mail"])
        #expect(settings["EDUMFA_PEPPER"] == nil)
    }

    @Test("the environment comes before the file, and flags before both")
    func precedence() async throws {
        let settings = try await load(
            "EDUMFA_JOB_QUEUE_DB = 1\nEDUMFA_JOB_QUEUE_NAME = 'file'\nEDUMFA_ENCFILE = '/file'\n",
            environment: [
                "EDUMFA_JOB_QUEUE_DB": "2", "EDUMFA_JOB_QUEUE_NAME": "environment", "EDUMFA_CONFIGFILE": "x",
                "EDUMFA_JOB_QUEUE_PASSWORD": "1e5",
            ],
            flags: ["EDUMFA_JOB_QUEUE_NAME": "flag"]
        )
        #expect(settings["EDUMFA_JOB_QUEUE_DB"] == 2)
        #expect(settings["EDUMFA_JOB_QUEUE_NAME"] == "flag")
        #expect(settings["EDUMFA_ENCFILE"] == "/file")
        #expect(settings["EDUMFA_JOB_QUEUE_PASSWORD"] == "1e5")
        #expect(settings["EDUMFA_CONFIGFILE"] == nil)
    }

    @Test("a URL on the command line takes the place of an address in parts")
    func urlFlag() async throws {
        let settings = try await load(
            "EDUMFA_JOB_QUEUE_HOST = 'redis'\nEDUMFA_JOB_QUEUE_DB = 3\n",
            flags: ["EDUMFA_JOB_QUEUE_URL": "redis://other"]
        )
        #expect(settings.queueOptions == ["url": "redis://other"])
    }

    @Test("an expression in a setting that the worker does not use does not stop it")
    func foreignExpression() async throws {
        let settings = try await load("SECRET_KEY = os.urandom(3)\nEDUMFA_PEPPER = f()\nEDUMFA_ENCFILE = '/keys'\n")
        #expect(settings["EDUMFA_ENCFILE"] == "/keys")
        #expect(settings.warnings.isEmpty)
    }

    @Test("an expression without an interpreter is an error that names the setting, the line and the way out")
    func noInterpreter() async throws {
        let error = try await #require(throws: ConfigurationError.self) {
            try await load("import os\nEDUMFA_ENCFILE = os.environ['KEYS']\n")
        }
        #expect(error.description.contains("EDUMFA_ENCFILE could not be read"))
        #expect(error.description.contains("line 2"))
        #expect(error.description.contains("--set EDUMFA_ENCFILE=VALUE"))
    }

    @Test("an expression that is passed in another way needs no interpreter")
    func passedOtherwise() async throws {
        let source = "EDUMFA_ENCFILE = key_file()\nEDUMFA_JOB_QUEUE_URL = url()\n"
        let settings = try await load(
            source,
            environment: ["EDUMFA_ENCFILE": "/keys"],
            flags: ["EDUMFA_JOB_QUEUE_URL": "redis://localhost"]
        )
        #expect(settings["EDUMFA_ENCFILE"] == "/keys")
    }

    @Test("an interpreter says what expressions come to")
    func interpreter() async throws {
        let answer: [String: PickleValue] = ["EDUMFA_ENCFILE": "/from/python", "EDUMFA_PEPPER": "secret"]
        let settings = try await load("EDUMFA_ENCFILE = f()\n", interpreter: Interpreter(answer: answer))
        #expect(settings.entries["EDUMFA_ENCFILE"] == Settings.Entry(value: "/from/python", source: .interpreter))
        #expect(settings["EDUMFA_PEPPER"] == nil)
        await #expect(throws: ConfigurationError.self) {
            try await load("EDUMFA_ENCFILE = f()\n", interpreter: Interpreter(answer: nil))
        }
        await #expect(throws: ConfigurationError.self) {
            try await load("EDUMFA_ENCFILE = f()\n", interpreter: Interpreter(answer: [:]))
        }
    }

    @Test("a log level that cannot be read is a warning")
    func logLevel() async throws {
        let settings = try await load("EDUMFA_LOGLEVEL = level()\n")
        #expect(settings.warnings.count == 1)
    }

    @Test("the configuration file is eduMFA's: by the variable, in a container, by default")
    func places() {
        let product = Product.eduMFA
        #expect(product.file(environment: [:]) { _ in true } == "/etc/edumfa/edumfa.cfg")
        #expect(product.file(environment: ["EDUMFA_CONFIGFILE": "/x"]) { _ in true } == "/x")
        let container = ["__EDUMFA_RUNNING_IN_CONTAINER": "1"]
        #expect(product.file(environment: container) { _ in true } == "/etc/edumfa/edumfa.cfg")
        #expect(product.file(environment: container) { _ in false } == "/opt/edumfa/edumfa_config.py")
    }
}
