import ArgumentParser
import Huey

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension HueyTool {
    /// Parses the command line and runs; ends the process with ArgumentParser's exit status.
    ///
    /// What an error says may quote a message or a server's reply, so it is escaped, which ArgumentParser's own `main` does not do.
    static func main() async {
        do {
            try requireUTF8()
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            report(error)
            fflush(nil)
            endProcess(status(for: error))
        }
    }

    /// Swift would put U+FFFD for what is no UTF-8, and a task would get another argument than was given.
    private static func requireUTF8() throws {
        for index in 0..<Int(CommandLine.argc) {
            guard let argument = CommandLine.unsafeArgv[index], String(validatingCString: argument) == nil else {
                continue
            }
            throw ValidationError("Argument \(index) is not UTF-8.")
        }
    }

    /// ArgumentParser's exit status; that of monitoring plugins where an option of `check` is wrong.
    private static func status(for error: any Error) -> Int32 {
        let status = exitCode(for: error)
        let isCheck = CommandLine.arguments.dropFirst().first == CheckCommand.configuration.commandName
        return isCheck && status == .validationFailure ? CheckCommand.Status.unknown.rawValue : status.rawValue
    }

    /// Prints help to standard output and an error to standard error.
    private static func report(_ error: any Error) {
        let report = fullMessage(for: error)
        guard !report.isEmpty else { return }
        if exitCode(for: error).isSuccess {
            // Help, whose lines are ours.
            printLines(SafeText.escapedLines(report))
        } else {
            let text = SafeText.escapedReport(report, message: message(for: error))
            // What was printed before comes before.
            fflush(nil)
            StandardStreams.write(Array((text + "\n").utf8), to: STDERR_FILENO)
        }
    }
}

/// Within a command, `exit` is ArgumentParser's.
private func endProcess(_ status: Int32) -> Never { exit(status) }
