internal import Pickle

/// A Python mapping by its string keys; of equal keys the last value wins.
struct PythonMapping {
    private let pairs: PickleView.Pairs

    init(_ pairs: PickleView.Pairs) { self.pairs = pairs }

    subscript(key: String) -> PickleView? { pairs.last { $0.key.equals(key) }?.value }
}

extension PickleView {
    /// Python's `bool(x)`, as far as the builtin types go; anything else is true.
    var isTruthy: Bool {
        switch kind {
        case .none: false
        case .bool: bool ?? true
        case .int: int != 0
        case .float: double != 0
        case .string: withUTF8 { !$0.isEmpty } ?? true
        case .bytes, .bytearray: bytes?.isEmpty == false
        case .list, .tuple, .set, .frozenset: elements?.isEmpty == false
        case .dict: pairs?.isEmpty == false
        default: true
        }
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    var trimmingSpaces: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
