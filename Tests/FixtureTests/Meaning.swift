import Foundation
import Pickle

/// Compares a decoded pickle with its description, in the notation of `Fixtures/README.md`.
struct Meaning {
    /// What does not agree, in words.
    private(set) var mismatches: [String] = []
    private var labels: [Int: PickleView] = [:]

    static func mismatches(_ view: PickleView, _ meaning: Any) -> [String] {
        var comparison = Meaning()
        comparison.compare(view, meaning, "value")
        return comparison.mismatches
    }

    static let messageFields = [
        "id", "name", "eta", "retries", "retry_delay", "priority", "args", "kwargs", "on_complete", "on_error",
        "expires", "expires_resolved", "timeout", "chord_config", "retry_backoff",
    ]

    private mutating func expect(_ condition: Bool, _ path: String, _ view: PickleView, _ meaning: Any) {
        if !condition { mismatches.append("\(path) is \(view.repr.prefix(200)), should be \(meaning)") }
    }

    private mutating func compare(_ view: PickleView, _ meaning: Any, _ path: String) {
        guard let meaning = meaning as? [String: Any] else {
            return expect(meaning is NSNull && view.isNone, path, view, meaning)
        }
        if let reference = meaning["ref"] as? Int {
            return expect(labels[reference]?.isIdentical(to: view) == true, path, view, meaning)
        }
        if let label = meaning["label"] as? Int { labels[label] = view }
        if scalar(view, meaning, path) || container(view, meaning, path) || record(view, meaning, path) { return }
        mismatches.append("\(path): no such notation: \(meaning.keys.sorted())")
    }

    // MARK: plain values

    private mutating func scalar(_ view: PickleView, _ meaning: [String: Any], _ path: String) -> Bool {
        func bytes(_ name: String) -> [UInt8]? {
            (meaning[name] as? String).flatMap { Data(base64Encoded: $0) }.map(Array.init)
        }
        if let value = meaning["bool"] as? Bool {
            expect(view.bool == value, path, view, meaning)
        } else if let value = meaning["int"] as? String {
            expect(view.bigInt.map(String.init) == value, path, view, meaning)
        } else if let value = meaning["float"] as? String {
            expect(view.kind == .float && view.repr == value, path, view, meaning)
        } else if let value = meaning["str"] as? String {
            expect(view.string.map { Array($0.utf8) } == Array(value.utf8), path, view, meaning)
        } else if let value = bytes("surrogates") {
            expect(view.string == nil && view.surrogateUTF8 == value, path, view, meaning)
        } else if let value = bytes("bytes") {
            expect(view.kind == .bytes && view.bytes == value, path, view, meaning)
        } else if let value = bytes("bytearray") {
            expect(view.kind == .bytearray && view.bytes == value, path, view, meaning)
        } else if let value = meaning["datetime"] as? String {
            expect(Self.matches(view, datetime: value, meaning), path, view, meaning)
        } else if let value = meaning["timedelta"] as? [Int] {
            let delta = try? PickleTimeDelta(pickle: view)
            expect(delta.map { [$0.days, $0.seconds, $0.microseconds] } == value, path, view, meaning)
        } else if let value = meaning["decimal"] as? String {
            let number = try? Decimal(pickle: view)
            expect(number != nil && number == Decimal(string: value), path, view, meaning)
            expect(view.object?.arguments.first?.string == value, path, view, meaning)
        } else if let value = meaning["uuid"] as? String {
            expect((try? UUID(pickle: view))?.uuidString.lowercased() == value, path, view, meaning)
        } else if let value = meaning["global"] as? String {
            expect(view.global?.inPython3.description == value, path, view, meaning)
        } else {
            return false
        }
        return true
    }

    private static func matches(_ view: PickleView, datetime text: String, _ meaning: [String: Any]) -> Bool {
        guard let moment = try? PickleDateTime(pickle: view) else { return false }
        var naive = moment
        naive.tzinfo = nil
        let offset = meaning["utcoffset"] as? Int
        // Protocols 0 to 3 have no place for the fold.
        let isFolded = meaning["fold"] as? Int == 1 && view.document.pickleProtocol > 3
        return "\(naive)" == text.replacing("T", with: " ") && (moment.tzinfo != nil) == (offset != nil)
            && moment.utcOffset == offset.map { .seconds($0) } && (moment.fold == 1) == isFolded
    }

    // MARK: containers

    private mutating func container(_ view: PickleView, _ meaning: [String: Any], _ path: String) -> Bool {
        let kinds: [(String, PickleView.Kind)] = [
            ("list", .list), ("tuple", .tuple), ("set", .set), ("frozenset", .frozenset),
        ]
        for (name, kind) in kinds {
            guard let elements = meaning[name] as? [Any] else { continue }
            expect(view.kind == kind, path, view, name)
            if kind == .list || kind == .tuple {
                compare(view.elements.map(Array.init) ?? [], elements, path)
            } else {
                unordered(view, elements, path)
            }
            return true
        }
        guard let pairs = meaning["dict"] as? [[Any]] else { return false }
        let found = view.kind == .dict ? view.pairs.map(Array.init) : nil
        expect(found?.count == pairs.count, path, view, "a dict of \(pairs.count)")
        for (index, (pair, expected)) in zip(found ?? [], pairs).enumerated() {
            compare(pair.key, expected[0], "\(path).key\(index)")
            compare(pair.value, expected[1], "\(path)[\(pair.key.repr)]")
        }
        return true
    }

    private mutating func compare(_ views: [PickleView], _ meanings: [Any], _ path: String) {
        if views.count != meanings.count {
            mismatches.append("\(path) has \(views.count), should have \(meanings.count)")
        }
        for (index, (view, meaning)) in zip(views, meanings).enumerated() {
            compare(view, meaning, "\(path)[\(index)]")
        }
    }

    private mutating func unordered(_ view: PickleView, _ meanings: [Any], _ path: String) {
        var left = view.elements.map(Array.init) ?? []
        expect(left.count == meanings.count, path, view, meanings)
        for meaning in meanings {
            guard let place = left.firstIndex(where: { Self.mismatches($0, meaning).isEmpty }) else {
                mismatches.append("\(path) lacks \(meaning)")
                continue
            }
            left.remove(at: place)
        }
    }

    // MARK: objects

    private mutating func record(_ view: PickleView, _ meaning: [String: Any], _ path: String) -> Bool {
        guard let object = view.object else { return false }
        let name = object.className?.description
        let arguments = Array(object.arguments)
        if let fields = meaning["message"] as? [String: Any] {
            expect(name == "huey.registry.Message", path, view, "a message")
            let names = Self.messageFields.prefix(fields.count)
            for name in names where fields[name] == nil { mismatches.append("\(path) should have \(name)") }
            compare(arguments, names.map { fields[$0] ?? NSNull() }, path)
        } else if let error = meaning["error"] as? [String: Any] {
            expect(name == "huey.utils.Error", path, view, "an error")
            compare(arguments, [error["metadata"] ?? NSNull()], path)
        } else if let exception = meaning["exception"] as? String {
            expect(name == exception, path, view, exception)
            compare(arguments, meaning["args"] as? [Any] ?? [], path)
            if let state = meaning["state"] { object.state.map { compare($0, state, "\(path).state") } }
            expect((object.state != nil) == (meaning["state"] != nil), path, view, meaning)
        } else if let tuple = meaning["namedtuple"] as? String {
            expect(name == tuple, path, view, tuple)
            expect((meaning["fields"] as? [String: Any])?.count == arguments.count, path, view, meaning)
        } else if let other = meaning["object"] as? String {
            // Below protocol 4 keyword arguments need a call of a call.
            if name == nil, view.document.pickleProtocol < 4 { return true }
            expect(name == other, path, view, other)
            let parts = meaning["reduce"] as? [Any] ?? []
            var expected = (parts.first as? [String: Any])?["tuple"] as? [Any] ?? []
            // `copyreg.__newobj__(class, *args)` and `copyreg.__newobj_ex__(class, args, kwargs)`.
            if (expected.first as? [String: Any])?["global"] as? String == other {
                expected.removeFirst()
                let inner = (expected.first as? [String: Any])?["tuple"] as? [Any]
                if let inner, expected.count == 2 { expected = inner }
            }
            compare(arguments, expected, path)
        } else if let date = meaning["date"] as? String {
            let bytes = arguments.first?.bytes?.map(Int.init) ?? []
            let digits = bytes.count == 4 ? [bytes[0] << 8 | bytes[1], bytes[2], bytes[3]] : []
            expect(
                name == "datetime.date" && digits == date.split(separator: "-").compactMap { Int($0) },
                path,
                view,
                date
            )
        } else if let time = meaning["time"] as? String {
            let bytes = arguments.first?.bytes?.map(Int.init) ?? []
            expect(
                name == "datetime.time"
                    && bytes.prefix(3).elementsEqual(time.split(separator: ":").compactMap { Int($0) }),
                path,
                view,
                time
            )
        } else if meaning["enum"] != nil {
            // How an enumeration pickles itself differs by release of Python; it is carried as it is.
            return true
        } else {
            return false
        }
        return true
    }
}
