extension PickleException {
    /// Python's `str()`: for most exceptions the argument, the tuple of them where there are several; for those of CPython and its standard
    /// library that have a `__str__` of their own, what that says.
    public var text: String {
        guard let args = (try? PickleDocument(PickleValue.tuple(arguments).pickled()))?.root.elements.map({ Array($0) })
        else {
            return repr
        }
        return ownText(args) ?? Self.plainText(args)
    }

    /// `BaseException.__str__`.
    private static func plainText(_ args: [PickleView]) -> String {
        switch args.count {
        case 0: ""
        case 1: text(of: args[0])
        default: "(" + args.map(\.repr).joined(separator: ", ") + ")"
        }
    }

    /// Python's `str()` of any value.
    private static func text(of view: PickleView) -> String {
        if let string = view.string { return string }
        if view.object != nil, let error = PickleException(view),
            knownExceptions.contains(error.name) || error.name.hasSuffix("Error")
        {
            return error.text
        }
        return view.repr
    }

    /// Exceptions of CPython's whose names do not end in `Error`.
    private static let knownExceptions: Set<String> = [
        "BaseException", "BaseExceptionGroup", "Exception", "ExceptionGroup", "GeneratorExit", "KeyboardInterrupt",
        "StopAsyncIteration",
        "StopIteration", "SystemExit", "Warning",
    ]

    private static let systemErrors: Set<String> = [
        "BlockingIOError", "BrokenPipeError", "ChildProcessError", "ConnectionAbortedError", "ConnectionError",
        "ConnectionRefusedError",
        "ConnectionResetError", "EnvironmentError", "FileExistsError", "FileNotFoundError", "IOError",
        "InterruptedError", "IsADirectoryError",
        "NotADirectoryError", "OSError", "PermissionError", "ProcessLookupError", "TimeoutError",
    ]

    private func ownText(_ args: [PickleView]) -> String? {
        switch (module, name) {
        case ("builtins", "KeyError"):
            return args.count == 1 ? args[0].repr : nil
        case ("builtins", "UnicodeDecodeError"), ("builtins", "UnicodeEncodeError"),
            ("builtins", "UnicodeTranslateError"):
            return Self.unicodeText(name, args)
        case ("builtins", "SyntaxError"), ("builtins", "IndentationError"), ("builtins", "TabError"):
            return Self.syntaxText(args)
        case ("builtins", "ExceptionGroup"), ("builtins", "BaseExceptionGroup"):
            guard args.count == 2, let count = args[1].elements?.count else { return nil }
            return "\(Self.text(of: args[0])) (\(count) sub-exception\(count == 1 ? "" : "s"))"
        case ("builtins", _) where Self.systemErrors.contains(name),
            ("socket", "gaierror"), ("socket", "herror"), ("shutil", "Error"), ("shutil", "SameFileError"):
            return systemText(args)
        case ("ssl", _) where name.hasPrefix("SSL"):
            return (args.count >= 2 ? args[1].string : nil) ?? PickleValue.tuple(arguments).repr
        case ("json.decoder", "JSONDecodeError"):
            return Self.jsonText(args)
        case ("subprocess", "CalledProcessError"):
            return Self.processText(args)
        case ("subprocess", "TimeoutExpired"):
            guard args.count >= 2 else { return nil }
            return "Command '\(Self.text(of: args[0]))' timed out after \(args[1].repr) seconds"
        case ("urllib.error", "URLError"):
            return args.first.map { "<urlopen error \(Self.text(of: $0))>" }
        case ("urllib.error", "HTTPError"):
            return args.count == 5 ? "HTTP Error \(Self.text(of: args[1])): \(Self.text(of: args[2]))" : nil
        case ("asyncio.exceptions", "IncompleteReadError"):
            guard args.count == 2, let partial = args[0].bytes else { return nil }
            return
                "\(partial.count) bytes read on a total of \(args[1].isNone ? "undefined" : args[1].repr) expected bytes"
        case ("asyncio.exceptions", "LimitOverrunError"):
            return args.first.map(Self.text(of:))
        default: return nil
        }
    }

    /// `OSError_str` of `Objects/exceptions.c`.
    private func systemText(_ args: [PickleView]) -> String? {
        guard (2...5).contains(args.count) else { return nil }
        let start = "[Errno \(Self.text(of: args[0]))] \(Self.text(of: args[1]))"
        // The third of BlockingIOError may be a count.
        guard args.count > 2, !args[2].isNone, name != "BlockingIOError" || args[2].int == nil else { return start }
        let second = args.count == 5 && !args[4].isNone ? " -> \(args[4].repr)" : ""
        return "\(start): \(args[2].repr)\(second)"
    }

    /// `UnicodeDecodeError_str` and its siblings.
    private static func unicodeText(_ name: String, _ args: [PickleView]) -> String? {
        let isTranslation = name == "UnicodeTranslateError"
        let rest = isTranslation ? args : Array(args.dropFirst())
        guard rest.count == 4, args.count == (isTranslation ? 4 : 5), let start = rest[1].int, let end = rest[2].int,
            let reason = rest[3].string, start >= 0, end < Int.max
        else { return nil }
        let codec = isTranslation ? "" : "'\(text(of: args[0]))' codec "
        let verb = name == "UnicodeDecodeError" ? "decode" : isTranslation ? "translate" : "encode"
        var subject: String?
        if end == start + 1 {
            if let bytes = rest[0].bytes, name == "UnicodeDecodeError" {
                if start < bytes.count { subject = "byte 0x\(hex(UInt32(bytes[start]), 2))" }
            } else if let scalar = scalar(of: rest[0], at: start) {
                let escape =
                    scalar <= 0xFF
                    ? "x" + hex(scalar, 2) : scalar <= 0xFFFF ? "u" + hex(scalar, 4) : "U" + hex(scalar, 8)
                subject = "character '\\\(escape)'"
            }
        }
        let unit = name == "UnicodeDecodeError" ? "bytes" : "characters"
        let place = subject.map { "\($0) in position \(start)" } ?? "\(unit) in position \(start)-\(end - 1)"
        return "\(codec)can't \(verb) \(place): \(reason)"
    }

    /// A character of a str; surrogates are characters.
    private static func scalar(of view: PickleView, at index: Int) -> UInt32? {
        if let string = view.string {
            return string.unicodeScalars.dropFirst(index).first?.value
        }
        return nil
    }

    private static func hex(_ number: UInt32, _ width: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// `SyntaxError_str`.
    private static func syntaxText(_ args: [PickleView]) -> String? {
        guard let message = args.first else { return "None" }
        guard args.count == 2, let place = args[1].elements, place.count >= 2 else {
            return args.count == 1 ? text(of: message) : nil
        }
        let file = place[0].string?.split(separator: "/", omittingEmptySubsequences: false).last
        let words = [file.map(String.init), place[1].int.map { "line \($0)" }].compactMap { $0 }
        return text(of: message) + (words.isEmpty ? "" : " (\(words.joined(separator: ", ")))")
    }

    /// `JSONDecodeError.__init__`.
    private static func jsonText(_ args: [PickleView]) -> String? {
        guard args.count == 3, let document = args[1].string, let place = args[2].int, place >= 0 else { return nil }
        let before = document.unicodeScalars.prefix(place)
        let line = before.count { $0 == "\n" } + 1
        let column =
            before.count - (before.lastIndex(of: "\n").map { before.distance(from: before.startIndex, to: $0) } ?? -1)
        return "\(text(of: args[0])): line \(line) column \(column) (char \(place))"
    }

    /// `CalledProcessError.__str__`.
    private static func processText(_ args: [PickleView]) -> String? {
        guard args.count >= 2, let status = args[0].int else { return nil }
        let command = "Command '\(text(of: args[1]))'"
        guard status < 0 else { return "\(command) returned non-zero exit status \(status)." }
        let number = status == .min ? 0 : -status
        guard let name = signals[number] else { return "\(command) died with unknown signal \(number)." }
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
