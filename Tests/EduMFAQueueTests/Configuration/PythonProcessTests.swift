import Foundation
import Pickle
import Testing

@testable import EduMFAQueue

/// A configuration that Python runs is somebody's program: it may print, fail, hang and leave processes behind.
@Suite("A configuration that Python runs", .timeLimit(.minutes(5)))
struct PythonProcessTests {
    private func settings(_ source: String, limit: Duration = .seconds(30)) async throws -> Settings {
        let path = NSTemporaryDirectory() + "/config-\(UInt32.random(in: 0...UInt32.max)).py"
        try Data(source.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let environment = ProcessInfo.processInfo.environment
        let interpreter = try #require(PythonProcess(named: "python3", environment: environment, timeLimit: limit))
        return try await SettingsLoader(
            product: .eduMFA,
            file: (path, Array(source.utf8)),
            environment: [:],
            interpreter: interpreter
        ).load()
    }

    private func failure(_ source: String, limit: Duration = .seconds(30)) async throws -> String {
        let error = await #expect(throws: ConfigurationError.self) { try await settings(source, limit: limit) }
        return try #require(error).description
    }

    @Test func expressionsAreRun() async throws {
        let settings = try await settings("import os\nEDUMFA_ENCFILE = os.path.join('/etc', 'k')\n")
        #expect(settings["EDUMFA_ENCFILE"] == "/etc/k")
    }

    @Test func aProcessThatIsLeftBehindIsNotWaitedFor() async throws {
        let source = """
            import subprocess, sys
            subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], stdout=None)
            import os
            if os.fork() == 0:
                import time
                time.sleep(600)
            EDUMFA_ENCFILE = str('/k')
            """
        #expect(try await settings(source)["EDUMFA_ENCFILE"] == "/k")
    }

    @Test func muchOutputOfAnyKindIsRead() async throws {
        let source = """
            import sys
            print('x' * 3_000_000)
            sys.stderr.write('y' * 3_000_000)
            EDUMFA_ENCFILE = 'k' * 300_000 + str()
            """
        #expect(try await settings(source).text("EDUMFA_ENCFILE")?.count == 300_000)
    }

    @Test func endlessOutputIsBounded() async throws {
        let text = try await failure("EDUMFA_ENCFILE = 'k' * 20_000_000 + str()\n")
        #expect(text.contains("more than 8 MiB"))
    }

    @Test func aFileThatHangsIsEndedWithAllItStarted() async throws {
        let source = """
            import subprocess, sys, time
            subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
            time.sleep(600)
            EDUMFA_ENCFILE = str()
            """
        #expect(try await failure(source, limit: .seconds(1)).contains("did not run it within 1 s"))
    }

    @Test(arguments: [
        ("raise ValueError('first\\nhunter2')", "ValueError", 2), ("raise SystemExit('hunter2')", "SystemExit", 2),
        ("int('hunter2')", "ValueError", 2), ("exec('hunter2 hunter2')", "SyntaxError", 2),
        ("class hunter(Exception): pass\nraise hunter('hunter2')", "hunter", 3), ("'hunter2", "SyntaxError", 2),
    ])
    func ofAnExceptionOnlyClassAndLineAreShown(line: String, kind: String, number: Int) async throws {
        let text = try await failure("EDUMFA_ENCFILE = str()\n\(line)\n")
        #expect(!text.contains("hunter2"))
        #expect(text.contains(kind == "SyntaxError" ? "syntax error in " : "could not run it: \(kind) in "))
        #expect(text.contains("line \(number)"))
    }

    @Test func anEndWithoutAnswerIsToldByItsStatus() async throws {
        #expect(try await failure("import os\nEDUMFA_ENCFILE = str()\nos._exit(7)\n").contains("status 7"))
        #expect(try await failure("import os\nEDUMFA_ENCFILE = str()\nos.kill(os.getpid(), 9)\n").contains("signal 9"))
    }
}
