import Pickle

/// Binds a call's arguments to parameters as CPython does, with CPython's errors for a wrong call
/// (`initialize_locals` in `Python/ceval.c`).
struct Signature: Sendable {
    /// The function's name, for errors.
    let function: String
    /// The same with its module.
    let qualifiedName: String
    /// Parameters that take positional arguments, in order.
    private let positional: [Parameter]
    private let keywordOnly: [Parameter]
    private let hasVariadic: Bool
    private let hasKeywords: Bool
    /// The defaults of both kinds, by position; nil for a required one.
    private let defaults: [PickleView?]
    /// Where each declared parameter's value is among positional, keyword-only, variadic, keywords.
    private let order: [Int]
    private let names: [String: Int]
    /// Where a context task's own `task` goes, which huey passes by name.
    private let taskSlot: Int?
    /// Whether all parameters take positional arguments, one each.
    private let isPlain: Bool

    /// - Throws: ``HueyError`` `.invalidConfiguration` for parameters that Python would not accept.
    init(name: String, parameters: [Parameter], takesTask: Bool = false) throws {
        let parameters = takesTask ? parameters + [.required("task")] : parameters
        qualifiedName = name
        function = name.split(separator: ".").last.map(String.init) ?? name
        positional = parameters.filter { $0.kind == .positionalOrKeyword }
        keywordOnly = parameters.filter { $0.kind == .keywordOnly }
        let variadic = parameters.filter { $0.kind == .variadic }.count
        let keywords = parameters.filter { $0.kind == .keywords }.count
        hasVariadic = variadic == 1
        hasKeywords = keywords == 1
        let named = positional + keywordOnly
        taskSlot = takesTask ? positional.count - 1 : nil
        isPlain = taskSlot == nil && keywordOnly.isEmpty && !hasVariadic && !hasKeywords
        let firstDefault = positional.firstIndex { $0.defaultValue != nil } ?? positional.endIndex
        guard variadic <= 1, keywords <= 1, Set(parameters.map(\.name)).count == parameters.count,
            positional[firstDefault...].dropLast(takesTask ? 1 : 0).allSatisfy({ $0.defaultValue != nil })
        else { throw HueyError(.invalidConfiguration, "\(function)() has parameters that Python would refuse") }
        defaults = try named.map { parameter in
            try parameter.defaultValue.map { try TaskArguments([$0]).views().args[0] } ?? nil
        }
        var next = (positional: 0, keywordOnly: positional.count)
        order = parameters.dropLast(takesTask ? 1 : 0).map { parameter in
            switch parameter.kind {
            case .positionalOrKeyword:
                next.positional += 1
                return next.positional - 1
            case .keywordOnly:
                next.keywordOnly += 1
                return next.keywordOnly - 1
            case .variadic: return named.count
            case .keywords: return named.count + 1
            }
        }
        names = Dictionary(uniqueKeysWithValues: named.enumerated().map { ($1.name, $0) })
    }

    /// The same for the message that a task runs for.
    func bind(_ context: TaskContext) throws -> BoundArguments {
        try context.start.withPlainCall { call in
            if let call { return try bind(call) }
            let (args, kwargs) = try context.start.arguments()
            return try bind(args: args, kwargs: kwargs)
        }
    }

    /// The same for a call that lies on the wire.
    func bind(_ call: PlainCall) throws -> BoundArguments {
        if isPlain, let values = call.positionalArguments(positional.count) { return BoundArguments(wire: values) }
        let (args, kwargs) = call.arguments
        return try bind(args: args, kwargs: kwargs)
    }

    /// One value for each parameter, in the order of declaration.
    ///
    /// - Throws: ``PickleException``, a `TypeError` with CPython's text.
    func bind(args: PickleView, kwargs: PickleView) throws -> BoundArguments {
        guard let pairs = try Unpacking.mapping(kwargs) else { throw notUnpackable("**", "a mapping", kwargs) }
        guard let (args, values) = try Unpacking.iterable(args) else { throw notUnpackable("*", "an iterable", args) }
        if isPlain, pairs.isEmpty, values.count == positional.count { return BoundArguments(wire: values) }
        var slots = [PickleView?](repeating: nil, count: positional.count + keywordOnly.count)
        for (index, value) in values.prefix(positional.count).enumerated() { slots[index] = value }
        if let taskSlot {
            guard slots[taskSlot] == nil else { throw typeError("got multiple values for argument 'task'") }
            slots[taskSlot] = kwargs
        }
        let extra = try bindKeywords(pairs, into: &slots)
        if values.count > positional.count, !hasVariadic { throw tooMany(values.count, slots) }
        try fillDefaults(&slots, given: values.count)
        var all: [PickleView] = slots.compactMap { $0 }
        if hasVariadic || hasKeywords {
            all.append(try rest(of: args, values: values))
            all.append(kwargs.kind == .dict && extra.count == pairs.count ? kwargs : try dictionary(extra))
        }
        return BoundArguments(values: order.map { all[$0] })
    }

    /// What sentry-sdk adds to the keywords of whatever a producer enqueues. Its worker's side takes it off before the task is called, as we do.
    private static let sentryHeaders = "sentry_headers"

    private func bindKeywords(
        _ pairs: PickleView.Pairs,
        into slots: inout [PickleView?]
    ) throws -> [(key: PickleView, value: PickleView)] {
        var extra: [(key: PickleView, value: PickleView)] = []
        // CPython looks at all keys before it looks at any name.
        guard pairs.allSatisfy({ $0.key.kind == .string }) else {
            throw PickleException.builtin("TypeError", "keywords must be strings")
        }
        for (key, value) in pairs {
            let name = key.string
            if taskSlot != nil, name == "task" { continue }
            if name == Self.sentryHeaders, names[Self.sentryHeaders] == nil { continue }
            if let index = name.flatMap({ names[$0] }) {
                guard slots[index] == nil else {
                    throw typeError("got multiple values for argument '\((name ?? "").bounded(1000))'")
                }
                slots[index] = value
            } else if hasKeywords {
                extra.append((key, value))
            } else {
                throw typeError("got an unexpected keyword argument '\((name ?? key.repr).bounded(1000))'")
            }
        }
        return extra
    }

    private func fillDefaults(_ slots: inout [PickleView?], given: Int) throws {
        var missing: [String] = []
        for index in positional.indices where slots[index] == nil {
            if let value = defaults[index] { slots[index] = value } else { missing.append(positional[index].name) }
        }
        if !missing.isEmpty { throw missingError(missing, kind: "positional") }
        for (offset, parameter) in keywordOnly.enumerated() {
            let index = positional.count + offset
            guard slots[index] == nil else { continue }
            if let value = defaults[index] { slots[index] = value } else { missing.append(parameter.name) }
        }
        if !missing.isEmpty { throw missingError(missing, kind: "keyword-only") }
    }

    /// What `*args` gets: the caller's own tuple where nothing was taken from it.
    private func rest(of args: PickleView, values: PickleView.Elements) throws -> PickleView {
        if positional.isEmpty, args.kind == .tuple { return args }
        return try TaskArguments(positional: values.dropFirst(positional.count).map { $0 }, keywords: []).views().args
    }

    private func dictionary(_ pairs: [(key: PickleView, value: PickleView)]) throws -> PickleView {
        try TaskArguments(positional: [], keywords: pairs.map { (key: $0.key, value: $0.value) }).views().kwargs
    }
}

// MARK: CPython's texts

extension Signature {
    private func typeError(_ text: String) -> PickleException { .builtin("TypeError", "\(function)() \(text)") }

    private func notUnpackable(_ stars: String, _ what: String, _ view: PickleView) -> PickleException {
        .builtin("TypeError", "\(qualifiedName)() argument after \(stars) must be \(what), not \(view.typeName)")
    }

    private func missingError(_ names: [String], kind: String) -> PickleException {
        let quoted = names.map { "'\($0)'" }
        let list =
            switch quoted.count {
            case 1: quoted[0]
            case 2: quoted.joined(separator: " and ")
            default: quoted.dropLast().joined(separator: ", ") + ", and " + quoted[quoted.count - 1]
            }
        return typeError(
            "missing \(names.count) required \(kind) argument\(names.count == 1 ? "" : "s"): \(list)"
        )
    }

    private func tooMany(_ given: Int, _ slots: [PickleView?]) -> PickleException {
        let withDefault = positional.filter { $0.defaultValue != nil }.count
        let takes =
            withDefault > 0
            ? "from \(positional.count - withDefault) to \(positional.count)" : String(positional.count)
        let plural = withDefault > 0 || positional.count != 1
        let keywordsGiven = slots[positional.count...].count { $0 != nil }
        var middle = String(given)
        if keywordsGiven > 0 {
            middle += " positional argument\(given == 1 ? "" : "s") (and \(keywordsGiven) keyword-only argument"
            middle += "\(keywordsGiven == 1 ? "" : "s"))"
        }
        let verb = given == 1 && keywordsGiven == 0 ? "was" : "were"
        return typeError("takes \(takes) positional argument\(plural ? "s" : "") but \(middle) \(verb) given")
    }
}

/// The values of a task's parameters, in the order of declaration, decoded one after the other.
struct BoundArguments {
    /// As they lie on the wire, where a call has one for each parameter.
    private let wire: PickleView.Elements?
    private let values: [PickleView]
    private var position = 0

    init(values: [PickleView]) {
        self.values = values
        wire = nil
    }

    init(wire: PickleView.Elements) {
        self.wire = wire
        values = []
    }

    /// The next value as the handler's type.
    ///
    /// - Throws: what the type's decoding throws.
    mutating func next<Value: PickleDecodable>(as type: Value.Type = Value.self) throws -> Value {
        guard position < wire?.count ?? values.count else {
            throw HueyError(.invalidConfiguration, "the handler takes more arguments than it declares")
        }
        defer { position += 1 }
        return try Value(pickle: wire?[position] ?? values[position])
    }
}
