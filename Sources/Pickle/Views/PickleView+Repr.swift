extension PickleView {
    /// Python's `repr()`, cut off with `…` after about 100,000 characters.
    public var repr: String { repr(limit: 100_000) }

    /// Python's `repr()`, cut off after about `limit` characters.
    public func repr(limit: Int) -> String {
        var printer = ReprPrinter(limit: limit)
        printer.print(self)
        return printer.text
    }

    /// Type and a short repr, for messages: `str 'abc'`.
    var summary: String {
        isNone ? "None" : "\(typeName.bounded(100)) \(repr(limit: 60))"
    }

    /// The name of the Python type.
    public var typeName: String {
        switch kind {
        case .none: "NoneType"
        case .bool: "bool"
        case .int: "int"
        case .float: "float"
        case .string: "str"
        case .bytes: "bytes"
        case .bytearray: "bytearray"
        case .list: "list"
        case .tuple: "tuple"
        case .dict: "dict"
        case .set: "set"
        case .frozenset: "frozenset"
        case .global: "global"
        case .object: object?.className?.description ?? "object"
        case .persistentID: "persistent id"
        case .extensionCode: "extension code"
        case .buffer: "buffer"
        }
    }
}

extension PickleView: CustomStringConvertible {
    /// Python's `repr()`, cut off after about 10,000 characters.
    public var description: String { repr(limit: 10_000) }
}

/// Writes reprs: without recursion, within a limit, and with `...` where a value holds itself.
struct ReprPrinter {
    var text = ""
    var left: Int
    private var work: [Step] = []
    private var open: Set<NodeIndex> = []

    private enum Step {
        case view(PickleView)
        case text(String)
        case close(NodeIndex)
        /// What is left of a container, from an index on.
        case elements(PickleView.Elements, from: Int)
        case pairs(PickleView.Pairs, from: Int)
    }

    init(limit: Int) { left = limit }

    private mutating func emit(_ string: String) {
        if left <= 0 { return }
        if string.utf8.count <= left {
            text += string
            left -= string.utf8.count
        } else {
            text += string.prefix(left) + "…"
            left = 0
        }
    }

    mutating func print(_ view: PickleView) {
        work = [.view(view)]
        while let step = work.popLast(), left > 0 {
            switch step {
            case .text(let string): emit(string)
            case .close(let index): open.remove(index)
            case .view(let view): visit(view)
            case .elements(let elements, let index): goOn(elements, index)
            case .pairs(let pairs, let index): goOn(pairs, index)
            }
        }
    }

    private mutating func visit(_ view: PickleView) {
        switch view.kind {
        case .none: emit("None")
        case .bool: emit(view.bool == true ? "True" : "False")
        case .int: emit(integer(view))
        case .float: emit(pythonFloat(view.double ?? 0))
        case .string:
            let node = view.node
            emit(withExtendedLifetime(view.document) { pythonRepr(utf8: view.arena.bytes(of: node), limit: left) })
        case .bytes: emit(pythonRepr(bytes: (view.bytes ?? []).prefix(left + 1)))
        case .bytearray: emit("bytearray(" + pythonRepr(bytes: (view.bytes ?? []).prefix(left + 1)) + ")")
        case .list: nest(view, "[", "]", placeholder: "[...]")
        case .tuple: nest(view, "(", view.elements?.count == 1 ? ",)" : ")", placeholder: "(...)")
        case .set:
            nest(
                view,
                view.elements?.isEmpty == true ? "set(" : "{",
                view.elements?.isEmpty == true ? ")" : "}",
                placeholder: "set(...)"
            )
        case .frozenset:
            let isEmpty = view.elements?.isEmpty == true
            nest(view, isEmpty ? "frozenset(" : "frozenset({", isEmpty ? ")" : "})", placeholder: "frozenset(...)")
        case .dict:
            guard enter(view, "{...}") else { return }
            push(dict: view.pairs ?? PickleView.Pairs(view.document, first: 0, count: 0), "{", "}")
        case .global: emit("<\(view.global?.description ?? "")>")
        case .persistentID: emit("<persistent id>")
        case .extensionCode: emit("<extension code \(view.extensionCode ?? 0)>")
        case .buffer: emit("<buffer \(view.bufferIndex ?? 0)>")
        case .object: visit(object: view)
        }
    }

    private func integer(_ view: PickleView) -> String {
        // What would be cut off anyway is not converted, which takes quadratic time.
        let isShort = view.textLength * 2 <= max(left, 40)
        return isShort ? view.decimal ?? "<int of \(view.textLength) bytes>" : "<int of \(view.textLength) bytes>"
    }

    private mutating func enter(_ view: PickleView, _ placeholder: String) -> Bool {
        guard open.insert(view.index).inserted else {
            emit(placeholder)
            return false
        }
        work.append(.close(view.index))
        return true
    }

    private mutating func nest(_ view: PickleView, _ left: String, _ right: String, placeholder: String) {
        guard enter(view, placeholder), let elements = view.elements else { return }
        push(elements, left, right)
    }

    private mutating func push(_ elements: PickleView.Elements, _ before: String, _ after: String) {
        emit(before)
        work.append(.text(after))
        work.append(.elements(elements, from: 0))
    }

    private mutating func push(dict pairs: PickleView.Pairs, _ before: String, _ after: String) {
        emit(before)
        work.append(.text(after))
        work.append(.pairs(pairs, from: 0))
    }

    /// Takes one element, so that what is cut off costs nothing.
    private mutating func goOn(_ elements: PickleView.Elements, _ index: Int) {
        guard index < elements.count else { return }
        if index > 0 { emit(", ") }
        work.append(.elements(elements, from: index + 1))
        work.append(.view(elements[index]))
    }

    private mutating func goOn(_ pairs: PickleView.Pairs, _ index: Int) {
        guard index < pairs.count else { return }
        if index > 0 { emit(", ") }
        let pair = pairs[index]
        work.append(.pairs(pairs, from: index + 1))
        work.append(.view(pair.value))
        work.append(.text(": "))
        work.append(.view(pair.key))
    }

    private mutating func visit(object view: PickleView) {
        guard let object = view.object, enter(view, "<...>") else { return }
        let names = object.className
        let name = names.map { $0.module == "builtins" ? $0.name : $0.description } ?? "<object>"
        if let state = object.state {
            work.append(.text(">"))
            work.append(.view(state))
            emit("<")
            work.append(.text(" with state "))
        }
        if !object.dictItems.isEmpty {
            emit(name)
            push(dict: object.dictItems, "({", "})")
        } else if !object.listItems.isEmpty {
            emit(name)
            push(object.listItems, "([", "])")
        } else {
            emit(name)
            push(object.arguments, "(", ")")
        }
    }
}

/// `repr(bytes)`.
func pythonRepr(bytes: ArraySlice<UInt8>) -> String {
    let quote: UInt8 = bytes.contains(0x27) && !bytes.contains(0x22) ? 0x22 : 0x27
    var result: [UInt8] = [0x62, quote]
    for byte in bytes { appendEscaped(byte, quote: quote, to: &result) }
    result.append(quote)
    return String(decoding: result, as: UTF8.self)
}

private func appendEscaped(_ byte: UInt8, quote: UInt8, to result: inout [UInt8]) {
    switch byte {
    case quote, 0x5C: result += [0x5C, byte]
    case 0x0A: result += [0x5C, 0x6E]
    case 0x0D: result += [0x5C, 0x72]
    case 0x09: result += [0x5C, 0x74]
    case 0x20..<0x7F: result.append(byte)
    default: result += Array("\\x\(hex(UInt32(byte), 2))".utf8)
    }
}

func hex(_ value: UInt32, _ width: Int) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

/// `repr(str)` of UTF-8 that may hold lone surrogates.
func pythonRepr(utf8: UnsafeBufferPointer<UInt8>, limit: Int) -> String {
    let quote: UInt8 = utf8.contains(0x27) && !utf8.contains(0x22) ? 0x22 : 0x27
    var result: [UInt8] = [quote]
    var index = 0
    while index < utf8.count, result.count <= limit {
        let lead = utf8[index]
        if lead < 0x80 {
            appendEscaped(lead, quote: quote, to: &result)
            index += 1
            continue
        }
        let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        let bytes = UnsafeBufferPointer(rebasing: utf8[index..<min(index + length, utf8.count)])
        var point = UInt32(lead) & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
        for byte in bytes.dropFirst() { point = point << 6 | UInt32(byte & 0x3F) }
        if isPrintable(point) {
            result.append(contentsOf: bytes)
        } else {
            let escape =
                point < 0x100 ? "\\x\(hex(point, 2))" : point < 0x1_0000 ? "\\u\(hex(point, 4))" : "\\U\(hex(point, 8))"
            result += Array(escape.utf8)
        }
        index += length
    }
    result.append(quote)
    return String(decoding: result, as: UTF8.self)
}

/// `str.isprintable` of one code point: not of the Unicode categories "other" and "separator".
private func isPrintable(_ point: UInt32) -> Bool {
    guard let scalar = UnicodeScalar(point) else { return false }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator:
        return false
    default: return true
    }
}
