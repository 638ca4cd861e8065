extension ExceptionText {
    /// `OSError_str` of `Objects/exceptions.c`.
    var systemText: String? {
        guard (2...5).contains(args.count) else { return nil }
        let start = "[Errno \(text(of: args[0]))] \(text(of: args[1]))"
        // The third of BlockingIOError may be a count.
        guard args.count > 2, !args[2].isNone, name != "BlockingIOError" || Self.number(args[2]) == nil else {
            return start
        }
        let second = args.count == 5 && !args[4].isNone ? " -> \(args[4].repr)" : ""
        return "\(start): \(args[2].repr)\(second)"
    }

    /// `SSLError_str` of `Modules/_ssl.c`.
    var sslText: String {
        if args.count >= 2, args[1].kind == .string { return text(of: args[1]) }
        // OSError takes names of files out of its arguments.
        let rest = (3...5).contains(args.count) && !args[2].isNone ? args.prefix(2) : args[...]
        return "(" + rest.map(\.repr).joined(separator: ", ") + (rest.count == 1 ? ",)" : ")")
    }

    /// `UnicodeDecodeError_str` and its siblings.
    var unicodeText: String? {
        let isTranslation = name == "UnicodeTranslateError"
        let rest = isTranslation ? args : Array(args.dropFirst())
        guard rest.count == 4, args.count == (isTranslation ? 4 : 5), let start = rest[1].int, let end = rest[2].int,
            let reason = rest[3].string, start >= 0, end < Int.max
        else { return nil }
        let codec = isTranslation ? "" : "'\(text(of: args[0]))' codec "
        let verb = name == "UnicodeDecodeError" ? "decode" : isTranslation ? "translate" : "encode"
        var subject: String?
        if end == start + 1 {
            if name == "UnicodeDecodeError", let bytes = rest[0].bytes, start < bytes.count {
                subject = "byte 0x\(hex(UInt32(bytes[start]), 2))"
            } else if let points = rest[0].surrogateScalars, start < points.count {
                let point = points[start]
                let escape =
                    point <= 0xFF ? "x" + hex(point, 2) : point <= 0xFFFF ? "u" + hex(point, 4) : "U" + hex(point, 8)
                subject = "character '\\\(escape)'"
            }
        }
        let unit = name == "UnicodeDecodeError" ? "bytes" : "characters"
        let position = subject.map { "\($0) in position \(start)" } ?? "\(unit) in position \(start)-\(end - 1)"
        return "\(codec)can't \(verb) \(position): \(reason)"
    }

    /// `SyntaxError_str`.
    var syntaxText: String? {
        guard let message = args.first else { return "None" }
        guard args.count == 2, let details = args[1].elements, details.count >= 2 else { return text(of: message) }
        let file = details[0].string?.split(separator: "/", omittingEmptySubsequences: false).last
        let words = [file.map(String.init), details[1].int.map { "line \($0)" }].compactMap { $0 }
        return text(of: message) + (words.isEmpty ? "" : " (\(words.joined(separator: ", ")))")
    }

    /// `JSONDecodeError.__init__`.
    var jsonText: String? {
        guard args.count == 3, let document = args[1].string, let position = args[2].int,
            (0..<Int.max).contains(position)
        else { return nil }
        let before = document.unicodeScalars.prefix(position)
        let line = before.count { $0 == "\n" } + 1
        let column =
            position - (before.lastIndex(of: "\n").map { before.distance(from: before.startIndex, to: $0) } ?? -1)
        return "\(text(of: args[0])): line \(line) column \(column) (char \(position))"
    }

    /// `CalledProcessError.__str__`.
    var processText: String? {
        guard args.count >= 2, let status = args[0].int else { return nil }
        let command = "Command '\(text(of: args[1]))'"
        guard status < 0 else { return "\(command) returned non-zero exit status \(status)." }
        let number = status == .min ? 0 : -status
        guard let name = Self.signals[number] else { return "\(command) died with unknown signal \(number)." }
        return "\(command) died with <Signals.\(name): \(number)>."
    }

    /// Linux's.
    private static let signals = Dictionary(
        uniqueKeysWithValues: zip(
            1...,
            [
                "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
                "SIGSEGV", "SIGUSR2",
                "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN",
                "SIGTTOU", "SIGURG",
                "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
            ]
        )
    )
}
