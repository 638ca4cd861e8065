package import Pickle
internal import SMTP

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// A Python interpreter that runs a configuration file as Flask does, and hands out the plain data among its settings.
package struct PythonProcess: PythonInterpreter {
    package let path: String
    private let timeLimit: Duration

    /// - Parameters:
    ///   - name: a path, or a name that is looked up in PATH; nil when there is no such executable.
    ///   - environment: where PATH is looked up.
    ///   - timeLimit: how long the file may run.
    package init?(named name: String, environment: [String: String], timeLimit: Duration = .seconds(30)) {
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        let candidates = name.contains("/") ? [name] : folders.map { "\($0)/\(name)" }
        guard let path = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            return nil
        }
        self.path = path
        self.timeLimit = timeLimit
    }

    /// Answers on a descriptor of its own, because the file may print. Of an exception it tells the class and the line of the file, never
    /// its text, which may quote a password.
    private static let script = """
        import base64, os, pickle, sys, types
        path, prefix, out = sys.argv[1], sys.argv[2], os.dup(1)
        os.dup2(2, 1)
        def answer(result):
            rest = base64.b64encode(pickle.dumps(result, 2))
            while rest:
                rest = rest[os.write(out, rest):]
        def plain(value):
            for kind in (bool, int, float, str, bytes):
                if isinstance(value, kind):
                    return kind(value)
            if value is None:
                return None
            if isinstance(value, (list, tuple)):
                return [plain(item) for item in value]
            if isinstance(value, dict):
                return {plain(key): plain(item) for key, item in value.items()}
            raise TypeError
        module = types.ModuleType('config')
        module.__file__ = path
        try:
            with open(path, 'rb') as file:
                exec(compile(file.read(), path, 'exec'), module.__dict__)
        except BaseException as error:
            line = error.lineno if isinstance(error, SyntaxError) and error.filename == path else None
            trace = error.__traceback__
            while trace is not None:
                if trace.tb_frame.f_code.co_filename == path:
                    line = trace.tb_lineno
                trace = trace.tb_next
            answer([type(error).__name__, line])
            sys.exit(1)
        result = {}
        for name in dir(module):
            if name.isupper() and name.startswith(prefix):
                try:
                    result[name] = plain(getattr(module, name))
                except (TypeError, RecursionError):
                    pass
        answer(result)
        """

    package func settings(ofFile file: String, prefix: String) async throws -> [String: PickleValue] {
        let result = try await ChildProcess(path: path, arguments: ["-c", Self.script, file, prefix]).run(
            for: timeLimit
        )
        switch result.ending {
        case .timeout: throw ConfigurationError("\(path) did not run it within \(timeLimit.components.seconds) s")
        case .tooMuch: throw ConfigurationError("\(path) answered more than \(ChildProcess.mostOutput >> 20) MiB")
        case .exited, .killed: break
        }
        let answer = (try? PickleDocument(Base64.decode(String(decoding: result.output, as: UTF8.self))))?.root
        guard result.ending == .exited(0) else {
            guard let failure = answer?.elements, let kind = failure.first?.string else {
                throw ConfigurationError("\(path) could not run it: \(result.ending)")
            }
            if ["SyntaxError", "IndentationError", "TabError"].contains(kind) {
                throw ConfigurationError(syntaxErrorIn: file, line: failure.dropFirst().first?.int)
            }
            let place = failure.dropFirst().first?.int.map { " in \(file), line \($0)" } ?? ""
            throw ConfigurationError("\(path) could not run it: \(kind.shortened)\(place)")
        }
        guard let pairs = answer?.pairs else {
            throw ConfigurationError("\(path) answered what cannot be understood")
        }
        var settings: [String: PickleValue] = [:]
        for (key, value) in pairs { if let name = key.string { settings[name] = PickleValue(value) } }
        return settings
    }
}
