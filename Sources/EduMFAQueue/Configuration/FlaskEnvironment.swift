internal import Pickle

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Settings in environment variables, as Flask's `Config.from_prefixed_env` reads them.
enum FlaskEnvironment {
    /// `json.loads(text)` for what is a scalar; the text itself otherwise.
    static func value(_ text: String) -> PickleValue {
        let trimmed = text.trimmingSpaces
        switch trimmed {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null": return .none
        default: break
        }
        let data = Data(trimmed.utf8)
        if trimmed.hasPrefix("\""), let string = try? JSONDecoder().decode(String.self, from: data) {
            return .string(string)
        }
        guard trimmed.first == "-" || trimmed.first?.isWholeNumber == true else { return .string(text) }
        if let number = try? JSONDecoder().decode(Int.self, from: data) {
            // The decoder takes 1.0 for an int.
            return trimmed.utf8.allSatisfy { $0 == 45 || (48...57).contains($0) }
                ? .int(number) : .float(Double(number))
        }
        return (try? JSONDecoder().decode(Double.self, from: data)).map(PickleValue.float) ?? .string(text)
    }
}
