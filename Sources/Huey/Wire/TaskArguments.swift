public import Pickle

/// The positional and keyword arguments of a task: what huey keeps in `task.args` and `task.kwargs`.
///
/// Arguments that came off the wire stay where they are, undecoded, until a handler asks; they are written back with their
/// sharing and cycles.
public struct TaskArguments: Sendable {
    /// Any value that can be pickled.
    public typealias Value = any PickleEncodable & Sendable

    enum Form: Sendable {
        case wire(args: PickleView, kwargs: PickleView)
        case fresh([Value], [(key: Value, value: Value)])
        /// What came off the wire, with more behind it: a million arguments stay where they are.
        case extended(PickleView.Elements?, [Value], PickleView.Pairs?, [(key: Value, value: Value)])
    }

    var form: Form

    /// Arguments built here.
    public init(_ positional: [Value] = [], keywords: KeyValuePairs<String, Value> = [:]) {
        form = .fresh(positional, keywords.map { (key: $0.key, value: $0.value) })
    }

    init(args: PickleView, kwargs: PickleView) {
        form = .wire(args: args, kwargs: kwargs)
    }

    /// Arguments built here, the keywords as pairs of any keys that Python's call would take.
    public init(positional: [Value], keywords: [(key: Value, value: Value)]) {
        form = .fresh(positional, keywords)
    }

    /// Adds what a finished task hands on: nothing for None and `()`, all elements of a tuple, the missing keywords of a
    /// dict, anything else as one more positional argument. Mirrors `Task.extend_data`.
    ///
    /// - Throws: what ``append(_:)`` throws.
    mutating func extend(with data: PickleView) throws {
        if data.isNone { return }
        if let elements = Unpacking.tuple(data) {
            guard !elements.isEmpty else { return }
            try extend(positional: elements.map { $0 as Value }, keywords: [])
        } else if let pairs = data.mapping {
            try setDefaults(pairs)
        } else {
            try append(data)
        }
    }

    /// Adds one positional argument.
    ///
    /// - Throws: ``HueyError`` `.malformedMessage`, and nothing has changed, where what there is cannot be unpacked.
    mutating func append(_ value: Value) throws { try extend(positional: [value], keywords: []) }

    private mutating func extend(positional more: [Value], keywords moreKeywords: [(key: Value, value: Value)]) throws {
        switch form {
        case .wire(let args, let kwargs):
            guard let positional = try? Unpacking.iterable(args)?.elements,
                let keywords = try? Unpacking.mapping(kwargs)
            else { throw HueyError.malformedMessage("arguments that cannot be unpacked") }
            form = .extended(positional, more, keywords, moreKeywords)
        case .fresh(let positional, let keywords):
            form = .fresh(positional + more, keywords + moreKeywords)
        case .extended(let args, let positional, let kwargs, let keywords):
            form = .extended(args, positional + more, kwargs, keywords + moreKeywords)
        }
    }

    private mutating func setDefaults(_ pairs: PickleView.Pairs) throws {
        var known: Set<String> = []
        switch form {
        case .wire(_, let kwargs):
            known.formUnion(
                ((try? Unpacking.mapping(kwargs)).map { $0.lazy.compactMap(\.key.string) }).map(Array.init) ?? []
            )
        case .fresh(_, let keywords):
            known.formUnion(keywords.compactMap { Self.keyword($0.key) })
        case .extended(_, _, let kwargs, let keywords):
            known.formUnion((kwargs.map { $0.lazy.compactMap(\.key.string) }).map(Array.init) ?? [])
            known.formUnion(keywords.compactMap { Self.keyword($0.key) })
        }
        var keywords: [(key: Value, value: Value)] = []
        for (key, value) in pairs {
            if let name = Self.keyword(key), !known.insert(name).inserted { continue }
            keywords.append((key: key, value: value))
        }
        try extend(positional: [], keywords: keywords)
    }

    private static func keyword(_ key: Value) -> String? {
        (key as? String) ?? (key as? PickleView)?.string
    }

    /// How many positional arguments there are.
    public var positionalCount: Int {
        switch form {
        case .wire(let args, _): args.sequence?.count ?? 0
        case .fresh(let positional, _): positional.count
        case .extended(let args, let more, _, _): (args?.count ?? 0) + more.count
        }
    }

    /// Both as views of one document, for a handler. Fresh arguments are pickled and read back.
    package func views() throws -> (args: PickleView, kwargs: PickleView) {
        switch form {
        case .wire(let args, let kwargs):
            return (args, kwargs)
        case .fresh, .extended:
            var writer = PickleWriter()
            try writer.writeTuple(count: 2) { writer in
                try writeArgs(to: &writer)
                try writeKwargs(to: &writer)
            }
            let root = try PickleDocument(try writer.finish()).root
            guard let args = root[0], let kwargs = root[1] else {
                throw HueyError.malformedMessage("arguments cannot be read back")
            }
            return (args, kwargs)
        }
    }

    func writeArgs(to writer: inout PickleWriter) throws {
        switch form {
        case .wire(let args, _):
            try writer.write(args)
        case .fresh(let positional, _):
            try writer.writeTuple(count: positional.count) { writer in
                for value in positional { try value.encode(to: &writer) }
            }
        case .extended(let args, let more, _, _):
            try writer.writeTuple(count: (args?.count ?? 0) + more.count) { writer in
                if let args { for view in args { try writer.write(view) } }
                for value in more { try value.encode(to: &writer) }
            }
        }
    }

    func writeKwargs(to writer: inout PickleWriter) throws {
        switch form {
        case .wire(_, let kwargs):
            try writer.write(kwargs)
        case .fresh(_, let keywords):
            try writer.writeDict(count: keywords.count) { writer in
                for (key, value) in keywords {
                    try key.encode(to: &writer)
                    try value.encode(to: &writer)
                }
            }
        case .extended(_, _, let kwargs, let more):
            try writer.writeDict(count: (kwargs?.count ?? 0) + more.count) { writer in
                if let kwargs {
                    for (key, value) in kwargs {
                        try writer.write(key)
                        try writer.write(value)
                    }
                }
                for (key, value) in more {
                    try key.encode(to: &writer)
                    try value.encode(to: &writer)
                }
            }
        }
    }
}
