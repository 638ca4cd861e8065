import ArgumentParser

/// Where the log goes, beside `-l`.
struct LogArguments: ParsableArguments {
    @Flag(help: "Log to standard error, with journald's priorities. '-l -' is standard output.")
    var logStderr = false
}
