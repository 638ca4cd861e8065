import Foundation
import GRDB

/// Columns of a file that anybody may have written to: SQLite keeps values of any type in any column, and GRDB's own subscripts end the
/// process for one that they do not expect.
extension Row {
    /// Bytes, of a blob or of text; none for anything else.
    func bytes(_ column: String) -> [UInt8] {
        switch (self[column] as DatabaseValue).storage {
        case .blob(let data): Array(data)
        case .string(let text): Array(text.utf8)
        default: []
        }
    }

    /// An integer; nil for anything else.
    func integer(_ column: String) -> Int64? { Int64.fromDatabaseValue(self[column]) }

    /// A number; 0 for anything else.
    func number(_ column: String) -> Double {
        switch (self[column] as DatabaseValue).storage {
        case .int64(let value): Double(value)
        case .double(let value): value
        default: 0
        }
    }

    /// Text; nil for anything else.
    func text(_ column: String) -> String? {
        guard case .string(let text) = (self[column] as DatabaseValue).storage else { return nil }
        return text
    }
}
