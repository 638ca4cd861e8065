import Pickle

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// An argument from the command line as a Python value.
enum JSONArgument {
    /// JSON where the text reads as such, a string otherwise.
    static func value(_ text: String) -> PickleValue {
        (try? JSONDecoder().decode(Node.self, from: Data(text.utf8)))?.value ?? .string(text)
    }

    private struct Node: Decodable {
        let value: PickleValue

        init(from decoder: any Decoder) throws {
            if let container = try? decoder.container(keyedBy: Key.self) {
                let pairs = try container.allKeys.map { key in
                    (PickleValue.string(key.stringValue), try container.decode(Node.self, forKey: key).value)
                }
                value = .dict(PickleDictionary(pairs))
            } else if var container = try? decoder.unkeyedContainer() {
                var items: [PickleValue] = []
                while !container.isAtEnd { items.append(try container.decode(Node.self).value) }
                value = .list(items)
            } else {
                value = try Self.scalar(decoder.singleValueContainer())
            }
        }

        private static func scalar(_ container: any SingleValueDecodingContainer) throws -> PickleValue {
            if container.decodeNil() { return .none }
            if let value = try? container.decode(Bool.self) { return .bool(value) }
            if let value = try? container.decode(Int.self) { return .int(value) }
            if let value = try? container.decode(Double.self) { return .float(value) }
            return .string(try container.decode(String.self))
        }
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
