import Pickle

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Prints a decoded pickle as JSON, in ASCII as Python's `json.dumps` does: nothing in a string can reach a terminal as it is.
struct PickleJSONPrinter {
    private(set) var text: [UInt8] = []
    /// A pickle within the default limits stays below this unless it holds itself.
    private var left = 1 << 28

    mutating func print(_ view: PickleView, depth: Int) throws {
        if depth > 500 { throw PickleError(.nestingLimit, "nested more than 500 deep, or holds itself") }
        if text.count > left { throw PickleError(.expansionLimit, "more than 256 MiB of JSON") }
        switch view.kind {
        case .none: emit("null")
        case .bool: emit(view.bool == true ? "true" : "false")
        case .int: emit(view.repr)
        case .float:
            let value = view.double ?? 0
            if value.isFinite { emit(view.repr) } else { string(view.repr) }
        case .string: string(view.string ?? view.repr)
        case .bytes, .bytearray: bytes(view.bytes ?? [])
        case .list, .tuple, .set, .frozenset:
            if let elements = view.elements { try array(elements, depth) }
        case .dict: if let pairs = view.pairs { try object(pairs, depth) }
        case .object: try instance(view, depth)
        case .global, .persistentID, .extensionCode, .buffer:
            emit("{\"$python\":")
            string(view.repr)
            emit("}")
        }
    }

    private mutating func emit(_ string: String) { text += Array(string.utf8) }

    private mutating func string(_ value: String) {
        text.append(0x22)
        for unit in value.utf16 {
            switch unit {
            case 0x22, 0x5C: text += [0x5C, UInt8(truncatingIfNeeded: unit)]
            case 0x0A: text += [0x5C, 0x6E]
            case 0x20...0x7E: text.append(UInt8(truncatingIfNeeded: unit))
            default:
                let digits = String(unit, radix: 16)
                emit("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
            }
        }
        text.append(0x22)
    }

    private mutating func bytes(_ value: [UInt8]) {
        if let readable = String(validating: value, as: UTF8.self) {
            string(readable)
        } else {
            emit("{\"$base64\":\"\(Data(value).base64EncodedString())\"}")
        }
    }

    private mutating func array(_ elements: PickleView.Elements, _ depth: Int) throws {
        emit("[")
        for (place, element) in elements.enumerated() {
            if place > 0 { emit(",") }
            try print(element, depth: depth + 1)
        }
        emit("]")
    }

    private mutating func object(_ pairs: PickleView.Pairs, _ depth: Int) throws {
        emit("{")
        for (place, pair) in pairs.enumerated() {
            if place > 0 { emit(",") }
            string(pair.key.string ?? pair.key.repr)
            emit(":")
            try print(pair.value, depth: depth + 1)
        }
        emit("}")
    }

    private mutating func instance(_ view: PickleView, _ depth: Int) throws {
        guard let object = view.object else { return }
        if let moment = try? PickleDateTime(pickle: view) { return string(moment.description) }
        emit("{\"$class\":")
        string(object.className?.description ?? "?")
        if !object.arguments.isEmpty {
            emit(",\"$args\":")
            try array(object.arguments, depth)
        }
        if let state = object.state {
            emit(",\"$state\":")
            try print(state, depth: depth + 1)
        }
        if !object.listItems.isEmpty {
            emit(",\"$items\":")
            try array(object.listItems, depth)
        }
        if !object.dictItems.isEmpty {
            emit(",\"$pairs\":")
            try self.object(object.dictItems, depth)
        }
        emit("}")
    }
}
