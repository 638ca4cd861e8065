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

    /// ArgumentParser's exit status; that of monitoring plugins where an option of `check` is wrong.
    private static func status(for error: any Error) -> Int32 {
        let status = exitCode(for: error)
        let isCheck = CommandLine.arguments.dropFirst().first == CheckCommand.configuration.commandName
        return isCheck && status == .validationFailure ? CheckCommand.Status.unknown.rawValue : status.rawValue
    }

    /// Prints help to standard output and an error to standard error.
    private static func report(_ error: any Error) {
        let text = SafeText.escapedReport(fullMessage(for: error), message: message(for: error))
        guard !text.isEmpty else { return }
        if exitCode(for: error).isSuccess {
            printLines(text)
        } else {
            // What was printed before comes before.
            fflush(nil)
            StandardStreams.write(Array((text + "\n").utf8), to: STDERR_FILENO)
        }
    }
}

/// Within a command, `exit` is ArgumentParser's.
private func endProcess(_ status: Int32) -> Never { exit(status) }
