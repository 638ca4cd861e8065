import ArgumentParser

/// What `--check` looks at, and how it tells.
struct CheckArguments: ParsableArguments {
    @Flag(help: "Print the effective configuration, test Redis, the key file and the files of authorities, and end.")
    var check = false

    @Flag(help: "With --check: print JSON (waiting, retrying, dead, oldest in seconds, ok, failed).")
    var json = false

    @Option(
        help: ArgumentHelp(
            "With --check: connect to a mail server, start TLS and log in; nothing is sent. smtp://, smtps:// or starttls://, then "
                + "[user[:password]@]host[:port]; $SMTP_PROBE_PASSWORD is the password of a user without one. Repeatable.",
            valueName: "url"
        )
    )
    var probeSmtp: [String] = []

    func validate() throws {
        guard check || (!json && probeSmtp.isEmpty) else {
            throw ValidationError("--json and --probe-smtp belong to --check.")
        }
    }
}
