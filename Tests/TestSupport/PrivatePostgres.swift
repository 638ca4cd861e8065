import Foundation

/// A private Postgres on a unix socket, in a directory of its own. It ends with this process, however that ends.
public final class PrivatePostgres: Sendable {
    struct Failure: Error {
        var message: String
    }

    /// Where socket and data lie; it is removed with the server.
    public let directory: String
    private let shell: ServerShell

    /// Starts a server of its own cluster; returns when it accepts connections.
    ///
    /// - Parameter settings: lines of `postgresql.conf`.
    public init(settings: [String] = []) throws {
        // Short, because the path of a unix socket may have only 107 bytes.
        directory = NSTemporaryDirectory() + "/huey-pg-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        // What the tests have open is open there, too, and counts: max_files_per_process.
        // Postgres does not run as root: the user that its package makes is used then.
        let script = """
            bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
            [ -z "$bin" ] || PATH="$bin:$PATH"
            user=
            if [ "$(id -u)" = 0 ]; then chown postgres "$1"; user='setpriv --reuid=postgres --regid=postgres --clear-groups'; fi
            cd "$1" || exit 1
            $user initdb -D "$1/data" -U postgres -A trust -E UTF8 --locale=C --no-sync > initdb.log 2>&1 || cat initdb.log
            { printf '%s\\n' "listen_addresses = ''" "unix_socket_directories = '$1'" 'fsync = off' 'full_page_writes = off' 'max_files_per_process = 20000'
              cat; } >> "$1/data/postgresql.conf" <<'END'
            \(settings.joined(separator: "\n"))
            END
            $user pg_ctl -D "$1/data" -l "$1/log" -w -t 60 start > start.log 2>&1 || cat start.log "$1/log"
            echo ready
            cat > /dev/null
            $user pg_ctl -D "$1/data" -m immediate stop > /dev/null 2>&1
            rm -rf "$1"
            """
        shell = try ServerShell("postgres", script, argument: directory, until: "ready\n")
        guard shell.output == "ready\n" else { throw Failure(message: "postgres did not start: \(shell.output)") }
    }

    /// The server's address as libpq takes it.
    ///
    /// - Parameter more: what comes behind, such as `&user=other`.
    public func url(_ more: String = "") -> String {
        "postgresql:///postgres?host=\(directory)\(more.contains("user=") ? "" : "&user=postgres")\(more)"
    }

    /// Runs `pg_ctl` with these arguments, such as `-m immediate restart`; returns when it has.
    ///
    /// - Throws: an error with its output where it fails.
    public func control(_ arguments: String) async throws {
        let log = "\(directory)/log"
        try await run(
            "pg_ctl -D '\(directory)/data' -l '\(log)' -w -t 60 \(arguments) || { tail -n 5 '\(log)'; exit 1; }"
        )
    }

    /// Runs a script with Postgres' executables in its path, as the server's user.
    ///
    /// - Returns: its output.
    /// - Throws: an error with its output where it fails.
    @discardableResult
    public func run(_ script: String) async throws -> String {
        try await Shell.run(
            """
            PATH=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1):$PATH; export PATH; cd /
            if [ $(id -u) = 0 ]; then user='setpriv --reuid=postgres --regid=postgres --clear-groups'; else user=; fi
            $user sh -c \(Shell.quoted(script))
            """
        )
    }

    /// Runs SQL by psql.
    ///
    /// - Returns: what it prints, unaligned and without headers.
    /// - Throws: an error with its output where it fails.
    @discardableResult
    public func sql(_ text: String) async throws -> String { try await run(psql(text)) }

    /// Begins to run SQL by psql, and does not wait for its end.
    ///
    /// - Throws: an error where that cannot be done.
    public func beginSQL(_ text: String) async throws { try await run(psql(text) + " > /dev/null 2>&1 &") }

    private func psql(_ text: String) -> String {
        "psql -qAtX -v ON_ERROR_STOP=1 -h '\(directory)' -U postgres postgres -c \(Shell.quoted(text))"
    }
}

/// Commands that may leave processes behind. Foundation's `Process` waits for those, too, because they inherit what it watches.
public enum Shell {
    struct Failure: Error {
        var message: String
    }

    /// Runs a command by `sh`, away from the threads of Swift's tasks.
    ///
    /// - Returns: its output without the last end of a line.
    /// - Throws: an error with its output where it fails.
    public static func run(_ command: String) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try wait(for: command) }) }
        }
    }

    private static func wait(for command: String) throws -> String {
        let log = NSTemporaryDirectory() + "/shell-\(UInt64.random(in: 0...UInt64.max))"
        defer { try? FileManager.default.removeItem(atPath: log) }
        let status = system("( \(command)\n) < /dev/null > \(quoted(log)) 2>&1")
        let text = String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
        guard status == 0 else { throw Failure(message: text) }
        return text.trimmingCharacters(in: .newlines)
    }

    /// The text as one word of a command.
    public static func quoted(_ text: String) -> String {
        "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}
