internal import BigInt

/// The `__str__` of an exception's class.
struct ExceptionText {
    let module: String
    let name: String
    let args: [PickleView]
    let state: PickleView?
    let depth: Int

    init(module: String, name: String, _ object: PickleObject, depth: Int = 0) {
        self.module = module
        self.name = name
        args = Array(object.arguments)
        state = object.state
        self.depth = depth
    }

    var text: String { ownText ?? plainText(args) }

    func text(of view: PickleView) -> String { view.text(depth: depth) }

    /// `BaseException.__str__`.
    private func plainText(_ args: [PickleView]) -> String {
        switch args.count {
        case 0: ""
        case 1: text(of: args[0])
        default: "(" + args.map(\.repr).joined(separator: ", ") + ")"
        }
    }

    /// Exceptions of CPython's whose names end in none of `Error`, `Exception` and `Warning`.
    static let otherNames: Set<String> = [
        "BaseExceptionGroup", "ExceptionGroup", "GeneratorExit", "KeyboardInterrupt", "StopAsyncIteration",
        "StopIteration",
        "SystemExit", "TimeoutExpired", "RemoteDisconnected",
    ]

    /// OSError and its subclasses, as far as they keep its `__init__`.
    static let systemErrors: Set<String> = [
        "builtins.BlockingIOError", "builtins.BrokenPipeError", "builtins.ChildProcessError",
        "builtins.ConnectionAbortedError", "builtins.ConnectionError", "builtins.ConnectionRefusedError",
        "builtins.ConnectionResetError", "builtins.EnvironmentError", "builtins.FileExistsError",
        "builtins.FileNotFoundError", "builtins.IOError", "builtins.InterruptedError", "builtins.IsADirectoryError",
        "builtins.NotADirectoryError", "builtins.OSError", "builtins.PermissionError", "builtins.ProcessLookupError",
        "builtins.TimeoutError", "asyncio.exceptions.TimeoutError", "concurrent.futures._base.TimeoutError",
        "gzip.BadGzipFile", "http.client.RemoteDisconnected", "io.UnsupportedOperation", "select.error",
        "shutil.Error", "shutil.ExecError", "shutil.ReadError", "shutil.SameFileError", "shutil.SpecialFileError",
        "smtplib.SMTPException", "smtplib.SMTPNotSupportedError", "smtplib.SMTPServerDisconnected",
        "socket.error", "socket.gaierror", "socket.herror", "socket.timeout", "urllib.error.ContentTooShortError",
    ]

    private var ownText: String? {
        switch (module, name) {
        case ("builtins", "KeyError"), ("zoneinfo._common", "ZoneInfoNotFoundError"):
            return args.count == 1 ? args[0].repr : nil
        case ("builtins", "UnicodeDecodeError"), ("builtins", "UnicodeEncodeError"),
            ("builtins", "UnicodeTranslateError"):
            return unicodeText
        case ("builtins", "SyntaxError"), ("builtins", "IndentationError"), ("builtins", "TabError"),
            ("builtins", "_IncompleteInputError"), ("xml.etree.ElementTree", "ParseError"):
            return syntaxText
        case ("builtins", "ExceptionGroup"), ("builtins", "BaseExceptionGroup"):
            guard args.count == 2, let count = args[1].elements?.count else { return nil }
            return "\(text(of: args[0])) (\(count) sub-exception\(count == 1 ? "" : "s"))"
        case _ where Self.systemErrors.contains("\(module).\(name)"):
            return systemText
        case ("ssl", _) where name.hasPrefix("SSL"):
            return sslText
        case ("json.decoder", "JSONDecodeError"):
            return jsonText
        case ("subprocess", "CalledProcessError"):
            return processText
        case ("subprocess", "TimeoutExpired"):
            guard args.count >= 2 else { return nil }
            return "Command '\(text(of: args[0]))' timed out after \(text(of: args[1])) seconds"
        case ("urllib.error", "URLError"):
            return args.first.map { "<urlopen error \(text(of: $0))>" }
        case ("urllib.error", "HTTPError"):
            return args.count == 5 ? "HTTP Error \(text(of: args[1])): \(text(of: args[2]))" : nil
        case ("http.client", "BadStatusLine"):
            return args.first.map { $0.string == "" ? "''" : text(of: $0) }
        case ("http.client", "IncompleteRead"):
            guard let partial = args.first, let count = Self.length(of: partial) else { return nil }
            let expected = state?["expected"] ?? args.dropFirst().first
            let more = expected.flatMap { $0.isNone ? nil : ", \(Self.wholeNumber($0)) more expected" } ?? ""
            return "IncompleteRead(\(count) bytes read\(more))"
        case ("asyncio.exceptions", "IncompleteReadError"):
            guard args.count == 2, let count = Self.length(of: args[0]) else { return nil }
            return "\(count) bytes read on a total of \(args[1].isNone ? "undefined" : args[1].repr) expected bytes"
        case ("asyncio.exceptions", "LimitOverrunError"):
            return args.first.map { text(of: $0) }
        case ("huey.exceptions", _):
            return hueyText
        default: return nil
        }
    }

    /// The exceptions of huey whose `__init__` or `__str__` is their own.
    private var hueyText: String? {
        switch name {
        case "CancelExecution":
            return args.first.map { $0.isNone ? "" : text(of: $0) }
        case "RetryTask":
            // (msg, eta, delay, *others)
            return args.isEmpty ? "None" : plainText([args[0]] + args.dropFirst(3))
        case "TaskException":
            let error = (state?["metadata"] ?? args.first)?["error"]?.string
            return error.flatMap { $0.isEmpty ? nil : $0 } ?? "unknown error"
        case "RateLimitExceeded":
            guard (2...3).contains(args.count) else { return nil }
            let start = "Rate limit exceeded on \"\(text(of: args[0]))\""
            guard args.count == 2 || Self.isTrue(args[2]) else { return start }
            return Self.number(args[1]).map { "\(start), retry in \(Self.tenths($0))s" }
        default: return nil
        }
    }

    /// `'%i' % number`.
    private static func wholeNumber(_ view: PickleView) -> String {
        guard let double = view.double, double.isFinite else { return view.repr }
        return "\(BigInt(double.rounded(.towardZero)))"
    }

    /// Python's `bool()` of plain values.
    private static func isTrue(_ view: PickleView) -> Bool {
        switch view.kind {
        case .none: false
        case .bool, .int, .float: number(view) != 0
        default: length(of: view) != 0
        }
    }

    static func number(_ view: PickleView) -> Double? {
        view.bool.map { $0 ? 1 : 0 } ?? view.double ?? view.bigInt.map { Double($0) }
    }

    /// `'%0.1f' % number`.
    private static func tenths(_ number: Double) -> String {
        guard number.isFinite else { return number.isNaN ? "nan" : number < 0 ? "-inf" : "inf" }
        guard number.magnitude < 1e15 else { return "\(BigInt(number)).0" }
        let scaled = number.magnitude * 10
        // What the product lost decides where it is just between two tenths.
        let lost = (-scaled).addingProduct(number.magnitude, 10)
        let isHalf = scaled - scaled.rounded(.down) == 0.5
        let rule: FloatingPointRoundingRule = !isHalf || lost == 0 ? .toNearestOrEven : lost > 0 ? .up : .down
        let tenths = Int(scaled.rounded(rule))
        return (number.sign == .minus ? "-" : "") + "\(tenths / 10).\(tenths % 10)"
    }

    /// `len()` of bytes, str, tuple, list and the like.
    private static func length(of view: PickleView) -> Int? {
        view.bytes?.count ?? view.surrogateScalars?.count ?? view.elements?.count ?? view.pairs?.count
    }
}
