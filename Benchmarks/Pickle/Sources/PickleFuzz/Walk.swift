import BigInt
import Foundation
import Pickle

/// A type that Codable decodes into.
private struct Row: Codable {
    var id: Int?
    var name: String?
    var a: Double?
    var x: [Int]?
}

extension PickleFuzz {
    /// Everything that may be done with a stranger's pickle.
    static func walk(_ input: [UInt8]) throws {
        let document = try PickleDocument(input)
        let root = document.root
        var size = root.repr(limit: 2000).utf8.count
        let value = PickleValue(root)
        // Not every input goes through every protocol: its own bytes choose.
        let choice = input.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF }
        size += (try? value.pickled(protocol: choice % 6).count) ?? 0
        views(of: root)
        if let elements = root.elements ?? root.sequence {
            for element in elements.prefix(4) { views(of: element) }
        }
        if let pairs = root.mapping { for (_, value) in pairs.prefix(4) { views(of: value) } }
        for version in [nil, choice / 6 % 6] as [Int?] {
            guard let bytes = try? document.encoded(protocol: version) else { continue }
            // What was written must be readable, or at least refused without a crash.
            size += (try? PickleDocument(bytes, limits: .unlimited).root.kind) == nil ? 0 : bytes.count
        }
        if size < 0 { print(size) }
    }

    private static func views(of view: PickleView) {
        _ = try? [String: PickleValue](pickle: view)
        _ = try? [PickleView](pickle: view)
        _ = try? Set<Int>(pickle: view)
        _ = try? PickleDateTime(pickle: view).utcOffset
        _ = try? PickleDate(pickle: view)
        _ = try? PickleTime(pickle: view)
        _ = try? Date(pickle: view)
        _ = try? Duration(pickle: view)
        _ = try? UUID(pickle: view)
        _ = try? Decimal(pickle: view)
        _ = try? PickleFraction(pickle: view)
        _ = try? PickleComplex(pickle: view)
        _ = try? PickleArray(pickle: view)
        _ = try? Data(pickle: view)
        _ = try? UInt16(pickle: view)
        _ = try? PickleDecoder().decode(Row.self, from: view)
        _ = PickleException(view)?.repr
        _ = view.path
        _ = view.global?.inPython3
        _ = view.typeName
        if let object = view.object {
            _ = object.className
            _ = object.keywordArguments
            _ = object.state
            _ = object.listItems.count + object.dictItems.count + object.arguments.count
        }
    }
}
