import EduMFAQueue
import Foundation
import Pickle
import Synchronization

/// A Python interpreter that runs a configuration file as Flask does, and hands out the plain data among its settings.
struct PythonProcess: PythonInterpreter {
    let path: String
    private let timeLimit = 30.0

    /// - Parameters:
    ///   - name: a path, or a name that is looked up in PATH; nil when there is no such executable.
    init?(named name: String, environment: [String: String]) {
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        let candidates = name.contains("/") ? [name] : folders.map { "\($0)/\(name)" }
        guard let path = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            return nil
        }
        self.path = path
    }

    /// Names beside the marker would be the file's own output.
    private static let script = """
        import base64, os, pickle, sys, types
        path, prefix, out = sys.argv[1], sys.argv[2], os.dup(1)
        os.dup2(2, 1)
        module = types.ModuleType('config')
        module.__file__ = path
        with open(path, 'rb') as file:
            exec(compile(file.read(), path, 'exec'), module.__dict__)
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
        result = {}
        for name in dir(module):
            if name.isupper() and name.startswith(prefix):
                try:
                    result[name] = plain(getattr(module, name))
                except TypeError:
                    pass
        os.write(out, base64.b64encode(pickle.dumps(result, 2)))
        """

    func settings(ofFile file: String, prefix: String) async throws -> [String: PickleValue] {
        let (status, output, complaint) = try await run(["-c", Self.script, file, prefix])
        guard status == 0 else {
            // The last line names the exception; the lines before it may quote the file.
            let last = complaint.split(separator: "\n").last.map(String.init) ?? "it ended with status \(status)"
            let kind = last.split(separator: ":").first.map(String.init) ?? last
            throw ConfigurationError("\(path) could not run it: \(kind)")
        }
        guard let data = Data(base64Encoded: output), let document = try? PickleDocument([UInt8](data)),
            let pairs = document.root.pairs
        else { throw ConfigurationError("\(path) answered what cannot be understood") }
        var settings: [String: PickleValue] = [:]
        for (key, value) in pairs { if let name = key.string { settings[name] = PickleValue(value) } }
        return settings
    }

    /// Runs the interpreter to its end, away from the threads of Swift's tasks.
    private func run(_ arguments: [String]) async throws -> (status: Int32, output: Data, complaint: String) {
        let (path, limit) = (path, timeLimit)
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                let process = Process()
                let (output, complaint) = (Pipe(), Pipe())
                process.executableURL = URL(fileURLWithPath: path)
                process.arguments = arguments
                process.standardInput = FileHandle.nullDevice
                process.standardOutput = output
                process.standardError = complaint
                do { try process.run() } catch {
                    return continuation.resume(throwing: ConfigurationError("\(path) could not be started"))
                }
                let pid = process.processIdentifier
                let isOver = Mutex(false)
                DispatchQueue.global().asyncAfter(deadline: .now() + limit) {
                    isOver.withLock { if !$0 { kill(pid, SIGKILL) } }
                }
                // What it says is little: both pipes hold it, and are read one after the other.
                let data = output.fileHandleForReading.readDataToEndOfFile()
                let words = complaint.fileHandleForReading.readDataToEndOfFile()
                isOver.withLock { $0 = true }
                process.waitUntilExit()
                let text = String(decoding: words, as: UTF8.self)
                continuation.resume(returning: (process.terminationStatus, data, text))
            }
        }
    }
}
