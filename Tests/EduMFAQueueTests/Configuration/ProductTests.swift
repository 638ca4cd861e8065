import Huey
import Logging
import Pickle
import Testing

@testable import EduMFAQueue

/// What is privacyIDEA's own.
struct ProductTests {
    private func load(_ source: String, _ environment: [String: String], _ product: Product) async throws -> Settings {
        try await SettingsLoader(
            product: product,
            file: (path: "pi.cfg", source: Array(source.utf8)),
            environment: environment
        ).load()
    }

    @Test("variables PRIVACYIDEA_PI_… are settings, as Flask reads them; the file comes before them")
    func environment() async throws {
        let variables = [
            "PRIVACYIDEA_PI_JOB_QUEUE_NAME": "mail", "PRIVACYIDEA_PI_JOB_QUEUE_DB": "3",
            "PRIVACYIDEA_PI_JOB_QUEUE_UTC": "false", "PRIVACYIDEA_PI_JOB_QUEUE_URL": "\"redis://x\"",
            "PRIVACYIDEA_PI_ENCFILE": "/environment", "PRIVACYIDEA_CONFIGFILE": "/x", "PRIVACYIDEA_PI_PEPPER": "p",
        ]
        let settings = try await load("PI_ENCFILE = '/file'\n", variables, .privacyIDEA)
        #expect(settings.queueOptions == ["name": "mail", "db": 3, "utc": false, "url": "redis://x"])
        #expect(settings["PI_ENCFILE"] == "/file")
        #expect(settings["PI_PEPPER"] == nil)
        #expect(
            try await load("", variables.merging(["PI_ENCFILE": "/own"]) { $1 }, .privacyIDEA)["PI_ENCFILE"] == "/own"
        )
        #expect(try await load("", variables, .eduMFA).entries.isEmpty)
    }

    @Test(
        arguments: [
            ("1", 1), ("-2", -2), ("1.5", 1.5), ("1e3", 1000.0), ("true", true), ("null", .none), ("None", "None"),
            ("\"a\\n\"", "a\n"), ("\"a", "\"a"), ("redis://x", "redis://x"), ("", ""), ("01", "01"),
        ] as [(String, PickleValue)]
    )
    func flaskValues(text: String, value: PickleValue) { #expect(FlaskEnvironment.value(text) == value) }

    @Test("a syntax error names file and line")
    func syntaxErrors() async throws {
        for source in ["A = 1\nPI_ENCFILE '/x'\n", "A = 1\nPI_PEPPER = 'abc\n"] {
            let error = try await #require(throws: ConfigurationError.self) {
                try await load(source, [:], .privacyIDEA)
            }
            #expect(error.description == "syntax error in pi.cfg, line 2")
        }
    }

    @Test(
        "what is Python is no syntax error",
        arguments: [
            "x = 'a' 'b'\n", "from os import path as p, sep\n", "x = 1 if True else 2\n", "x = not None\n", "del x\n",
            "assert x, 'y'\n", "x = lambda a: a\n", "x = [a for a in b if a is not None]\n", "class A(B): pass\n",
            "with open('x') as f: pass\n", "raise X from None\n", "match x:\n case 'y': pass\n", "global x\n",
            "x = a if 'b' in c else f'd'\n", "try:\n pass\nexcept X as e:\n pass\n", "return x\n", "yield x\n",
        ]
    )
    func python(source: String) {
        #expect(PythonAssignments(source: Array(source.utf8)).syntaxErrorLine == nil)
    }

    @Test("messages and loggers have the product's name")
    func names() throws {
        let settings = Settings(product: .privacyIDEA, file: nil)
        let error = #expect(throws: ServerError.self) {
            _ = try MailWorker(settings: settings, options: .init(), makeLogger: EduMFAApp.silence)
        }
        #expect(error?.description.hasPrefix("privacyIDEA has no job queue configured!") == true)
    }

    @Test("privacyIDEA's mail has neither Precedence nor Auto-Submitted")
    func headers() throws {
        let config: PickleValue = ["server": "mail.example.org", "port": 25, "sender": "s@example.org"]
        let args: PickleValue = .tuple([config, "a@example.org", "S", "T"])
        let job = try MailJob(args: args.view())
        func text(_ product: Product) throws -> String {
            String(decoding: try job.message(at: .system, headers: product.mailHeaders).content, as: UTF8.self)
        }
        #expect(try text(.eduMFA).contains("Precedence: bulk\r\nAuto-Submitted: auto-generated\r\n"))
        #expect(try !text(.privacyIDEA).contains("Precedence"))
        #expect(try !text(.privacyIDEA).contains("Auto-Submitted"))
    }
}

extension EduMFAApp {
    fileprivate static func silence(_ label: String) -> Logger {
        Logger(label: label) { _ in SwiftLogNoOpLogHandler() }
    }
}
