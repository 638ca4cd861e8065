/// An instance as the pickle describes it: how it is constructed and what is set on it afterwards.
public struct PickleObject: Sendable {
    let view: PickleView

    private func word(_ place: Int) -> UInt32 {
        withExtendedLifetime(view.document) { view.document.arena.record(view.node.a)[place] }
    }

    private func field(_ place: Int) -> PickleView? {
        let index = word(place)
        return index == Singleton.absent ? nil : PickleView(view.document, index)
    }

    private func known(_ view: PickleView) -> KnownGlobal {
        view.node.tag == .global ? KnownGlobal(rawValue: view.node.c) ?? .other : .other
    }

    /// What is called, or whose `__new__` is; usually a global.
    public var callable: PickleView { PickleView(view.document, word(ObjectRecord.callable)) }

    private var rawArguments: PickleView.Elements {
        guard let tuple = field(ObjectRecord.arguments), tuple.node.tag == .tuple, let elements = tuple.elements else {
            return PickleView.Elements(view.document, first: 0, count: 0)
        }
        return elements
    }

    /// The class of the instance or the function that made it, by Python 3's names. Sees through
    /// `copyreg.__newobj__`, `__newobj_ex__` and `_reconstructor`.
    public var className: PickleGlobal? {
        switch known(callable) {
        case .reconstructor, .newobj, .newobjEx: rawArguments.first?.global?.inPython3
        default: callable.global?.inPython3
        }
    }

    /// Whether ``className`` has these names. Allocates nothing when the wire has them as they are in Python 3.
    public func isInstance(of module: StaticString, _ name: StaticString) -> Bool {
        let target: PickleView
        switch known(callable) {
        case .reconstructor, .newobj, .newobjEx:
            guard let first = rawArguments.first else { return false }
            target = first
        default: target = callable
        }
        if target.isGlobal(module, name) { return true }
        guard let names = target.global?.inPython3 else { return false }
        return names.module == module.description && names.name == name.description
    }

    /// The constructor's positional arguments, such as the fields of a namedtuple, in every protocol.
    public var arguments: PickleView.Elements {
        let raw = rawArguments
        switch known(callable) {
        case .newobj:
            return PickleView.Elements(view.document, first: raw.first + 1, count: Swift.max(0, raw.count - 1))
        case .newobjEx:
            return raw.dropFirst().first?.elements ?? PickleView.Elements(view.document, first: 0, count: 0)
        case .reconstructor:
            // copyreg._reconstructor(cls, base, state): a subclass of tuple has its fields in the state.
            if raw.count == 3, let state = raw.dropFirst(2).first, state.kind == .tuple, let fields = state.elements {
                return fields
            }
            if raw.count == 3, !raw[2].isNone {
                return PickleView.Elements(view.document, first: raw.first + 2, count: 1)
            }
            return PickleView.Elements(view.document, first: 0, count: 0)
        default: return raw
        }
    }

    /// The constructor's keyword arguments, a dict, from `__getnewargs_ex__`.
    public var keywordArguments: PickleView? {
        if known(callable) == .newobjEx { return rawArguments.dropFirst(2).first }
        return field(ObjectRecord.keywords)
    }

    /// What BUILD applies: usually the instance's `__dict__`.
    public var state: PickleView? {
        var found: PickleView?
        visitRecords { words in
            if words[ObjectRecord.state] != Singleton.absent {
                found = PickleView(view.document, words[ObjectRecord.state])
            }
        }
        return found
    }

    /// What a list subclass, a deque … holds.
    public var listItems: PickleView.Elements {
        var range: (first: Int, count: Int) = (0, 0)
        visitRecords { words in
            if range.count == 0 { range = (Int(words[ObjectRecord.list]), Int(words[ObjectRecord.list + 1])) }
        }
        return PickleView.Elements(view.document, first: range.first, count: range.count)
    }

    /// What a dict subclass holds.
    public var dictItems: PickleView.Pairs {
        var range: (first: Int, count: Int) = (0, 0)
        visitRecords { words in
            if range.count == 0 { range = (Int(words[ObjectRecord.dict]), Int(words[ObjectRecord.dict + 1]) / 2) }
        }
        return PickleView.Pairs(view.document, first: range.first, count: range.count)
    }

    /// Whether nothing is set on it after its construction.
    var isPlain: Bool { state == nil && listItems.isEmpty && dictItems.isEmpty }

    /// Whether it is made by `__new__` of its class, not by a call.
    package var isNew: Bool {
        switch known(callable) {
        case .newobj, .newobjEx, .reconstructor: true
        default:
            word(ObjectRecord.operation) == ObjectRecord.Operation.newObject.rawValue
                || word(ObjectRecord.operation) == ObjectRecord.Operation.newObjectEx.rawValue
        }
    }

    private func visitRecords(_ body: (UnsafeMutablePointer<UInt32>) -> Void) {
        withExtendedLifetime(view.document) {
            var offset = view.node.a
            while offset != Singleton.absent {
                let words = view.document.arena.record(offset)
                body(words)
                offset = words[ObjectRecord.next]
            }
        }
    }
}

extension PickleView {
    /// What REDUCE, NEWOBJ, OBJ … built, and what was set on it; `nil` for plain data.
    public var object: PickleObject? {
        node.tag == .object ? PickleObject(view: self) : nil
    }
}
