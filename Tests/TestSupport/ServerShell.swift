import Foundation

/// A shell script that starts a private server, waits for the end of its input, and stops the server: it ends with this process, however that
/// ends.
final class ServerShell: Sendable {
    struct Failure: Error {
        var message: String
    }

    /// The server lives as long as this end of a pipe is open.
    private let lifeline: Pipe
    /// What the script has printed up to what was waited for.
    let output: String

    /// Starts the script; returns when it has printed that the server is ready.
    ///
    /// - Parameters:
    ///   - name: the server's, for errors.
    ///   - script: run by `sh`, with `argument` as `$1`.
    ///   - ready: what it prints then.
    init(_ name: String, _ script: String, argument: String, until ready: String) throws {
        lifeline = Pipe()
        // What other tests start must not keep it open.
        _ = fcntl(lifeline.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", script, name, argument]
        shell.standardInput = lifeline
        let pipe = Pipe()
        shell.standardOutput = pipe
        shell.standardError = pipe
        try shell.run()
        var text = ""
        while !text.contains(ready) {
            let data = pipe.fileHandleForReading.availableData
            guard !data.isEmpty else { throw Failure(message: "\(name) did not start: \(text)") }
            text += String(decoding: data, as: UTF8.self)
        }
        output = text
        pipe.fileHandleForReading.readabilityHandler = { handle in
            if handle.availableData.isEmpty { handle.readabilityHandler = nil }
        }
    }

    deinit { try? lifeline.fileHandleForWriting.close() }
}
